/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/route.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define WAIT_USEC 500

static const unsigned char kernel_type[] = {
	[ROUTE_UNICAST] = RTN_UNICAST,
	[ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
	[ROUTE_UNREACHABLE] = RTN_UNREACHABLE,
	[ROUTE_PROHIBIT] = RTN_PROHIBIT,
};
static_assert(ARRAY_SIZE(kernel_type) == _ROUTE_TYPE_MAX, "every type has the kernel's number");

static const char *const type_name[] = {
	[ROUTE_UNICAST] = "route",
	[ROUTE_BLACKHOLE] = "blackhole route",
	[ROUTE_UNREACHABLE] = "unreachable route",
	[ROUTE_PROHIBIT] = "prohibit route",
};
static_assert(ARRAY_SIZE(type_name) == _ROUTE_TYPE_MAX, "every type has a name");

static void put_ip(struct nlmsghdr *nlh, uint16_t type, const struct ip *ip)
{
	mnl_attr_put(nlh, type, ip_full_prefix(ip->family) / 8, &ip->v6);
}

static struct nlmsghdr *address_request(struct nl *nl, uint16_t type, uint16_t flags, int ifindex,
					const struct ip *ip)
{
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *nlh =
		nl_request(nl, type, flags, "address %s/%u: %s", ip_format(text, sizeof(text), ip),
			   ip->prefix, type == RTM_NEWADDR ? "add" : "delete");
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = (uint8_t)ip->family;
	ifa->ifa_prefixlen = (uint8_t)ip->prefix;
	ifa->ifa_index = (unsigned int)ifindex;
	put_ip(nlh, IFA_LOCAL, ip);
	put_ip(nlh, IFA_ADDRESS, ip);
	return nlh;
}

void route_put_address(struct nl *nl, int ifindex, const struct ip *ip)
{
	struct nlmsghdr *nlh =
		address_request(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, ip);

	if (ip->family == AF_INET6)
		mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_NODAD);
}

void route_put_address_delete(struct nl *nl, int ifindex, const struct ip *ip)
{
	address_request(nl, RTM_DELADDR, 0, ifindex, ip);
}

static int parse_route_type(const struct nlmsghdr *nlh, void *userdata)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	unsigned char *type = userdata;

	if (nlh->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(nlh) >= sizeof(*rtm))
		*type = rtm->rtm_type;
	return 0;
}

/* Its local route is put in last (addrconf.c: addrconf_dad_completed). No route at all is an
 * error of its own (ENETUNREACH), and not ours. */
static int is_local(struct nl *nl, const struct ip *ip, bool *ret_local, struct error *err)
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
	put_ip(nlh, RTA_DST, ip);
	rc = nl_dump(nl, parse_route_type, &type, &own);
	if (rc < 0 && rc != -ENETUNREACH && rc != -EHOSTUNREACH) {
		if (err)
			*err = own;
		return rc;
	}
	*ret_local = rc >= 0 && type == RTN_LOCAL;
	return 0;
}

int route_wait_address(struct nl *nl, const struct ip *ip, nsec_t timeout_nsec, struct error *err)
{
	nsec_t end_nsec = nsec_now() + timeout_nsec;
	char text[INET6_ADDRSTRLEN];
	bool local;
	int rc;

	for (;;) {
		rc = is_local(nl, ip, &local, err);
		if (rc < 0)
			return rc;
		if (local)
			return 0;
		if (nsec_now() >= end_nsec)
			return error_errno(err, -ETIMEDOUT, "address %s: wait until it is usable",
					   ip_format(text, sizeof(text), ip));
		usleep(WAIT_USEC);
	}
}

/* As ip-route(8) has it: a destination on the link itself has link scope in IPv4. */
static unsigned char route_scope(const struct route *route)
{
	if (route->destination.family == AF_INET && route->type == ROUTE_UNICAST && !route->via)
		return RT_SCOPE_LINK;
	return RT_SCOPE_UNIVERSE;
}

static struct rtmsg *route_request(struct nl *nl, uint16_t type, uint16_t flags,
				   const struct route *route)
{
	const struct ip *to = &route->destination;
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *nlh = nl_request(nl, type, flags, "%s to %s/%u: %s",
					  type_name[route->type], ip_format(text, sizeof(text), to),
					  to->prefix, type == RTM_NEWROUTE ? "add" : "delete");
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = (uint8_t)to->family;
	rtm->rtm_dst_len = (uint8_t)to->prefix;
	rtm->rtm_table = route->table < 256 ? (unsigned char)route->table : RT_TABLE_COMPAT;
	if (!route->table)
		rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_type = kernel_type[route->type];
	if (to->prefix > 0)
		put_ip(nlh, RTA_DST, to);
	if (route->via)
		put_ip(nlh, RTA_GATEWAY, route->via);
	if (route->ifindex > 0)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)route->ifindex);
	if (route->metric > 0)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	if (route->table > 0)
		mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	return rtm;
}

void route_put(struct nl *nl, const struct route *route)
{
	struct rtmsg *rtm = route_request(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);

	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_scope = route_scope(route);
}

/* Scope and protocol are left open (fib_trie.c: fib_table_delete), and so take any. */
void route_put_delete(struct nl *nl, const struct route *route)
{
	route_request(nl, RTM_DELROUTE, 0, route)->rtm_scope = RT_SCOPE_NOWHERE;
}

void route_put_rule(struct nl *nl, int family, const char *interface, uint32_t table,
		    uint32_t priority)
{
	struct nlmsghdr *nlh = nl_request(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL,
					  "rule iif %s lookup %u", interface, table);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));

	frh->family = (uint8_t)family;
	frh->action = FR_ACT_TO_TBL;
	mnl_attr_put_strz(nlh, FRA_IIFNAME, interface);
	mnl_attr_put_u32(nlh, FRA_TABLE, table);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, priority);
}

/* One neighbour entry as the kernel names it. */
struct neighbour {
	struct ndmsg ndm;
	struct ip ip;
};

struct neighbours {
	int ifindex;
	struct neighbour *item; /* owned */
	size_t n;
};

static void neighboursp(struct neighbours *all)
{
	free(all->item);
}

static int parse_destination(const struct nlattr *attr, void *data)
{
	struct ip *ip = data;

	if (mnl_attr_get_type(attr) != NDA_DST)
		return MNL_CB_OK;
	if (mnl_attr_get_payload_len(attr) == ip_full_prefix(ip->family) / 8) {
		ip->prefix = ip_full_prefix(ip->family);
		memcpy(&ip->v6, mnl_attr_get_payload(attr), ip->prefix / 8);
	}
	return MNL_CB_OK;
}

/* Multicast and the like (NUD_NOARP) is computed, not learned. */
static int collect_neighbour(const struct nlmsghdr *nlh, void *userdata)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct neighbours *all = userdata;
	struct neighbour one = { 0 };
	struct neighbour *item;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm))
		return 0;
	if (ndm->ndm_ifindex != all->ifindex || ndm->ndm_state & NUD_NOARP ||
	    (ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6))
		return 0;
	one.ndm = *ndm;
	one.ip.family = ndm->ndm_family;
	mnl_attr_parse(nlh, sizeof(*ndm), parse_destination, &one.ip);
	item = reallocarray(all->item, all->n + 1, sizeof(*item));
	if (!item)
		return -ENOMEM;
	all->item = item;
	all->item[all->n++] = one;
	return 0;
}

static int delete_neighbour(struct nl *nl, const struct neighbour *one, struct error *err)
{
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *nlh = nl_request(nl, RTM_DELNEIGH, 0, "neighbour %s: delete",
					  ip_format(text, sizeof(text), &one->ip));
	struct error own = { 0 };
	int rc;

	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(one->ndm)), &one->ndm, sizeof(one->ndm));
	put_ip(nlh, NDA_DST, &one->ip);
	rc = nl_commit(nl, &own);
	if (rc == -ENOENT) /* the kernel was faster */
		return 0;
	if (rc < 0 && err)
		*err = own;
	return rc;
}

int route_flush_neighbours(struct nl *nl, int ifindex, struct error *err)
{
	_cleanup_(neighboursp) struct neighbours all = { .ifindex = ifindex };
	struct nlmsghdr *nlh;
	int rc;

	nlh = nl_request(nl, RTM_GETNEIGH, NLM_F_DUMP, "neighbours of link %d: list", ifindex);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	mnl_attr_put_u32(nlh, NDA_IFINDEX, (uint32_t)ifindex);
	rc = nl_dump(nl, collect_neighbour, &all, err);
	if (rc == -ENOMEM)
		return error_errno(err, rc, "neighbours of link %d", ifindex);
	for (size_t i = 0; rc >= 0 && i < all.n; i++)
		rc = delete_neighbour(nl, &all.item[i], err);
	return rc < 0 ? rc : 0;
}
