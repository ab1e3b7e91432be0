/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the files of the testbed share. Nobody else includes it. */

#include "src/testbed/testbed.h"

#define TESTBED_READY_LIMIT (5 * NSEC_PER_SEC)

/* testbed.c: the two halves of testbed_new(). What is built first depends on nothing of the
 * scenario but the kind and the MTU of its path; what is the scenario's own comes second. */
int testbed_raise(const struct scenario *scenario, enum family family, struct testbed **ret_testbed,
		  struct error *err);
int testbed_furnish(struct testbed *testbed, struct error *err);

/* testbed.c: a namespace for a host, with its netlink sockets, for the family of the testbed. */
int testbed_host_open(struct testbed *testbed, struct testbed_node *node, struct error *err);

/* takeover.c: builds the spare host where the scenario has a use for it. */
int testbed_spare_new(struct testbed *testbed, struct error *err);
