/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/route/link/veth.h>
#include <string.h>

#include "netns/object.h"

#define OPER_UP	  6 /* IF_OPER_UP of <linux/if.h>, which does not go with <net/if.h> */
#define WAIT_USEC 500

static const struct link_mac no_mac; /* all zero */

/* libnl would cut a name that is too long, and the rest may be the name of another interface. */
static int set_name(struct rtnl_link *link, const char *name)
{
	if (strlen(name) >= IFNAMSIZ)
		return -NLE_RANGE;
	rtnl_link_set_name(link, name);
	return 0;
}

/* Makes an object for a request about one interface. Without an index in it the kernel finds the
 * interface by its name (rtnetlink.c: rtnl_newlink). */
static int new_link(const char *name, struct rtnl_link **ret_link)
{
	*ret_link = rtnl_link_alloc();
	return *ret_link ? set_name(*ret_link, name) : -NLE_NOMEM;
}

static int set_mac(struct rtnl_link *link, const struct link_mac *mac)
{
	_cleanup_(nl_addr_putp) struct nl_addr *address =
		nl_addr_build(AF_LLC, mac->byte, sizeof(mac->byte));

	if (!address)
		return -NLE_NOMEM;
	rtnl_link_set_addr(link, address);
	return 0;
}

static int set_end(struct rtnl_link *link, const struct link_end *end, unsigned int mtu)
{
	if (end->ifindex > 0)
		rtnl_link_set_ifindex(link, end->ifindex);
	if (mtu > 0)
		rtnl_link_set_mtu(link, mtu);
	if (end->ns)
		rtnl_link_set_ns_fd(link, end->ns->fd);
	if (memcmp(&end->mac, &no_mac, sizeof(no_mac)) != 0 && set_mac(link, &end->mac) < 0)
		return -NLE_NOMEM;
	return set_name(link, end->name);
}

void link_put_veth(struct nl *nl, const struct link_end *a, const struct link_end *b,
		   unsigned int mtu)
{
	_cleanup_(rtnl_link_putp) struct rtnl_link *link = rtnl_link_veth_alloc();
	_cleanup_(rtnl_link_putp) struct rtnl_link *peer = NULL;
	struct nl_msg *msg = NULL;
	int rc = link ? set_end(link, a, mtu) : -NLE_NOMEM;

	if (rc >= 0) {
		peer = rtnl_link_veth_get_peer(link);
		rc = set_end(peer, b, mtu);
	}
	if (rc >= 0)
		rc = rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &msg);
	object_request(nl, rc, msg, "link '%s': make veth pair with '%s'", a->name, b->name);
}

/* IFLA_LINKINFO is written here because libnl-route 3.7 knows no options of a bridge, and they
 * stand in the same attribute as its kind. The kernel refuses a forward delay of 0 only while
 * spanning tree is on, which it is not by default. Multicast snooping is off so that IPv6 neighbour
 * discovery does not wait for a querier. */
static void put_bridge_info(struct nlmsghdr *nlh)
{
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u32(nlh, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u8(nlh, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

void link_put_bridge(struct nl *nl, const char *name, int ifindex)
{
	_cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
	struct nl_msg *msg = NULL;
	int rc = new_link(name, &link);

	if (rc >= 0 && ifindex > 0)
		rtnl_link_set_ifindex(link, ifindex);
	if (rc >= 0)
		rc = rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &msg);
	put_bridge_info(object_request(nl, rc, msg, "link '%s': make bridge", name));
}

/* Opens a request that gives the interface the properties that are set in `link`, or refuses it if
 * `rc` is negative because `link` could not be filled. */
static void put_change(struct nl *nl, int rc, struct rtnl_link *link, const char *name,
		       const char *what)
{
	struct nl_msg *msg = NULL;

	if (rc >= 0)
		rc = rtnl_link_build_change_request(link, link, 0, &msg);
	object_request(nl, rc, msg, "link '%s': %s", name, what);
}

void link_put_master(struct nl *nl, const char *name, int bridge)
{
	_cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
	int rc = new_link(name, &link);

	if (rc >= 0)
		rtnl_link_set_master(link, bridge);
	put_change(nl, rc, link, name, "put into bridge");
}

void link_put_up(struct nl *nl, const char *name, bool up)
{
	_cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
	int rc = new_link(name, &link);

	if (rc >= 0 && up)
		rtnl_link_set_flags(link, IFF_UP);
	else if (rc >= 0)
		rtnl_link_unset_flags(link, IFF_UP);
	put_change(nl, rc, link, name, up ? "set up" : "set down");
}

void link_put_mac(struct nl *nl, const char *name, const struct link_mac *mac)
{
	_cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
	int rc = new_link(name, &link);

	if (rc >= 0)
		rc = set_mac(link, mac);
	put_change(nl, rc, link, name, "set hardware address");
}

void link_put_netns(struct nl *nl, const char *name, const struct netns *to)
{
	_cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
	int rc = new_link(name, &link);

	if (rc >= 0)
		rtnl_link_set_ns_fd(link, to->fd);
	put_change(nl, rc, link, name, "move to another namespace");
}

static int read_link(struct nl_object *object, void *userdata)
{
	struct rtnl_link *link = (struct rtnl_link *)object;
	struct nl_addr *address = rtnl_link_get_addr(link);
	struct link_state *state = userdata;

	state->ifindex = rtnl_link_get_ifindex(link);
	state->flags = rtnl_link_get_flags(link);
	state->mtu = rtnl_link_get_mtu(link);
	state->carrier = rtnl_link_get_carrier(link) != 0;
	state->ready = rtnl_link_get_operstate(link) == OPER_UP;
	if (address && nl_addr_get_len(address) == sizeof(state->mac.byte))
		memcpy(state->mac.byte, nl_addr_get_binary_addr(address), sizeof(state->mac.byte));
	return 0;
}

static const struct object_answer link_answer = {
	.type = RTM_NEWLINK,
	.header_size = sizeof(struct ifinfomsg),
	.attributes = 1ull << IFLA_IFNAME | 1ull << IFLA_ADDRESS | 1ull << IFLA_MTU |
		      1ull << IFLA_CARRIER | 1ull << IFLA_OPERSTATE,
};

int link_get(struct nl *nl, const char *name, struct link_state *ret_state, struct error *err)
{
	struct link_state state = { 0 };
	struct nl_msg *msg = NULL;
	int rc;

	if (strlen(name) >= IFNAMSIZ) /* the kernel would say ERANGE */
		return error_errno(err, -ENODEV, "link '%s': look up", name);
	rc = rtnl_link_build_get_request(0, name, &msg);
	object_request(nl, rc, msg, "link '%s': look up", name);
	rc = object_query(nl, &link_answer, read_link, &state, err);
	if (rc < 0)
		return rc;
	*ret_state = state;
	return 0;
}

/* Newer kernels run the link watch when they are asked (rtnetlink.c: rtnl_getlink), so that the
 * first answer is the last. */
int link_wait(struct nl *nl, const char *name, nsec_t timeout_nsec, struct error *err)
{
	nsec_t end_nsec = nsec_now() + timeout_nsec;
	struct link_state state = { 0 };
	int rc;

	for (;;) {
		rc = link_get(nl, name, &state, err);
		if (rc < 0)
			return rc;
		if (state.ready)
			return 0;
		if (nsec_now() >= end_nsec)
			return error_errno(err, -ETIMEDOUT, "link '%s': wait until it is up", name);
		usleep(WAIT_USEC);
	}
}
