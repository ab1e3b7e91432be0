/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/testbed-pool.h"

#include <errno.h>
#include <stdlib.h>

#include "src/testbed-internal.h"

struct testbed_pool {
	struct scenario plain; /* what a testbed is built for as long as it is nobody's */
	struct testbed **items[_FAMILY_MAX];
	size_t n[_FAMILY_MAX];
};

static struct testbed_pool *pool_new(void)
{
	struct testbed_pool *pool = calloc(1, sizeof(*pool));

	if (pool)
		pool->plain.path.kind = PATH_ROUTED;
	return pool;
}

int testbed_pool_fill(struct testbed_pool **pool, size_t n, enum family family, struct error *err)
{
	struct testbed_pool *p = *pool ? *pool : pool_new();
	struct testbed **items;
	int r = 0;

	if (!p)
		return error_errno(err, -ENOMEM, "testbeds");
	*pool = p;
	items = reallocarray(p->items[family], p->n[family] + n, sizeof(struct testbed *));
	if (!items)
		return error_errno(err, -ENOMEM, "testbeds");
	p->items[family] = items;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = testbed_raise(&p->plain, family, &items[p->n[family]], err);
		if (r >= 0)
			p->n[family]++;
	}
	return r;
}

struct testbed_pool *testbed_pool_free(struct testbed_pool *pool)
{
	if (!pool)
		return NULL;
	for (enum family f = 0; f < _FAMILY_MAX; f++) {
		for (size_t i = 0; i < pool->n[f]; i++)
			testbed_free(pool->items[f][i]);
		free(pool->items[f]);
	}
	free(pool);
	return NULL;
}

static bool fits(const struct testbed_pool *pool, const struct scenario *scenario,
		 enum family family)
{
	return pool && pool->n[family] && scenario->path.kind == pool->plain.path.kind &&
	       scenario->path.mtu == pool->plain.path.mtu;
}

int testbed_pool_take(struct testbed_pool *pool, const struct scenario *scenario,
		      enum family family, struct testbed **ret_testbed, struct error *err)
{
	_cleanup_(testbed_freep) struct testbed *tb = NULL;
	int r;

	if (!fits(pool, scenario, family))
		return testbed_new(scenario, family, ret_testbed, err);
	tb = pool->items[family][--pool->n[family]];
	tb->scenario = scenario;
	r = testbed_furnish(tb, err);
	if (r < 0)
		return r;
	*ret_testbed = take_ptr(tb);
	return 0;
}
