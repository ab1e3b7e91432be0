/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A scenario's live network: the hosts and the router between them, as
 * unnamed namespaces joined by veth pairs. Theory of operation: no fault ever
 * deletes a veth pair, since the surviving end would see its interface vanish,
 * which no power loss does. A node that loses power is silenced, its processes are
 * killed, and its namespace is buried with nothing alive in it; a reboot moves the
 * cable's end from there to a new namespace. The buried namespace goes with the
 * testbed, since taking a namespace away makes the kernel hold a lock that every
 * other trial needs (RTNL) for many milliseconds. Addresses and hardware addresses
 * are fixed, so that a node comes back as it was, or with another hardware or IP
 * address if the scenario asks for that. So a route that cuts a path has to cut the
 * whole subnet of a node.
 */

#include "src/scenario/scenario.h"
#include "src/testbed/host.h"
#include "src/testbed/plan.h"

/* On a routed path the router looks up what comes from a host in this table before its main one. A
 * blackhole route there stops that and nothing else: the router's own ICMP errors still find their
 * way. */
uint32_t testbed_table(enum node_id from);

struct testbed {
	const struct scenario *scenario; /* not owned; outlives the testbed */
	enum family family;
	struct testbed_node node[_NODE_MAX];
	/* The router's end of the cable to each endpoint; unused on a direct path. Its address, on
	 * a routed path, is the endpoint's gateway. */
	struct testbed_plan_end port[SCENARIO_HOSTS_MAX];
	struct testbed_node spare; /* for take-over: on the server's link, without an address */
};

/* The two halves of testbed_new(). The first depends on nothing of the scenario but the kind and
 * the MTU of its path, so that it can be done in advance. The second does all that the scenario
 * asks for beyond that. */
int testbed_raise(const struct scenario *scenario, enum family family, struct testbed **ret_testbed,
		  struct error *err);
int testbed_furnish(struct testbed *testbed, struct error *err);
/* Builds everything and sets every sysctl of the scenario. Takes some milliseconds. */
int testbed_new(const struct scenario *scenario, enum family family, struct testbed **ret_testbed,
		struct error *err);
struct testbed *testbed_free(struct testbed *testbed);
DEFINE_CLEANUP(struct testbed *, testbed_free)

/* Lets nothing in or out of an endpoint any more, at once, without telling either end. This is the
 * first step of a power loss. */
int testbed_silence(struct testbed *testbed, enum node_id node, struct error *err);
/* Gives up a silenced endpoint whose processes and watches are gone. */
void testbed_node_bury(struct testbed *testbed, enum node_id node);
/* Builds it again, with the scenario's sysctls, and ends the silence. */
struct testbed_change {
	bool mac, address; /* which of the two is another one than before */
};
int testbed_node_restore(struct testbed *testbed, enum node_id node, struct testbed_change change,
			 struct error *err);

/* Puts back whatever addresses and routes the node should have and has lost. */
int testbed_node_configure(struct testbed *testbed, enum node_id node, struct error *err);

/* The interface by which packets from one host to another enter (ingress) or leave (egress) the
 * node where the path can be cut: that is the router. On a direct path packets can be cut where
 * they enter the receiver, or where they leave the sender. */
struct testbed_place {
	enum node_id node;
	const char *interface; /* its name; lives as long as the testbed */
	int ifindex;
};
struct testbed_place testbed_ingress(const struct testbed *testbed, enum node_id from,
				     enum node_id to);
struct testbed_place testbed_egress(const struct testbed *testbed, enum node_id from,
				    enum node_id to);

/* Returns the packet filter of a node, which is made when it is first needed and stays owned by the
 * testbed. */
int testbed_packetfilter(struct testbed *testbed, enum node_id node, struct packetfilter **ret_pf,
			 struct error *err);

/* Returns the subnet of an address, with the same prefix length. */
struct ip testbed_subnet(const struct ip *address);

static inline enum node_id testbed_peer(enum node_id node)
{
	return node == NODE_CLIENT ? NODE_SERVER : NODE_CLIENT;
}
