/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/route.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <string.h>

#include "netns/object.h"

#define WAIT_USEC 500

static const struct {
	unsigned char kernel_type; /* RTN_* */
	const char *name;	   /* in error texts */
} types[] = {
	[ROUTE_UNICAST] = { RTN_UNICAST, "route" },
	[ROUTE_BLACKHOLE] = { RTN_BLACKHOLE, "blackhole route" },
	[ROUTE_UNREACHABLE] = { RTN_UNREACHABLE, "unreachable route" },
	[ROUTE_PROHIBIT] = { RTN_PROHIBIT, "prohibit route" },
};
static_assert(ARRAY_SIZE(types) == _ROUTE_TYPE_MAX, "every type has its place");

/* Makes an address without a peer, as ip-address(8) does: libnl then gives both ends of the link
 * the same address. */
static int new_address(int ifindex, const struct ip *ip, struct rtnl_addr **ret_address)
{
	_cleanup_(nl_addr_putp) struct nl_addr *local = object_address(ip);
	_cleanup_(rtnl_addr_putp) struct rtnl_addr *address = rtnl_addr_alloc();
	int rc;

	if (!local || !address)
		return -NLE_NOMEM;
	rtnl_addr_set_ifindex(address, ifindex);
	rc = rtnl_addr_set_local(address, local);
	if (rc < 0)
		return rc;
	*ret_address = take_ptr(address);
	return 0;
}

static void put_address(struct nl *nl, int ifindex, const struct ip *ip, bool add)
{
	_cleanup_(rtnl_addr_putp) struct rtnl_addr *address = NULL;
	char text[INET6_ADDRSTRLEN];
	struct nl_msg *msg = NULL;
	int rc = new_address(ifindex, ip, &address);

	if (rc >= 0 && add && ip->family == AF_INET6)
		rtnl_addr_set_flags(address, IFA_F_NODAD);
	if (rc >= 0)
		rc = add ? rtnl_addr_build_add_request(address, NLM_F_CREATE | NLM_F_REPLACE, &msg)
			 : rtnl_addr_build_delete_request(address, 0, &msg);
	object_request(nl, rc, msg, "address %s/%u: %s", ip_format(text, sizeof(text), ip),
		       ip->prefix, add ? "add" : "delete");
}

void route_put_address(struct nl *nl, int ifindex, const struct ip *ip)
{
	put_address(nl, ifindex, ip, true);
}

void route_put_address_delete(struct nl *nl, int ifindex, const struct ip *ip)
{
	put_address(nl, ifindex, ip, false);
}

static int read_route_type(struct nl_object *object, void *userdata)
{
	unsigned char *type = userdata;

	*type = rtnl_route_get_type((struct rtnl_route *)object);
	return 0;
}

/* Returns 1 if the namespace takes packets for the address, which has a local route then: IPv6
 * makes it at the end (addrconf.c: addrconf_dad_completed). Returns 0 if another route or none
 * leads there. libnl looks a route up only by its own socket, so that the request is written here.
 */
static int is_local(struct nl *nl, const struct ip *ip, struct error *err)
{
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *nlh = nl_request(nl, RTM_GETROUTE, 0, "address %s: look up",
					  ip_format(text, sizeof(text), ip));
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	unsigned char type = RTN_UNSPEC;
	struct error own = { 0 };
	int rc;

	rtm->rtm_family = (uint8_t)ip->family;
	rtm->rtm_dst_len = (uint8_t)ip_full_prefix(ip->family);
	mnl_attr_put(nlh, RTA_DST, rtm->rtm_dst_len / 8, &ip->v6);
	rc = object_query(nl, &(struct object_answer){ RTM_NEWROUTE }, read_route_type, &type,
			  &own);
	if (rc == -ENETUNREACH || rc == -EHOSTUNREACH)
		return 0;
	return rc < 0 ? error_hand_on(err, rc, &own) : type == RTN_LOCAL;
}

int route_wait_address(struct nl *nl, const struct ip *ip, nsec_t timeout_nsec, struct error *err)
{
	nsec_t end_nsec = nsec_now() + timeout_nsec;
	char text[INET6_ADDRSTRLEN];
	int rc;

	if (ip->family == AF_INET)
		return 0;
	while ((rc = is_local(nl, ip, err)) == 0) {
		if (nsec_now() >= end_nsec)
			return error_errno(err, -ETIMEDOUT, "address %s: wait until it is usable",
					   ip_format(text, sizeof(text), ip));
		usleep(WAIT_USEC);
	}
	return rc < 0 ? rc : 0;
}

/* In IPv4 a destination on the link itself has link scope, as with ip-route(8). */
static unsigned char route_scope(const struct route *route)
{
	if (route->destination.family == AF_INET && route->type == ROUTE_UNICAST && !route->via)
		return RT_SCOPE_LINK;
	return RT_SCOPE_UNIVERSE;
}

static int set_next_hop(struct rtnl_route *object, const struct route *route)
{
	_cleanup_(nl_addr_putp) struct nl_addr *via = NULL;
	struct rtnl_nexthop *hop;

	if (!route->via && route->ifindex <= 0)
		return 0;
	hop = rtnl_route_nh_alloc();
	if (!hop)
		return -NLE_NOMEM;
	rtnl_route_add_nexthop(object, hop); /* The route owns it from now on. */
	if (route->ifindex > 0)
		rtnl_route_nh_set_ifindex(hop, route->ifindex);
	if (!route->via)
		return 0;
	via = object_address(route->via);
	if (!via)
		return -NLE_NOMEM;
	rtnl_route_nh_set_gateway(hop, via);
	return 0;
}

static int new_route(const struct route *route, struct rtnl_route **ret_object)
{
	_cleanup_(nl_addr_putp) struct nl_addr *to = object_address(&route->destination);
	_cleanup_(rtnl_route_putp) struct rtnl_route *object = rtnl_route_alloc();
	int rc;

	if (!to || !object)
		return -NLE_NOMEM;
	rc = rtnl_route_set_dst(object, to);
	if (rc >= 0)
		rc = rtnl_route_set_type(object, types[route->type].kernel_type);
	if (rc >= 0)
		rc = set_next_hop(object, route);
	if (rc < 0)
		return rc;
	rtnl_route_set_table(object, route->table > 0 ? route->table : RT_TABLE_MAIN);
	if (route->metric > 0)
		rtnl_route_set_priority(object, route->metric);
	*ret_object = take_ptr(object);
	return 0;
}

/* A route of any scope and protocol is deleted (fib_trie.c: fib_table_delete). */
static void put_route(struct nl *nl, const struct route *route, bool add)
{
	_cleanup_(rtnl_route_putp) struct rtnl_route *object = NULL;
	char text[INET6_ADDRSTRLEN];
	struct nl_msg *msg = NULL;
	int rc = new_route(route, &object);

	if (rc >= 0) {
		rtnl_route_set_protocol(object, add ? RTPROT_STATIC : RTPROT_UNSPEC);
		rtnl_route_set_scope(object, add ? route_scope(route) : RT_SCOPE_NOWHERE);
		rc = add ? rtnl_route_build_add_request(object, NLM_F_CREATE | NLM_F_REPLACE, &msg)
			 : rtnl_route_build_del_request(object, 0, &msg);
	}
	object_request(nl, rc, msg, "%s to %s/%u: %s", types[route->type].name,
		       ip_format(text, sizeof(text), &route->destination),
		       route->destination.prefix, add ? "add" : "delete");
}

void route_put(struct nl *nl, const struct route *route)
{
	put_route(nl, route, true);
}

void route_put_delete(struct nl *nl, const struct route *route)
{
	put_route(nl, route, false);
}

void route_put_rule(struct nl *nl, int family, const char *interface, uint32_t table,
		    uint32_t priority)
{
	_cleanup_(rtnl_rule_putp) struct rtnl_rule *rule = rtnl_rule_alloc();
	struct nl_msg *msg = NULL;
	int rc = rule ? rtnl_rule_set_iif(rule, interface) : -NLE_NOMEM;

	if (rc >= 0) {
		rtnl_rule_set_family(rule, family);
		rtnl_rule_set_action(rule, FR_ACT_TO_TBL);
		rtnl_rule_set_table(rule, table);
		rtnl_rule_set_prio(rule, priority);
		rc = rtnl_rule_build_add_request(rule, NLM_F_CREATE | NLM_F_EXCL, &msg);
	}
	object_request(nl, rc, msg, "rule iif %s lookup %u", interface, table);
}

DEFINE_CLEANUP(struct nl_cache *, nl_cache_free)

struct neighbours {
	int ifindex;	       /* of the interface whose neighbours are collected */
	struct nl_cache *list; /* of struct rtnl_neigh; not owned */
};

/* Entries that the kernel computes instead of learning them, such as those of multicast groups
 * (NUD_NOARP), are left out. */
static int collect_neighbour(struct nl_object *object, void *userdata)
{
	struct rtnl_neigh *neighbour = (struct rtnl_neigh *)object;
	struct neighbours *all = userdata;
	int family = rtnl_neigh_get_family(neighbour);

	if (rtnl_neigh_get_ifindex(neighbour) != all->ifindex ||
	    rtnl_neigh_get_state(neighbour) & NUD_NOARP ||
	    (family != AF_INET && family != AF_INET6))
		return 0;
	return nl_cache_add(all->list, object) < 0 ? -ENOMEM : 0;
}

static int delete_neighbour(struct nl *nl, struct rtnl_neigh *neighbour, struct error *err)
{
	char text[INET6_ADDRSTRLEN];
	struct nl_msg *msg = NULL;
	struct error own = { 0 };
	int rc = rtnl_neigh_build_delete_request(neighbour, 0, &msg);

	object_request(nl, rc, msg, "neighbour %s: delete",
		       nl_addr2str(rtnl_neigh_get_dst(neighbour), text, sizeof(text)));
	rc = nl_commit(nl, &own);
	if (rc == -ENOENT) /* The kernel has forgotten it meanwhile. */
		return 0;
	return error_hand_on(err, rc, &own);
}

/* libnl asks for a dump only by its own socket, so that the request is written here. */
int route_flush_neighbours(struct nl *nl, int ifindex, struct error *err)
{
	_cleanup_(nl_cache_freep) struct nl_cache *list = NULL;
	struct neighbours all = { .ifindex = ifindex };
	struct nlmsghdr *nlh;
	int rc;

	if (nl_cache_alloc_name("route/neigh", &list) < 0)
		return error_errno(err, -ENOMEM, "neighbours of link %d", ifindex);
	all.list = list;
	nlh = nl_request(nl, RTM_GETNEIGH, NLM_F_DUMP, "neighbours of link %d: list", ifindex);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	mnl_attr_put_u32(nlh, NDA_IFINDEX, (uint32_t)ifindex);
	rc = object_query(nl, &(struct object_answer){ RTM_NEWNEIGH }, collect_neighbour, &all,
			  err);
	for (struct nl_object *one = nl_cache_get_first(list); rc >= 0 && one;
	     one = nl_cache_get_next(one))
		rc = delete_neighbour(nl, (struct rtnl_neigh *)one, err);
	return rc < 0 ? rc : 0;
}
