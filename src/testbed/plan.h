/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which interface of a testbed has which name and address. It is plain data: the
 * testbed is built from it, and `show` and `shell` draw it.
 */

#include "netns/link.h"
#include "netns/route.h"
#include "src/scenario/scenario.h"

#define TESTBED_INTERFACE      "eth0"	  /* of every host */
#define TESTBED_BRIDGE	       "br0"	  /* of the router on a switched path */
#define TESTBED_BRIDGE_IFINDEX 301	  /* its interface index */
#define TESTBED_SPARE	       "to-spare" /* the router's port to the spare host */

/* One end of a cable. */
struct testbed_plan_end {
	char name[16];	     /* of the interface; empty: there is no such end */
	int ifindex;	     /* differs between the ends of a cable, see link_put_veth() */
	struct link_mac mac; /* fixed, so that a host comes back as it was */
	struct ip address;   /* with its prefix length; family 0: it has none */
};

struct testbed_plan {
	struct testbed_plan_end node[SCENARIO_HOSTS_MAX];
	struct testbed_plan_end
		port[SCENARIO_HOSTS_MAX]; /* the router's end of the cable to each */
	struct ip
		elsewhere[SCENARIO_HOSTS_MAX]; /* of a host that comes back under another address */
};

int testbed_plan(const struct scenario *scenario, enum family family, struct testbed_plan *ret_plan,
		 struct error *err);
