/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each fault does to the testbed, and what ends it. */
#include "src/trial/fault.h"

#include <assert.h>
#include <errno.h>

#include "netns/firewall.h"
#include "netns/qdisc.h"
#include "src/testbed/takeover.h"

/* Behind the silence of a power loss, and apart from each other, so that healing one leaves the
 * others. */
static const unsigned int route_metric[_FAULT_KIND_MAX] = {
	[FAULT_BLACKHOLE] = 10,
	[FAULT_UNREACHABLE] = 20,
	[FAULT_PROHIBIT] = 30,
	[FAULT_CABLE_PULL] = 40,
};
static const enum route_type route_type[_FAULT_KIND_MAX] = {
	[FAULT_BLACKHOLE] = ROUTE_BLACKHOLE,
	[FAULT_UNREACHABLE] = ROUTE_UNREACHABLE,
	[FAULT_PROHIBIT] = ROUTE_PROHIBIT,
	[FAULT_CABLE_PULL] = ROUTE_BLACKHOLE,
};

/* The directions that `wanted` stands for: one, or both. */
static size_t directions_of(enum direction wanted, enum direction ret_list[2])
{
	if (wanted != DIRECTION_BOTH) {
		ret_list[0] = wanted;
		return 1;
	}
	ret_list[0] = DIRECTION_TO_SERVER;
	ret_list[1] = DIRECTION_TO_CLIENT;
	return 2;
}

/* The latest fault that holds and that does the same at the same place, for one on the path in that
 * direction; NULL where there is none. */
static const struct event *still(const struct fault_stage *stage, const struct event *event,
				 enum direction direction)
{
	for (const struct fault_handle *h = stage->holding; h; h = h->next) {
		const struct event *other = h->event;

		if (other->fault != event->fault)
			continue;
		if (event->has_node
			    ? other->node == event->node && other->side == event->side
			    : other->direction == DIRECTION_BOTH || other->direction == direction)
			return other;
	}
	return NULL;
}

static void hold(struct fault_stage *stage, const struct event *event, struct fault_handle *handle)
{
	handle->event = event;
	handle->next = stage->holding;
	stage->holding = handle;
}

static void let_go(struct fault_stage *stage, const struct fault_handle *handle)
{
	struct fault_handle **h = &stage->holding;

	while (*h && *h != handle)
		h = &(*h)->next;
	if (*h)
		*h = handle->next;
}

/* A process that is gone is not frozen any more, and a host that is gone has its links and
 * addresses again when it is back. */
static void forget(struct fault_stage *stage, enum node_id node, bool power)
{
	struct fault_handle **h = &stage->holding;

	while (*h) {
		const struct event *event = (*h)->event;
		bool host = event->fault == FAULT_INTERFACE_DOWN ||
			    event->fault == FAULT_ADDRESS_REMOVE;

		if (event->has_node && event->node == node &&
		    (event->fault == FAULT_FREEZE || (power && host)))
			*h = (*h)->next;
		else
			h = &(*h)->next;
	}
}

static void put_route(struct testbed *tb, enum fault_kind fault, enum node_id to, bool active)
{
	struct route route = {
		.type = route_type[fault],
		.destination = testbed_subnet(&tb->node[to].address),
		.metric = route_metric[fault],
		.table = testbed_table(to == NODE_SERVER ? DIRECTION_TO_SERVER
							 : DIRECTION_TO_CLIENT),
	};

	if (active)
		route_put(tb->node[NODE_ROUTER].rtnl, &route);
	else
		route_put_delete(tb->node[NODE_ROUTER].rtnl, &route);
}

static int set_routes(struct fault_stage *stage, const struct event *event, bool active,
		      struct error *err)
{
	enum direction list[2];
	size_t n = directions_of(event->direction, list);

	for (size_t i = 0; i < n; i++)
		if (active || !still(stage, event, list[i]))
			put_route(stage->testbed, event->fault,
				  list[i] == DIRECTION_TO_SERVER ? NODE_SERVER : NODE_CLIENT,
				  active);
	return nl_commit(stage->testbed->node[NODE_ROUTER].rtnl, err);
}

static int add_rules(struct fault_stage *stage, const struct event *event,
		     struct packetfilter_rule rule, struct fault_handle *handle, struct error *err)
{
	struct testbed *tb = stage->testbed;
	enum direction list[2];
	size_t n = directions_of(event->direction, list);

	for (size_t i = 0; i < n; i++) {
		struct testbed_place place = testbed_ingress(tb, list[i]);
		struct packetfilter *pf;
		int rc = testbed_packetfilter(tb, place.node, &pf, err);

		rule.interface = place.interface;
		if (rc >= 0)
			rc = packetfilter_drop(pf, &rule, &handle->rule[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int remove_rules(struct fault_stage *stage, const struct event *event,
			struct fault_handle *handle, struct error *err)
{
	enum direction list[2];
	size_t n = directions_of(event->direction, list);

	for (size_t i = 0; i < n; i++) {
		struct testbed_place place = testbed_ingress(stage->testbed, list[i]);
		struct testbed_node *node = &stage->testbed->node[place.node];
		int rc = node->pf ? packetfilter_remove(node->pf, handle->rule[i], err) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* With a router in the middle a route does it, on every kernel; else a packet filter. */
static int path_apply(struct fault_stage *stage, const struct event *event,
		      struct fault_handle *handle, struct error *err)
{
	struct packetfilter_rule rule = { .everything = true };

	if (stage->testbed->scenario->path.kind == PATH_ROUTED)
		return set_routes(stage, event, true, err);
	return add_rules(stage, event, rule, handle, err);
}

static int path_heal(struct fault_stage *stage, const struct event *event,
		     struct fault_handle *handle, struct error *err)
{
	if (stage->testbed->scenario->path.kind == PATH_ROUTED)
		return set_routes(stage, event, false, err);
	return remove_rules(stage, event, handle, err);
}

static int drop_apply(struct fault_stage *stage, const struct event *event,
		      struct fault_handle *handle, struct error *err)
{
	struct packetfilter_rule rule = {
		.family = stage->testbed->family == FAMILY_IPV4 ? AF_INET : AF_INET6,
		.tcp_flags_mask = event->drop.flags_mask,
		.tcp_flags = event->drop.flags,
		.payload_only = event->drop.payload_only,
		.count = event->drop.count,
	};

	return add_rules(stage, event, rule, handle, err);
}

/*
 * A cable pulled out of an endpoint: it loses its carrier. Linux takes the carrier of a veth away
 * when the other end is set down. On a router that would also withdraw the subnet, as if the
 * router were told; a route to nowhere in front of it keeps the router as ignorant as one behind
 * a switch.
 */
static int set_cable(struct fault_stage *stage, const struct event *event, bool plugged,
		     struct error *err)
{
	struct testbed *tb = stage->testbed;
	bool routed = tb->scenario->path.kind == PATH_ROUTED;
	enum node_id far = NODE_ROUTER;
	const char *name = tb->port[event->node].name;
	int rc;

	if (tb->scenario->path.kind == PATH_DIRECT) {
		far = testbed_peer(event->node);
		name = TESTBED_INTERFACE;
	}
	if (routed && !plugged)
		put_route(tb, FAULT_CABLE_PULL, event->node, true);
	link_put_up(tb->node[far].rtnl, name, plugged);
	rc = nl_commit(tb->node[far].rtnl, err);
	if (rc < 0 || !plugged)
		return rc;
	rc = testbed_node_configure(tb, far, err);
	if (rc < 0 || !routed)
		return rc;
	put_route(tb, FAULT_CABLE_PULL, event->node, false);
	return nl_commit(tb->node[far].rtnl, err);
}

static int cable_apply(struct fault_stage *stage, const struct event *event,
		       struct fault_handle *handle, struct error *err)
{
	return set_cable(stage, event, false, err);
}

static int cable_heal(struct fault_stage *stage, const struct event *event,
		      struct fault_handle *handle, struct error *err)
{
	return set_cable(stage, event, true, err);
}

static int set_interface(struct fault_stage *stage, const struct event *event, bool up,
			 struct error *err)
{
	struct testbed *tb = stage->testbed;
	struct nl *nl = tb->node[event->node].rtnl;
	int rc;

	link_put_up(nl, event->node == NODE_ROUTER ? tb->port[event->side].name : TESTBED_INTERFACE,
		    up);
	rc = nl_commit(nl, err);
	if (rc < 0 || !up)
		return rc;
	return testbed_node_configure(tb, event->node, err);
}

static int interface_apply(struct fault_stage *stage, const struct event *event,
			   struct fault_handle *handle, struct error *err)
{
	return set_interface(stage, event, false, err);
}

static int interface_heal(struct fault_stage *stage, const struct event *event,
			  struct fault_handle *handle, struct error *err)
{
	return set_interface(stage, event, true, err);
}

static int address_apply(struct fault_stage *stage, const struct event *event,
			 struct fault_handle *handle, struct error *err)
{
	struct testbed_node *node = &stage->testbed->node[event->node];

	route_put_address_delete(node->rtnl, node->ifindex, &node->address);
	return nl_commit(node->rtnl, err);
}

static int address_heal(struct fault_stage *stage, const struct event *event,
			struct fault_handle *handle, struct error *err)
{
	return testbed_node_configure(stage->testbed, event->node, err);
}

static int set_netem(struct testbed *tb, enum direction direction, const struct netem *netem,
		     struct error *err)
{
	struct testbed_place place = testbed_egress(tb, direction);
	struct nl *nl = tb->node[place.node].rtnl;

	return netem ? qdisc_netem_set(nl, place.ifindex, netem, err)
		     : qdisc_netem_clear(nl, place.ifindex, err);
}

static int netem_apply(struct fault_stage *stage, const struct event *event,
		       struct fault_handle *handle, struct error *err)
{
	enum direction list[2];
	size_t n = directions_of(event->direction, list);
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = set_netem(stage->testbed, list[i], &event->netem, err);
	return rc;
}

/* Each direction goes back to the netem that another fault still gives it, else to the path's. */
static int netem_heal(struct fault_stage *stage, const struct event *event,
		      struct fault_handle *handle, struct error *err)
{
	const struct scenario_path *path = &stage->testbed->scenario->path;
	const struct netem *path_netem = path->has_netem ? &path->netem : NULL;
	enum direction list[2];
	size_t n = directions_of(event->direction, list);
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		const struct event *other = still(stage, event, list[i]);

		rc = set_netem(stage->testbed, list[i], other ? &other->netem : path_netem, err);
	}
	return rc;
}

/* Cut, then kill: in this order no FIN gets out. What the dead host's kernel does about its
 * processes' sockets is nobody's business any more, hence let_go() before. */
static int power_apply(struct fault_stage *stage, const struct event *event,
		       struct fault_handle *handle, struct error *err)
{
	int rc = testbed_silence(stage->testbed, event->node, err);

	if (rc < 0)
		return rc;
	forget(stage, event->node, true);
	rc = stage->let_go(stage, event->node, err);
	/* Nobody hears any more what the process still does, so nobody need wait for its end. */
	if (stage->agent[event->node]) {
		agent_free(stage->dying[event->node]);
		stage->dying[event->node] = take_ptr(stage->agent[event->node]);
		agent_shoot(stage->dying[event->node]);
	}
	testbed_node_bury(stage->testbed, event->node);
	return rc;
}

int fault_power_on(struct fault_stage *stage, const struct event *event, struct error *err)
{
	struct testbed_change change = { .mac = event->new_mac, .address = event->new_address };
	int rc = testbed_node_restore(stage->testbed, event->node, change, err);

	return rc < 0 ? rc : stage->take_up(stage, event->node, !event->no_service, err);
}

static int crash_apply(struct fault_stage *stage, const struct event *event,
		       struct fault_handle *handle, struct error *err)
{
	forget(stage, event->node, false);
	agent_kill(stage->agent[event->node]);
	return 0;
}

static int freeze_apply(struct fault_stage *stage, const struct event *event,
			struct fault_handle *handle, struct error *err)
{
	return agent_freeze(stage->agent[event->node], true, err);
}

static int freeze_heal(struct fault_stage *stage, const struct event *event,
		       struct fault_handle *handle, struct error *err)
{
	return agent_freeze(stage->agent[event->node], false, err);
}

static int flush_apply(struct fault_stage *stage, const struct event *event,
		       struct fault_handle *handle, struct error *err)
{
	return firewall_forget(stage->testbed->node[NODE_ROUTER].ns, err);
}

static int take_over_apply(struct fault_stage *stage, const struct event *event,
			   struct fault_handle *handle, struct error *err)
{
	return takeover_strike(stage->testbed, event->announce, err);
}

static const struct fault_operations {
	int (*apply)(struct fault_stage *stage, const struct event *event,
		     struct fault_handle *handle, struct error *err);
	int (*heal)(struct fault_stage *stage, const struct event *event,
		    struct fault_handle *handle, struct error *err); /* NULL: it has no end */
} operations[] = {
	[FAULT_BLACKHOLE] = { path_apply, path_heal },
	[FAULT_UNREACHABLE] = { path_apply, path_heal },
	[FAULT_PROHIBIT] = { path_apply, path_heal },
	[FAULT_CABLE_PULL] = { cable_apply, cable_heal },
	[FAULT_INTERFACE_DOWN] = { interface_apply, interface_heal },
	[FAULT_ADDRESS_REMOVE] = { address_apply, address_heal },
	[FAULT_DROP] = { drop_apply, remove_rules },
	[FAULT_NETEM] = { netem_apply, netem_heal },
	[FAULT_POWER_LOSS] = { power_apply, NULL },
	[FAULT_REBOOT] = { power_apply, NULL },
	[FAULT_CRASH] = { crash_apply, NULL },
	[FAULT_FREEZE] = { freeze_apply, freeze_heal },
	[FAULT_CONNTRACK_FLUSH] = { flush_apply, NULL },
	[FAULT_TAKE_OVER] = { take_over_apply, NULL },
};
static_assert(ARRAY_SIZE(operations) == _FAULT_KIND_MAX, "every fault has its operations");

/* What a fault does to a node is done once, however many of the same hold: it begins with the
 * first and ends with the last. */
int fault_apply(struct fault_stage *stage, const struct event *event, struct fault_handle *handle,
		struct error *err)
{
	const struct fault_operations *does = &operations[event->fault];
	int rc = 0;

	if (!does->heal || !event->has_node || !still(stage, event, event->direction))
		rc = does->apply(stage, event, handle, err);
	if (rc < 0)
		return error_prefix(err, rc, "fault '%s'", fault_name(event->fault));
	if (does->heal)
		hold(stage, event, handle);
	return 0;
}

int fault_heal(struct fault_stage *stage, const struct event *event, struct fault_handle *handle,
	       struct error *err)
{
	int rc = 0;

	let_go(stage, handle);
	if (!event->has_node || !still(stage, event, event->direction))
		rc = operations[event->fault].heal(stage, event, handle, err);
	return rc < 0 ? error_prefix(err, rc, "heal '%s'", fault_name(event->fault)) : 0;
}
