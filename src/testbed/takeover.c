/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/testbed/takeover.h"

#include <errno.h>

#include "netns/announce.h"
#include "netns/route.h"

/* The interface indexes of the two ends of the cable. Like those in plan.c they are higher than any
 * that the kernel gives. */
#define SPARE_IFINDEX	   103
#define SPARE_PORT_IFINDEX 203

static bool is_wanted(const struct scenario *s)
{
	for (size_t i = 0; i < s->n_events; i++)
		if (s->events[i].kind == EVENT_FAULT && s->events[i].fault == FAULT_TAKE_OVER)
			return true;
	return false;
}

int takeover_prepare(struct testbed *tb, struct error *err)
{
	struct testbed_node *spare = &tb->spare, *router = &tb->node[NODE_ROUTER];
	int rc;

	if (!is_wanted(tb->scenario))
		return 0;
	spare->address = tb->node[NODE_SERVER].address;
	spare->mac = tb->node[NODE_SERVER].mac;
	spare->mac.byte[3] = 0xff;
	rc = testbed_host_open(spare, tb->family, true, err);
	if (rc < 0)
		return rc;
	struct link_end near = { .name = TESTBED_SPARE,
				 .ns = router->ns,
				 .ifindex = SPARE_PORT_IFINDEX };
	struct link_end far = { TESTBED_INTERFACE, spare->ns, spare->mac, SPARE_IFINDEX };

	link_put_veth(router->rtnl, &near, &far, tb->scenario->path.mtu);
	link_put_master(router->rtnl, near.name, TESTBED_BRIDGE_IFINDEX);
	link_put_up(router->rtnl, near.name, true);
	rc = nl_commit(router->rtnl, err);
	if (rc < 0)
		return rc;
	spare->ifindex = SPARE_IFINDEX;
	link_put_up(spare->rtnl, TESTBED_INTERFACE, true);
	rc = nl_commit(spare->rtnl, err);
	if (rc >= 0)
		rc = link_wait(spare->rtnl, TESTBED_INTERFACE, TESTBED_READY_LIMIT, err);
	return rc < 0 ? rc : link_wait(router->rtnl, near.name, TESTBED_READY_LIMIT, err);
}

/* The server loses the address before the spare host gets it, so that it never exists twice. */
int takeover_strike(struct testbed *tb, bool announce, struct error *err)
{
	struct testbed_node *server = &tb->node[NODE_SERVER], *spare = &tb->spare;
	int rc;

	route_put_address_delete(server->rtnl, server->ifindex, &server->address);
	rc = nl_commit(server->rtnl, err);
	if (rc < 0)
		return rc;
	route_put_address(spare->rtnl, spare->ifindex, &spare->address);
	rc = nl_commit(spare->rtnl, err);
	if (rc >= 0)
		rc = route_wait_address(spare->rtnl, &spare->address, TESTBED_READY_LIMIT, err);
	if (rc < 0 || !announce)
		return rc;
	return announce_address(spare->ns, spare->ifindex, &spare->mac, &spare->address, err);
}
