/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Testbeds built in advance, of the kind that nearly every scenario wants: a routed path with the
 * kernel's default MTU, and no sysctl but what the testbed itself needs; and in each the two
 * processes that are to be its agents. For a trial it makes no difference that its testbed and
 * agents are a little older; none is used twice. Guests that are to run many
 * trials have them in their snapshot (src/engine/guest-main.c).
 */

#include <stddef.h>

#include "src/agent/agent.h"
#include "src/testbed/testbed.h"

/* The pool has testbeds of client and server alone. */
#define TESTBED_POOL_HOSTS (NODE_SERVER + 1)

struct testbed_pool;

/* Builds `n` testbeds for the family, into *pool, which is made if it is NULL. On failure the pool
 * has fewer. */
int testbed_pool_fill(struct testbed_pool **pool, size_t n, enum family family, struct error *err);
struct testbed_pool *testbed_pool_free(struct testbed_pool *pool);

/* As testbed_new(), out of the pool if it has one that fits; `ret_agents` are then what stands by
 * on its end nodes, else NULL. The caller owns them all. `pool` may be NULL. */
int testbed_pool_take(struct testbed_pool *pool, const struct scenario *scenario,
		      enum family family, struct testbed **ret_testbed,
		      struct agent *ret_agents[static TESTBED_POOL_HOSTS], struct error *err);
