/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each fault does to the testbed, and what ends it. */
#include "src/trial/fault.h"

#include <assert.h>
#include <errno.h>

#include "netns/firewall.h"
#include "netns/qdisc.h"
#include "src/testbed/takeover.h"
#include "src/testbed/testbed.h"
#include "src/trial/node.h"

/* The routes by which the router loses packets. Each kind has a metric of its own, so that healing
 * one leaves the others. The kernel prefers the route of a host that lost power to all of them. */
static const struct {
	enum route_type type;
	unsigned int metric;
} routes[_FAULT_KIND_MAX] = {
	[FAULT_BLACKHOLE] = { ROUTE_BLACKHOLE, 10 },
	[FAULT_UNREACHABLE] = { ROUTE_UNREACHABLE, 20 },
	[FAULT_PROHIBIT] = { ROUTE_PROHIBIT, 30 },
	[FAULT_CABLE_PULL] = { ROUTE_BLACKHOLE, 40 },
};

/* Whether a fault on the path strikes packets in that direction, which is one of the two. */
static bool strikes(const struct event *event, enum direction direction)
{
	return event->direction == DIRECTION_BOTH || event->direction == direction;
}

static bool is_same_pair(const struct event *a, const struct event *b)
{
	return a->pair[0] == b->pair[0] && a->pair[1] == b->pair[1];
}

/* The hosts from which and to which packets go in one of the two directions. */
static enum node_id from_of(const struct event *event, enum direction direction)
{
	return event->pair[direction == DIRECTION_BACKWARD];
}
static enum node_id to_of(const struct event *event, enum direction direction)
{
	return event->pair[direction == DIRECTION_FORWARD];
}

/* The latest fault that holds and that does the same at the same place, for one on the path in that
 * direction; NULL where there is none. */
static const struct event *still(const struct trial *trial, const struct event *event,
				 enum direction direction)
{
	for (const struct fault_handle *h = trial->holding; h; h = h->next) {
		const struct event *other = h->event;

		if (other->fault == event->fault &&
		    (event->has_node ? other->node == event->node && other->side == event->side
				     : is_same_pair(other, event) && strikes(other, direction)))
			return other;
	}
	return NULL;
}

/* When a host ends, the faults in its processes end with them. If it loses power, it also has its
 * links and addresses again once it is back. */
static void forget(struct trial *trial, enum node_id node, bool power)
{
	struct fault_handle **h = &trial->holding;

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

static void put_route(struct testbed *tb, enum fault_kind fault, enum node_id from, enum node_id to,
		      bool on)
{
	struct route route = {
		.type = routes[fault].type,
		.destination = testbed_subnet(&tb->node[to].address),
		.metric = routes[fault].metric,
		.table = testbed_table(from),
	};

	if (on)
		route_put(tb->node[NODE_ROUTER].rtnl, &route);
	else
		route_put_delete(tb->node[NODE_ROUTER].rtnl, &route);
}

static int set_routes(struct trial *trial, const struct event *event, bool on, struct error *err)
{
	for (enum direction d = DIRECTION_FORWARD; d < _DIRECTION_MAX; d++)
		if (strikes(event, d) && (on || !still(trial, event, d)))
			put_route(trial->testbed, event->fault, from_of(event, d), to_of(event, d),
				  on);
	return nl_commit(trial->testbed->node[NODE_ROUTER].rtnl, err);
}

static int set_rules(struct trial *trial, const struct event *event, struct fault_handle *handle,
		     struct packetfilter_rule rule, bool on, struct error *err)
{
	int rc = 0;

	for (enum direction d = DIRECTION_FORWARD; rc >= 0 && d < _DIRECTION_MAX; d++) {
		struct testbed_place place =
			testbed_ingress(trial->testbed, from_of(event, d), to_of(event, d));
		struct packetfilter *pf = trial->testbed->node[place.node].pf;

		if (!strikes(event, d))
			continue;
		rule.interface = place.interface;
		if (on)
			rc = testbed_packetfilter(trial->testbed, place.node, &pf, err);
		if (rc >= 0 && on)
			rc = packetfilter_drop(pf, &rule, &handle->rule[d], err);
		else if (rc >= 0 && pf)
			rc = packetfilter_remove(pf, handle->rule[d], err);
	}
	return rc;
}

/* A route of the router loses the packets, which works on every kernel; without a router a packet
 * filter does. */
static int set_path(struct trial *trial, const struct event *event, struct fault_handle *handle,
		    bool on, struct error *err)
{
	struct packetfilter_rule rule = { .everything = true };

	if (trial->testbed->scenario->path.kind == PATH_ROUTED)
		return set_routes(trial, event, on, err);
	return set_rules(trial, event, handle, rule, on, err);
}

static int set_drop(struct trial *trial, const struct event *event, struct fault_handle *handle,
		    bool on, struct error *err)
{
	struct packetfilter_rule rule = {
		.family = trial->testbed->family == FAMILY_IPV4 ? AF_INET : AF_INET6,
		.tcp_flags_mask = event->drop.flags_mask,
		.tcp_flags = event->drop.flags,
		.payload_only = event->drop.payload_only,
		.count = event->drop.count,
	};

	return set_rules(trial, event, handle, rule, on, err);
}

static void put_routes_to(struct testbed *tb, enum node_id to, bool on)
{
	for (enum node_id n = 0; n < tb->scenario->n_hosts; n++)
		if (n != to)
			put_route(tb, FAULT_CABLE_PULL, n, to, on);
}

/*
 * An endpoint whose cable is pulled out loses its carrier. Linux takes the carrier of a veth away
 * when the other end is set down. On a router that would also withdraw the subnet, as if somebody
 * had told the router. A route to nowhere, which is preferred to the subnet's, keeps the router as
 * ignorant as one behind a switch.
 */
static int set_cable(struct trial *trial, const struct event *event, struct fault_handle *handle,
		     bool pulled, struct error *err)
{
	struct testbed *tb = trial->testbed;
	bool routed = tb->scenario->path.kind == PATH_ROUTED;
	bool direct = tb->scenario->path.kind == PATH_DIRECT;
	enum node_id far = direct ? testbed_peer(event->node) : NODE_ROUTER;
	int rc;

	if (routed && pulled)
		put_routes_to(tb, event->node, true);
	link_put_up(tb->node[far].rtnl, direct ? TESTBED_INTERFACE : tb->port[event->node].name,
		    !pulled);
	rc = nl_commit(tb->node[far].rtnl, err);
	if (rc < 0 || pulled)
		return rc;
	rc = testbed_node_configure(tb, far, err);
	if (rc < 0 || !routed)
		return rc;
	put_routes_to(tb, event->node, false);
	return nl_commit(tb->node[far].rtnl, err);
}

static int set_interface(struct trial *trial, const struct event *event,
			 struct fault_handle *handle, bool down, struct error *err)
{
	struct testbed *tb = trial->testbed;
	struct nl *nl = tb->node[event->node].rtnl;
	int rc;

	link_put_up(nl, event->node == NODE_ROUTER ? tb->port[event->side].name : TESTBED_INTERFACE,
		    !down);
	rc = nl_commit(nl, err);
	return rc < 0 || down ? rc : testbed_node_configure(tb, event->node, err);
}

static int set_address(struct trial *trial, const struct event *event, struct fault_handle *handle,
		       bool removed, struct error *err)
{
	struct testbed_node *node = &trial->testbed->node[event->node];

	if (!removed)
		return testbed_node_configure(trial->testbed, event->node, err);
	route_put_address_delete(node->rtnl, node->ifindex, &node->address);
	return nl_commit(node->rtnl, err);
}

/* A heal gives each direction the netem of another fault that still holds there, or else that of
 * the path. */
static int set_netem(struct trial *trial, const struct event *event, struct fault_handle *handle,
		     bool on, struct error *err)
{
	const struct scenario_path *path = &trial->testbed->scenario->path;
	int rc = 0;

	for (enum direction d = DIRECTION_FORWARD; rc >= 0 && d < _DIRECTION_MAX; d++) {
		const struct event *source = on ? event : still(trial, event, d);
		const struct netem *netem = path->has_netem ? &path->netem : NULL;
		struct testbed_place place =
			testbed_egress(trial->testbed, from_of(event, d), to_of(event, d));
		struct nl *nl = trial->testbed->node[place.node].rtnl;

		if (!strikes(event, d))
			continue;
		if (source)
			netem = &source->netem;
		rc = netem ? qdisc_netem_set(nl, place.ifindex, netem, err)
			   : qdisc_netem_clear(nl, place.ifindex, err);
	}
	return rc;
}

/* The host is cut off first and killed then, so that no FIN gets out. What its kernel does with the
 * sockets of the killed processes is not observed any more, and nobody waits for their end. */
static int lose_power(struct trial *trial, const struct event *event, struct fault_handle *handle,
		      bool on, struct error *err)
{
	struct trial_host *host = &trial->host[event->node];
	int rc = testbed_silence(trial->testbed, event->node, err);

	if (rc < 0)
		return rc;
	forget(trial, event->node, true);
	node_let_go(trial, event->node);
	for (size_t i = 0; i < host->n_programs; i++) {
		struct trial_program *program = &host->program[i];

		if (!program->agent)
			continue;
		agent_free(program->dying);
		program->dying = take_ptr(program->agent);
		agent_shoot(program->dying);
	}
	testbed_node_bury(trial->testbed, event->node);
	return 0;
}

int fault_power_on(struct trial *trial, const struct event *event, struct error *err)
{
	struct testbed_change change = { .mac = event->new_mac, .address = event->new_address };
	int rc = testbed_node_restore(trial->testbed, event->node, change, err);

	return rc < 0 ? rc : node_take_up(trial, event->node, !event->no_service, err);
}

static bool is_about(const struct event *event, size_t program)
{
	return event->program_index == SCENARIO_PROGRAMS_MAX || event->program_index == program;
}

static int crash(struct trial *trial, const struct event *event, struct fault_handle *handle,
		 bool on, struct error *err)
{
	struct trial_host *host = &trial->host[event->node];

	forget(trial, event->node, false);
	for (size_t i = 0; i < host->n_programs; i++)
		if (is_about(event, i) && host->program[i].agent)
			agent_kill(host->program[i].agent);
	return 0;
}

static int set_frozen(struct trial *trial, const struct event *event, struct fault_handle *handle,
		      bool frozen, struct error *err)
{
	struct trial_host *host = &trial->host[event->node];
	bool all = event->program_index == SCENARIO_PROGRAMS_MAX;
	int rc = 0;

	/* What has ended by itself cannot be stopped, which only says something of one that the
	 * timeline names, or that is alone. */
	for (size_t i = 0; rc >= 0 && i < host->n_programs; i++)
		if (is_about(event, i) && host->program[i].agent &&
		    (!all || host->n_programs == 1 || agent_running(host->program[i].agent)))
			rc = agent_freeze(host->program[i].agent, frozen, err);
	return rc;
}

static int flush(struct trial *trial, const struct event *event, struct fault_handle *handle,
		 bool on, struct error *err)
{
	return firewall_forget(trial->testbed->node[NODE_ROUTER].ns, err);
}

static int take_over(struct trial *trial, const struct event *event, struct fault_handle *handle,
		     bool on, struct error *err)
{
	return takeover_strike(trial->testbed, event->announce, err);
}

/* Each begins the fault, or ends it, where `on` is false and scenario_fault_heals(). */
static int (*const operations[])(struct trial *trial, const struct event *event,
				 struct fault_handle *handle, bool on, struct error *err) = {
	[FAULT_BLACKHOLE] = set_path,
	[FAULT_UNREACHABLE] = set_path,
	[FAULT_PROHIBIT] = set_path,
	[FAULT_CABLE_PULL] = set_cable,
	[FAULT_INTERFACE_DOWN] = set_interface,
	[FAULT_ADDRESS_REMOVE] = set_address,
	[FAULT_DROP] = set_drop,
	[FAULT_NETEM] = set_netem,
	[FAULT_POWER_LOSS] = lose_power,
	[FAULT_REBOOT] = lose_power,
	[FAULT_CRASH] = crash,
	[FAULT_FREEZE] = set_frozen,
	[FAULT_CONNTRACK_FLUSH] = flush,
	[FAULT_TAKE_OVER] = take_over,
};
static_assert(ARRAY_SIZE(operations) == _FAULT_KIND_MAX, "every fault has its operation");

/* A fault of a node that holds several times over begins with the first of them and ends with the
 * last. */
int fault_apply(struct trial *trial, const struct event *event, struct fault_handle *handle,
		struct error *err)
{
	bool heals = scenario_fault_heals(event->fault);
	int rc = 0;

	if (!heals || !event->has_node || !still(trial, event, event->direction))
		rc = operations[event->fault](trial, event, handle, true, err);
	if (rc < 0)
		return error_prefix(err, rc, "fault '%s'", fault_name(event->fault));
	if (heals) {
		handle->event = event;
		handle->next = trial->holding;
		trial->holding = handle;
	}
	return 0;
}

int fault_heal(struct trial *trial, const struct event *event, struct fault_handle *handle,
	       struct error *err)
{
	struct fault_handle **h = &trial->holding;
	int rc = 0;

	while (*h && *h != handle)
		h = &(*h)->next;
	if (*h)
		*h = handle->next;
	if (!event->has_node || !still(trial, event, event->direction))
		rc = operations[event->fault](trial, event, handle, false, err);
	return rc < 0 ? error_prefix(err, rc, "heal '%s'", fault_name(event->fault)) : 0;
}
