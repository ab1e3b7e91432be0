/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/pool.h"

#include <errno.h>
#include <stdlib.h>

#include "src/testbed/testbed.h"
#include "src/util/array.h"

struct item {
	struct testbed *testbed;
	struct agent *agent[TESTBED_POOL_HOSTS];
};

/* What a testbed is built for before a trial takes it. */
static const struct scenario plain = { .n_hosts = TESTBED_POOL_HOSTS, .path.kind = PATH_ROUTED };

struct testbed_pool {
	struct item *items[_FAMILY_MAX];
	size_t n[_FAMILY_MAX];
};

static void item_deinit(struct item *item)
{
	for (enum node_id id = 0; id < TESTBED_POOL_HOSTS; id++)
		agent_free(item->agent[id]);
	testbed_free(item->testbed);
}

static int item_init(struct item *item, enum family family, struct error *err)
{
	int rc;

	*item = (struct item){ 0 };
	rc = testbed_raise(&plain, family, &item->testbed, err);
	for (enum node_id id = 0; rc >= 0 && id < TESTBED_POOL_HOSTS; id++)
		rc = agent_stand_by(item->testbed->node[id].ns, &item->agent[id], err);
	if (rc < 0)
		item_deinit(item);
	return rc;
}

int testbed_pool_fill(struct testbed_pool **pool, size_t n, enum family family, struct error *err)
{
	struct testbed_pool *p = *pool ? *pool : calloc(1, sizeof(*p));
	int rc = 0;

	if (!p)
		return error_errno(err, -ENOMEM, "testbeds");
	*pool = p;
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		struct item *item = array_append(&p->items[family], &p->n[family], sizeof(*item));

		if (!item)
			return error_errno(err, -ENOMEM, "testbeds");
		rc = item_init(item, family, err);
		if (rc < 0)
			p->n[family]--;
	}
	return rc;
}

struct testbed_pool *testbed_pool_free(struct testbed_pool *pool)
{
	if (!pool)
		return NULL;
	for (enum family f = 0; f < _FAMILY_MAX; f++) {
		for (size_t i = 0; i < pool->n[f]; i++)
			item_deinit(&pool->items[f][i]);
		free(pool->items[f]);
	}
	free(pool);
	return NULL;
}

static bool fits(const struct testbed_pool *pool, const struct scenario *scenario,
		 enum family family)
{
	return pool && pool->n[family] && scenario->path.kind == plain.path.kind &&
	       scenario->n_hosts == plain.n_hosts && scenario->path.mtu == plain.path.mtu;
}

int testbed_pool_take(struct testbed_pool *pool, const struct scenario *scenario,
		      enum family family, struct testbed **ret_testbed,
		      struct agent *ret_agents[static TESTBED_POOL_HOSTS], struct error *err)
{
	struct item item;
	int rc;

	for (enum node_id id = 0; id < TESTBED_POOL_HOSTS; id++)
		ret_agents[id] = NULL;
	if (!fits(pool, scenario, family))
		return testbed_new(scenario, family, ret_testbed, err);
	item = pool->items[family][--pool->n[family]];
	item.testbed->scenario = scenario;
	rc = testbed_furnish(item.testbed, err);
	if (rc < 0) {
		item_deinit(&item);
		return rc;
	}
	*ret_testbed = item.testbed;
	for (enum node_id id = 0; id < TESTBED_POOL_HOSTS; id++)
		ret_agents[id] = item.agent[id];
	return 0;
}
