/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/testbed/testbed.h"

#include <errno.h>
#include <linux/netlink.h>

#include "netns/firewall.h"
#include "netns/qdisc.h"
#include "netns/route.h"
#include "netns/sysctl.h"
#include "src/testbed/takeover.h"

#define SILENCE_METRIC 1   /* The route of a power loss wins over any that a fault may put. */
#define RULE_PRIORITY  100 /* of the rules that lead to the tables of testbed_table() */
#define FIRST_TABLE    101 /* of these tables */

static bool has_router(const struct testbed *tb)
{
	return tb->scenario->path.kind != PATH_DIRECT;
}

static int plan(struct testbed *tb, struct error *err)
{
	struct testbed_plan plan;
	int rc = testbed_plan(tb->scenario, tb->family, &plan, err);

	for (enum node_id n = 0; rc >= 0 && n < tb->scenario->n_hosts; n++) {
		tb->node[n].address = plan.node[n].address;
		tb->node[n].ifindex = plan.node[n].ifindex;
		tb->node[n].mac = plan.node[n].mac;
		tb->node[n].elsewhere = plan.elsewhere[n];
		tb->port[n] = plan.port[n];
	}
	return rc;
}

static int open_node(struct testbed *tb, enum node_id id, struct error *err)
{
	int rc = testbed_host_open(&tb->node[id], tb->family, id != NODE_ROUTER, err);

	return rc < 0 ? error_prefix(err, rc, "node '%s'", scenario_node_name(tb->scenario, id))
		      : 0;
}

static int set_sysctls(struct testbed *tb, enum node_id id, struct error *err)
{
	const struct scenario_node *node = &tb->scenario->node[id];

	/* A program runs as an ordinary user, and serves at the port that it has elsewhere. */
	if (id < tb->scenario->n_hosts && scenario_is_command(&tb->scenario->agent[id])) {
		int rc = sysctl_set(tb->node[id].ns, "net.ipv4.ip_unprivileged_port_start", "0",
				    err);

		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < node->n_sysctls; i++) {
		const struct scenario_sysctl *s = &node->sysctls[i];
		int rc = sysctl_set(tb->node[id].ns, s->key, s->value, err);

		if (rc < 0 && s->line)
			return error_prefix(err, rc, "%s:%d: node '%s'", tb->scenario->file,
					    s->line, scenario_node_name(tb->scenario, id));
		if (rc < 0)
			return error_prefix(err, rc, "--set %s.%s=%s",
					    scenario_node_name(tb->scenario, id), s->key, s->value);
	}
	return 0;
}

static struct link_end cable_end(const struct testbed_node *node)
{
	return (struct link_end){ TESTBED_INTERFACE, node->ns, node->mac, node->ifindex };
}

static void put_cable(struct testbed *tb, enum node_id n)
{
	const struct testbed_plan_end *port = &tb->port[n];
	struct link_end near = { port->name, tb->node[NODE_ROUTER].ns, port->mac, port->ifindex };
	struct link_end far = cable_end(&tb->node[n]);

	link_put_veth(tb->node[NODE_ROUTER].rtnl, &near, &far, tb->scenario->path.mtu);
	if (tb->scenario->path.kind == PATH_SWITCHED)
		link_put_master(tb->node[NODE_ROUTER].rtnl, near.name, TESTBED_BRIDGE_IFINDEX);
	link_put_up(tb->node[NODE_ROUTER].rtnl, near.name, true);
}

static int put_cables(struct testbed *tb, struct error *err)
{
	struct testbed_node *client = &tb->node[NODE_CLIENT], *server = &tb->node[NODE_SERVER];

	if (!has_router(tb)) {
		struct link_end a = cable_end(client), b = cable_end(server);

		link_put_veth(client->rtnl, &a, &b, tb->scenario->path.mtu);
		return nl_commit(client->rtnl, err);
	}
	if (tb->scenario->path.kind == PATH_SWITCHED) {
		link_put_bridge(tb->node[NODE_ROUTER].rtnl, TESTBED_BRIDGE, TESTBED_BRIDGE_IFINDEX);
		link_put_up(tb->node[NODE_ROUTER].rtnl, TESTBED_BRIDGE, true);
	}
	for (enum node_id n = 0; n < tb->scenario->n_hosts; n++)
		put_cable(tb, n);
	return nl_commit(tb->node[NODE_ROUTER].rtnl, err);
}

static void put_default_route(struct testbed *tb, enum node_id id)
{
	struct route route = {
		.type = ROUTE_UNICAST,
		.destination = { .family = tb->node[id].address.family },
		.via = &tb->port[id].address,
		.ifindex = tb->node[id].ifindex,
	};

	route_put(tb->node[id].rtnl, &route);
}

int testbed_node_configure(struct testbed *tb, enum node_id id, struct error *err)
{
	struct testbed_node *node = &tb->node[id];
	bool routed = tb->scenario->path.kind == PATH_ROUTED;
	int rc;

	if (id == NODE_ROUTER) {
		for (enum node_id n = 0; routed && n < tb->scenario->n_hosts; n++)
			route_put_address(node->rtnl, tb->port[n].ifindex, &tb->port[n].address);
	} else {
		route_put_address(node->rtnl, node->ifindex, &node->address);
		if (routed)
			put_default_route(tb, id);
	}
	rc = nl_commit(node->rtnl, err);
	return rc < 0 ? error_prefix(err, rc, "node '%s'", scenario_node_name(tb->scenario, id))
		      : 0;
}

uint32_t testbed_table(enum node_id from)
{
	return FIRST_TABLE + from;
}

static int set_firewall(struct testbed *tb, struct error *err)
{
	const struct scenario_path *path = &tb->scenario->path;
	struct firewall firewall = {
		.untracked = path->untracked,
		.masquerade = path->masquerade ? tb->port[NODE_SERVER].name : NULL,
	};

	if (!scenario_tracks(tb->scenario))
		return 0;
	return firewall_set(tb->node[NODE_ROUTER].ns, &firewall, err);
}

static int configure_router(struct testbed *tb, struct error *err)
{
	struct testbed_node *router = &tb->node[NODE_ROUTER];
	int family = tb->node[NODE_CLIENT].address.family, rc;

	if (tb->scenario->path.kind != PATH_ROUTED)
		return 0;
	rc = testbed_host_forward(router, tb->family, err);
	if (rc < 0)
		return rc;
	for (enum node_id n = 0; n < tb->scenario->n_hosts; n++)
		route_put_rule(router->rtnl, family, tb->port[n].name, testbed_table(n),
			       RULE_PRIORITY);
	return testbed_node_configure(tb, NODE_ROUTER, err);
}

/* Waits until the node's interface and address are ready. A packet that is sent before is lost
 * without an error. */
static int wait_ready(struct testbed *tb, enum node_id id, struct error *err)
{
	struct testbed_node *node = &tb->node[id];
	int rc = link_wait(node->rtnl, TESTBED_INTERFACE, TESTBED_READY_LIMIT, err);

	if (rc >= 0)
		rc = route_wait_address(node->rtnl, &node->address, TESTBED_READY_LIMIT, err);
	if (rc >= 0 && has_router(tb))
		rc = link_wait(tb->node[NODE_ROUTER].rtnl, tb->port[id].name, TESTBED_READY_LIMIT,
			       err);
	if (rc >= 0 && tb->scenario->path.kind == PATH_ROUTED)
		rc = route_wait_address(tb->node[NODE_ROUTER].rtnl, &tb->port[id].address,
					TESTBED_READY_LIMIT, err);
	return rc < 0 ? error_prefix(err, rc, "node '%s'", scenario_node_name(tb->scenario, id))
		      : 0;
}

static int set_netem(struct testbed *tb, struct error *err)
{
	if (!tb->scenario->path.has_netem)
		return 0;
	for (enum node_id n = 0; n < tb->scenario->n_hosts; n++) {
		struct testbed_place place = testbed_egress(tb, testbed_peer(n), n);
		int rc = qdisc_netem_set(tb->node[place.node].rtnl, place.ifindex,
					 &tb->scenario->path.netem, err);

		if (rc < 0)
			return error_prefix(err, rc, "path");
	}
	return 0;
}

static int bring_up(struct testbed *tb, enum node_id id, struct error *err)
{
	link_put_up(tb->node[id].rtnl, TESTBED_INTERFACE, true);
	return testbed_node_configure(tb, id, err);
}

static int build(struct testbed *tb, struct error *err)
{
	int rc = plan(tb, err);

	for (enum node_id n = 0; rc >= 0 && n < _NODE_MAX; n++)
		if (scenario_has_node(tb->scenario, n))
			rc = open_node(tb, n, err);
	if (rc >= 0)
		rc = put_cables(tb, err);
	if (rc >= 0)
		rc = configure_router(tb, err);
	for (enum node_id n = 0; rc >= 0 && n < tb->scenario->n_hosts; n++)
		rc = bring_up(tb, n, err);
	return rc;
}

int testbed_raise(const struct scenario *scenario, enum family family, struct testbed **ret_testbed,
		  struct error *err)
{
	_cleanup_(testbed_freep) struct testbed *tb = calloc(1, sizeof(*tb));
	int rc;

	if (!tb)
		return error_errno(err, -ENOMEM, "testbed");
	tb->scenario = scenario;
	tb->family = family;
	rc = build(tb, err);
	if (rc < 0)
		return rc;
	*ret_testbed = take_ptr(tb);
	return 0;
}

int testbed_furnish(struct testbed *tb, struct error *err)
{
	int rc = set_firewall(tb, err);

	for (enum node_id n = 0; rc >= 0 && n < _NODE_MAX; n++)
		if (tb->node[n].ns)
			rc = set_sysctls(tb, n, err);
	for (enum node_id n = 0; rc >= 0 && n < tb->scenario->n_hosts; n++)
		rc = wait_ready(tb, n, err);
	if (rc >= 0)
		rc = takeover_prepare(tb, err);
	return rc < 0 ? rc : set_netem(tb, err);
}

int testbed_new(const struct scenario *scenario, enum family family, struct testbed **ret_testbed,
		struct error *err)
{
	_cleanup_(testbed_freep) struct testbed *tb = NULL;
	int rc = testbed_raise(scenario, family, &tb, err);

	if (rc >= 0)
		rc = testbed_furnish(tb, err);
	if (rc < 0)
		return rc;
	*ret_testbed = take_ptr(tb);
	return 0;
}

struct testbed *testbed_free(struct testbed *tb)
{
	if (!tb)
		return NULL;
	for (enum node_id n = 0; n < _NODE_MAX; n++) {
		testbed_host_close(&tb->node[n]);
		tb->node[n].grave = netns_free(tb->node[n].grave);
	}
	testbed_host_close(&tb->spare);
	free(tb);
	return NULL;
}

struct ip testbed_subnet(const struct ip *address)
{
	struct ip subnet = *address;
	uint8_t *bytes = (uint8_t *)&subnet.v6;

	for (unsigned int i = address->prefix / 8; i < (address->family == AF_INET ? 4 : 16); i++)
		bytes[i] = 0;
	return subnet;
}

static void put_silence(struct testbed *tb, enum node_id from, enum node_id to, bool silent)
{
	struct route route = { .type = ROUTE_BLACKHOLE,
			       .destination = testbed_subnet(&tb->node[to].address),
			       .metric = SILENCE_METRIC,
			       .table = testbed_table(from) };

	if (silent)
		route_put(tb->node[NODE_ROUTER].rtnl, &route);
	else
		route_put_delete(tb->node[NODE_ROUTER].rtnl, &route);
}

/* Between two hosts there is silence as long as one of them has no power. */
static void put_silences(struct testbed *tb, enum node_id id, bool silent)
{
	for (enum node_id n = 0; n < tb->scenario->n_hosts; n++) {
		if (n == id || tb->node[n].silent)
			continue;
		put_silence(tb, n, id, silent);
		put_silence(tb, id, n, silent);
	}
}

/*
 * On a routed path the router gets a blackhole route to and from each host, which tells nobody. On
 * a switched path the router's port to the node goes down. On a direct path the node's own end of
 * the cable goes down, so that the survivor loses its carrier, as it would when the power goes.
 */
static int set_silence(struct testbed *tb, enum node_id id, bool silent, struct error *err)
{
	struct testbed_node *router = &tb->node[NODE_ROUTER];

	if (!has_router(tb)) {
		link_put_up(tb->node[id].rtnl, TESTBED_INTERFACE, !silent);
		return nl_commit(tb->node[id].rtnl, err);
	}
	if (tb->scenario->path.kind == PATH_SWITCHED)
		link_put_up(router->rtnl, tb->port[id].name, !silent);
	else
		put_silences(tb, id, silent);
	tb->node[id].silent = silent;
	return nl_commit(router->rtnl, err);
}

int testbed_silence(struct testbed *tb, enum node_id id, struct error *err)
{
	return set_silence(tb, id, true, err);
}

void testbed_node_bury(struct testbed *tb, enum node_id id)
{
	struct testbed_node *node = &tb->node[id];

	netns_free(node->grave); /* An earlier power loss may have left one. */
	node->grave = take_ptr(node->ns);
	testbed_host_close(node);
}

static int take_cable_back(struct testbed_node *node, struct testbed_change change,
			   struct error *err)
{
	_cleanup_(nl_freep) struct nl *nl = NULL;
	int rc = nl_new(node->grave, NETLINK_ROUTE, &nl, err);

	if (rc < 0)
		return rc;
	link_put_netns(nl, TESTBED_INTERFACE, node->ns);
	rc = nl_commit(nl, err);
	if (rc < 0)
		return rc;
	if (change.address)
		node->address = node->elsewhere;
	if (!change.mac)
		return 0;
	node->mac.byte[3] = (uint8_t)node->boots;
	link_put_mac(node->rtnl, TESTBED_INTERFACE, &node->mac);
	return nl_commit(node->rtnl, err);
}

int testbed_node_restore(struct testbed *tb, enum node_id id, struct testbed_change change,
			 struct error *err)
{
	struct testbed_node *node = &tb->node[id];
	int rc = open_node(tb, id, err);

	if (rc >= 0)
		rc = take_cable_back(node, change, err);
	if (rc >= 0)
		rc = bring_up(tb, id, err);
	if (rc >= 0)
		rc = set_sysctls(tb, id, err);
	if (rc >= 0 && tb->scenario->path.kind == PATH_ROUTED)
		rc = wait_ready(tb, id, err);
	return rc < 0 ? rc : set_silence(tb, id, false, err);
}

/* Returns the router's port to the node `at_router`, or on a direct path the interface of the node
 * `at_end`. */
static struct testbed_place place(const struct testbed *tb, enum node_id at_router,
				  enum node_id at_end)
{
	const struct testbed_plan_end *port = &tb->port[at_router];

	if (!has_router(tb))
		return (struct testbed_place){ at_end, TESTBED_INTERFACE,
					       tb->node[at_end].ifindex };
	return (struct testbed_place){ NODE_ROUTER, port->name, port->ifindex };
}

struct testbed_place testbed_ingress(const struct testbed *tb, enum node_id from, enum node_id to)
{
	return place(tb, from, to);
}

struct testbed_place testbed_egress(const struct testbed *tb, enum node_id from, enum node_id to)
{
	return place(tb, to, from);
}

int testbed_packetfilter(struct testbed *tb, enum node_id id, struct packetfilter **ret_pf,
			 struct error *err)
{
	struct testbed_node *node = &tb->node[id];
	int rc = 0;

	if (!node->pf)
		rc = packetfilter_new(node->ns, &node->pf, err);
	if (rc < 0)
		return rc;
	*ret_pf = node->pf;
	return 0;
}
