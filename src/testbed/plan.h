/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which interface of a testbed has which name and address. Pure: the testbed is
 * built from it, `show` and `shell` draw it.
 */

#include "netns/link.h"
#include "netns/route.h"
#include "src/scenario/scenario.h"

#define TESTBED_INTERFACE "eth0"     /* of client and server */
#define TESTBED_BRIDGE	  "br0"	     /* of the router on a switched path */
#define TESTBED_SPARE	  "to-spare" /* the router's port to the spare host */

/* One end of a cable. */
struct testbed_plan_end {
	const char *interface; /* NULL: there is no such end */
	int ifindex;	       /* another at each end of a cable, see link_put_veth() */
	struct link_mac mac;
	struct ip address; /* family 0: it has none */
};

struct testbed_plan {
	struct testbed_plan_end node[_ENDPOINT_MAX];
	struct testbed_plan_end port[_ENDPOINT_MAX]; /* the router's end of the cable to each */
	struct ip elsewhere[_ENDPOINT_MAX]; /* a host that comes back under another address has this
					     */
};

int testbed_plan(enum path_kind kind, enum family family, struct testbed_plan *ret_plan,
		 struct error *err);
