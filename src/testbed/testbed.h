/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A scenario's live network: client, server and the router between them, as
 * unnamed namespaces joined by veth pairs. Theory of operation: no fault ever
 * deletes a veth pair, since the surviving end would see its interface vanish,
 * which no power loss does. A node that loses power is silenced, its processes are
 * killed, and its namespace is buried with nothing alive in it: a reboot moves the
 * cable's end to a new one. It goes with the testbed, since taking a namespace away
 * makes the kernel hold a lock that every other trial needs (RTNL) for many
 * milliseconds. Addresses and hardware addresses are fixed, so that a node comes
 * back as it was, or with another hardware or IP address if the scenario asks for that. Routes that
 * cut a path therefore cut its whole subnet.
 */

#include "src/scenario/scenario.h"
#include "src/testbed/host.h"
#include "src/testbed/plan.h"

/* The router's end of the cable to an endpoint; unused on a direct path. */
struct testbed_port {
	const char *name; /* "to-client", "to-server" */
	int ifindex;
	struct link_mac mac;
	struct ip address; /* routed: the endpoint's gateway */
};

/* On a routed path: the router's table for what goes in that direction, before its main one. A
 * route to nowhere there stops that direction and nothing else: the router's own ICMP errors still
 * find their way. */
uint32_t testbed_table(enum direction direction);

struct testbed {
	const struct scenario *scenario; /* outlives the testbed */
	enum family family;
	struct testbed_node node[_NODE_MAX];
	struct testbed_port port[_ENDPOINT_MAX];
	struct testbed_node spare; /* for take-over: on the server's link, without an address */
};

/* The two halves of testbed_new(). What is raised depends on nothing of the scenario but the kind
 * and the MTU of its path, so that it can be done in advance; what is furnished is the scenario's
 * own. */
int testbed_raise(const struct scenario *scenario, enum family family, struct testbed **ret_testbed,
		  struct error *err);
int testbed_furnish(struct testbed *testbed, struct error *err);
/* Builds everything and sets every sysctl of the scenario. Takes some milliseconds. */
int testbed_new(const struct scenario *scenario, enum family family, struct testbed **ret_testbed,
		struct error *err);
struct testbed *testbed_free(struct testbed *testbed);
DEFINE_CLEANUP(struct testbed *, testbed_free)

/* Lets nothing in or out of an endpoint any more, at once and unseen by either end: the first
 * step of a power loss. */
int testbed_silence(struct testbed *testbed, enum node_id node, struct error *err);
/* Gives up a silenced endpoint whose processes and watches are gone. */
void testbed_node_bury(struct testbed *testbed, enum node_id node);
/* Builds it again, with the scenario's sysctls, and ends the silence. */
struct testbed_change {
	bool mac, address; /* what is another than before */
};
int testbed_node_restore(struct testbed *testbed, enum node_id node, struct testbed_change change,
			 struct error *err);

/* Puts back whatever addresses and routes the node should have and has lost. */
int testbed_node_configure(struct testbed *testbed, enum node_id node, struct error *err);

/* The interface that packets of this direction come out of (egress) or go into (ingress) where
 * the path is cut: on the router, or on a direct path at the endpoints. */
struct testbed_place {
	enum node_id node;
	const char *interface;
	int ifindex;
};
struct testbed_place testbed_ingress(const struct testbed *testbed, enum direction direction);
struct testbed_place testbed_egress(const struct testbed *testbed, enum direction direction);

/* The packet filter of a node, made if need be. */
int testbed_packetfilter(struct testbed *testbed, enum node_id node, struct packetfilter **ret_pf,
			 struct error *err);

/* The subnet of an address. */
struct ip testbed_subnet(const struct ip *address);

static inline enum node_id testbed_peer(enum node_id node)
{
	return node == NODE_CLIENT ? NODE_SERVER : NODE_CLIENT;
}
