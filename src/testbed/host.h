/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One machine of a testbed: a network namespace with its netlink sockets, from the
 * moment at which it gets power to the moment at which it loses it.
 */

#include "netns/link.h"
#include "netns/netns.h"
#include "netns/nl.h"
#include "netns/packetfilter.h"
#include "src/scenario/scenario.h"
#include "src/util/ip.h"

/* How long an interface or an address may take until it can be used. */
#define TESTBED_READY_LIMIT (5 * NSEC_PER_SEC)

struct testbed_node {
	struct netns *ns;	 /* owned; NULL while the node is without power */
	struct nl *rtnl;	 /* NETLINK_ROUTE in ns; owned */
	struct nl *diag;	 /* NETLINK_SOCK_DIAG in ns; owned; NULL on the router */
	struct packetfilter *pf; /* owned; made when it is first needed */
	struct netns *grave;	 /* the namespace that lost power, owned; the cable's end is in it
				  * while ns is NULL */
	int ifindex;		 /* of TESTBED_INTERFACE; 0 on the router */
	struct link_mac mac;	 /* of TESTBED_INTERFACE */
	struct ip address;	 /* with its prefix length; not set on the router */
	struct ip elsewhere;	 /* its address after a reboot that changes it; likewise */
	bool silent;		 /* nothing gets in or out: it has lost power */
	unsigned int boots;	 /* how often it has been started, from 1 */
};

/* Makes the namespace, switches off the family that is not used, so that captures show the trial
 * and nothing else, and brings up its loopback with the next nl_commit() of node->rtnl. An
 * `endpoint` also gets a socket for sock_diag. */
int testbed_host_open(struct testbed_node *node, enum family family, bool endpoint,
		      struct error *err);
/* Has the router forward packets of that family. */
int testbed_host_forward(const struct testbed_node *node, enum family family, struct error *err);
/* Lets go of everything but the grave. The host's processes must be gone: its connections are
 * aborted so that orphans stop retransmitting and do not keep the namespace alive. */
void testbed_host_close(struct testbed_node *node);
