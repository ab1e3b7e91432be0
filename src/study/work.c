/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Estimates the work of a study's trials, and shares them out. In real time the work of a trial
 * is its span, and many trials run at once. In virtual time it is the time that a processor
 * needs for the set-up, for what wakes the guest, and for the packets. These times were measured
 * on one machine; their ratios matter more than their size, because shards have to be balanced.
 */
#include <stdlib.h>

#include "src/model/estimate.h"
#include "src/study/plan.h"
#include "src/util/processors.h"

#define HOST_SETUP   (50 * NSEC_PER_MSEC)
#define HOST_AT_ONCE 256 /* so many trials run at once, as in the runner */

nsec_t study_plan_work(const struct study_plan *plan, const struct study_trial *trial,
		       const struct engine *engine)
{
	const struct study_cell *cell = &plan->cells[trial->cell];
	const struct study_load *load = &cell->load[trial->family];

	if (!engine->virtual_time)
		return HOST_SETUP + load->span_nsec;
	return estimate_guest_work(load->span_nsec, load->packets, cell->programs) +
	       (cell->by_chance ? ESTIMATE_GUEST_START : 0);
}

nsec_t study_plan_time(const struct study_plan *plan, const struct study_trial *const *trials,
		       size_t n, const struct engine *engine, unsigned int jobs)
{
	nsec_t sum_nsec = 0, longest_nsec = 0;
	int64_t at_once = jobs ? jobs : HOST_AT_ONCE;

	if (engine->virtual_time)
		at_once = processors_online();
	for (size_t i = 0; i < n; i++) {
		nsec_t work_nsec = study_plan_work(plan, trials[i], engine);

		if (__builtin_add_overflow(sum_nsec, work_nsec, &sum_nsec))
			return NSEC_NEVER;
		longest_nsec = nsec_max(longest_nsec, work_nsec);
	}
	if (engine->virtual_time)
		sum_nsec += ESTIMATE_GUEST_START * at_once * (int64_t)plan->n_kernels;
	return nsec_max(sum_nsec / at_once, longest_nsec);
}

/* A trial with its work. They are sorted by work, the longest first, and by identity where it is
 * equal. */
struct item {
	const struct study_trial *trial;
	nsec_t work_nsec;
};

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->work_nsec != y->work_nsec)
		return (x->work_nsec < y->work_nsec) - (x->work_nsec > y->work_nsec);
	return (x->trial->id > y->trial->id) - (x->trial->id < y->trial->id);
}

/* Gives each trial to the shard with the least work so far. This is Graham's rule: the longest
 * shard is at most a third longer than in the best possible split. */
const struct study_trial **study_plan_shard(const struct study_plan *plan, unsigned int k,
					    unsigned int n, size_t *ret_count)
{
	_cleanup_(freep) struct item *items = calloc(plan->n_trials + 1, sizeof(*items));
	_cleanup_(freep) nsec_t *load_nsec = calloc(n, sizeof(*load_nsec));
	const struct study_trial **mine = calloc(plan->n_trials + 1, sizeof(*mine));

	*ret_count = 0;
	if (!items || !load_nsec || !mine) {
		free(mine);
		return NULL;
	}
	for (size_t i = 0; i < plan->n_trials; i++)
		items[i] = (struct item){ &plan->trials[i], study_plan_work(plan, &plan->trials[i],
									    plan->options.engine) };
	qsort(items, plan->n_trials, sizeof(*items), compare_items);
	for (size_t i = 0; i < plan->n_trials; i++) {
		unsigned int least = 0;

		for (unsigned int s = 1; s < n; s++)
			if (load_nsec[s] < load_nsec[least])
				least = s;
		load_nsec[least] += items[i].work_nsec;
		if (least + 1 == k)
			mine[(*ret_count)++] = items[i].trial;
	}
	return mine;
}
