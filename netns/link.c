/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#define OPER_UP	  6 /* IF_OPER_UP of <linux/if.h>, which does not go with <net/if.h> */
#define WAIT_USEC 500

static const struct link_mac no_mac;

static struct nlmsghdr *put_header(struct nlmsghdr *nlh, unsigned int flags, unsigned int change)
{
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_flags = flags;
	ifi->ifi_change = change;
	return nlh;
}

/* A name that is too long goes to the kernel as it is, which refuses it and says so. */
static void put_name(struct nlmsghdr *nlh, const char *name)
{
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
}

static void put_mac(struct nlmsghdr *nlh, const struct link_mac *mac)
{
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(mac->byte), mac->byte);
}

static void put_end(struct nlmsghdr *nlh, const struct link_end *end, unsigned int mtu)
{
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = end->ifindex;
	put_name(nlh, end->name);
	if (memcmp(&end->mac, &no_mac, sizeof(no_mac)) != 0)
		put_mac(nlh, &end->mac);
	if (mtu > 0)
		mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	if (end->ns)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)end->ns->fd);
}

void link_put_veth(struct nl *nl, const struct link_end *a, const struct link_end *b,
		   unsigned int mtu)
{
	struct nlmsghdr *nlh = nl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					  "link '%s': make veth pair with '%s'", a->name, b->name);
	struct nlattr *info, *data, *peer;

	put_end(nlh, a, mtu);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	put_end(nlh, b, mtu);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

/* Spanning tree is off by default; a forward delay of 0 is refused while it is on only. Without
 * multicast snooping no IPv6 neighbour discovery waits for a querier. */
void link_put_bridge(struct nl *nl, const char *name)
{
	struct nlmsghdr *nlh = nl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					  "link '%s': make bridge", name);
	struct nlattr *info, *data;

	put_header(nlh, 0, 0);
	put_name(nlh, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u32(nlh, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u8(nlh, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

/* The kernel finds the link by IFLA_IFNAME when ifi_index is 0 (rtnetlink.c: rtnl_setlink). */
static struct nlmsghdr *change(struct nl *nl, uint16_t type, const char *name, const char *what)
{
	struct nlmsghdr *nlh = nl_request(nl, type, 0, "link '%s': %s", name, what);

	put_header(nlh, 0, 0);
	put_name(nlh, name);
	return nlh;
}

/* A master is named by its index, which is not known before the bridge is made. */
void link_put_master(struct nl *nl, const char *name, const char *bridge)
{
	struct link_state state = { 0 };
	struct error err = { 0 };
	int rc;

	nl_flush(nl);
	rc = link_get(nl, bridge, &state, &err);
	if (rc < 0) {
		error_prefix(&err, rc, "link '%s': put into bridge", name);
		nl_fail(nl, rc, &err);
		return;
	}
	mnl_attr_put_u32(change(nl, RTM_SETLINK, name, "put into bridge"), IFLA_MASTER,
			 (uint32_t)state.ifindex);
}

void link_put_up(struct nl *nl, const char *name, bool up)
{
	struct nlmsghdr *nlh =
		nl_request(nl, RTM_SETLINK, 0, "link '%s': set %s", name, up ? "up" : "down");

	put_header(nlh, up ? IFF_UP : 0, IFF_UP);
	put_name(nlh, name);
}

void link_put_mtu(struct nl *nl, const char *name, unsigned int mtu)
{
	mnl_attr_put_u32(change(nl, RTM_SETLINK, name, "set MTU"), IFLA_MTU, mtu);
}

void link_put_mac(struct nl *nl, const char *name, const struct link_mac *mac)
{
	put_mac(change(nl, RTM_SETLINK, name, "set hardware address"), mac);
}

void link_put_netns(struct nl *nl, const char *name, const struct netns *to)
{
	mnl_attr_put_u32(change(nl, RTM_SETLINK, name, "move to another namespace"), IFLA_NET_NS_FD,
			 (uint32_t)to->fd);
}

void link_put_delete(struct nl *nl, const char *name)
{
	change(nl, RTM_DELLINK, name, "delete");
}

static int parse_attr(const struct nlattr *attr, void *data)
{
	struct link_state *state = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_MTU:
		state->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(state->mac.byte))
			memcpy(state->mac.byte, mnl_attr_get_payload(attr),
			       sizeof(state->mac.byte));
		break;
	case IFLA_OPERSTATE:
		state->ready = mnl_attr_get_u8(attr) == OPER_UP;
		break;
	case IFLA_CARRIER:
		state->carrier = mnl_attr_get_u8(attr) != 0;
		break;
	}
	return MNL_CB_OK;
}

static int parse_link(const struct nlmsghdr *nlh, void *userdata)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct link_state *state = userdata;

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return 0;
	state->ifindex = ifi->ifi_index;
	state->flags = ifi->ifi_flags;
	mnl_attr_parse(nlh, sizeof(*ifi), parse_attr, state);
	return 0;
}

int link_get(struct nl *nl, const char *name, struct link_state *ret_state, struct error *err)
{
	struct link_state state = { 0 };
	int rc;

	if (strlen(name) >= IFNAMSIZ) /* the kernel's word is ERANGE */
		return error_errno(err, -ENODEV, "link '%s': look up", name);
	change(nl, RTM_GETLINK, name, "look up");
	rc = nl_dump(nl, parse_link, &state, err);
	if (rc < 0)
		return rc;
	*ret_state = state;
	return 0;
}

/* Newer kernels run the link watch for whoever asks (rtnetlink.c: rtnl_getlink). */
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
