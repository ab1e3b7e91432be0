/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/study/sweep.h"

#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/util/array.h"
#include "src/util/interrupt.h"
#include "src/util/processors.h"

/* The most trials in one guest. Guests are always made for this number, even if they get fewer
 * trials: a guest of another size starts from another snapshot, whose ticks lie elsewhere on its
 * clock, and measured times differ by up to a tick. */
#define AT_ONCE_GUEST 100
#define MAX_TOLD      5	    /* at most so many different problems are told */
#define AT_ONCE_HOST  10000 /* trials in a job; the engine decides how many of them run at once */

struct state {
	const struct sweep *sweep;
	struct sweep_counts counts;
	const struct study_trial **todo; /* trials to run, by kernel, the longest first; owned */
	size_t n_todo;
	nsec_t work_done_nsec, work_total_nsec, started_nsec;
	const struct study_trial *const *job; /* trials of the running job, in `todo` */
	struct scenario *
		*scenarios; /* one for each cell; NULL: the cell is not in the running job; owned */
	bool stop;
	struct error failure; /* the error of the store that ended the sweep */
	struct error *worst;
	char told[MAX_TOLD][160]; /* the beginnings of the problems that were told */
	size_t n_told;
};

/* Returns the name that the engine takes: it calls the newest kernel NULL. */
static const char *engine_kernel_name(const struct sweep *sweep, unsigned int kernel)
{
	const char *name = sweep->plan->kernels[kernel];

	return strcmp(name, "newest") != 0 ? name : NULL;
}

int sweep_find_kernels(const struct sweep *sweep, char ***ret_releases, struct error *err)
{
	_cleanup_(strings_freep) char **releases =
		calloc(sweep->plan->n_kernels + 1, sizeof(*releases));
	int rc = releases ? 0 : error_errno(err, -ENOMEM, "sweep");

	for (unsigned int i = 0; rc >= 0 && i < sweep->plan->n_kernels; i++) {
		if (!strcmp(sweep->plan->kernels[i], STUDY_ALL))
			return error_set(err, ERROR_CAPABILITY, -ENOENT,
					 "no kernel at hand: run `deadpeer kernels fetch 6.1`, or "
					 "add one by `deadpeer kernels add`");
		rc = sweep->plan->options.engine->release(engine_kernel_name(sweep, i),
							  sweep->kernel_modules, &releases[i], err);
	}
	if (rc >= 0)
		*ret_releases = take_ptr(releases);
	return rc;
}

static nsec_t work_of(const struct state *state, const struct study_trial *trial)
{
	const struct study_plan *plan = state->sweep->plan;

	return study_plan_work(plan, trial, plan->options.engine);
}

/* Collects the trials that the store does not have, kernel by kernel. For each kernel they keep the
 * order of the shard, which is the longest first. */
static int find_todo(struct state *state, struct error *err)
{
	const struct sweep *sweep = state->sweep;
	_cleanup_(freep) uint64_t *done = NULL;
	size_t n_done, without = 0;
	int has, rc = store_done(sweep->store, &done, &n_done, err);

	if (rc < 0)
		return rc;
	state->todo = calloc(sweep->n_trials + 1, sizeof(*state->todo));
	state->scenarios = calloc(sweep->plan->n_cells + 1, sizeof(*state->scenarios));
	if (!state->todo || !state->scenarios)
		return error_errno(err, -ENOMEM, "sweep");
	for (unsigned int k = 0; k < sweep->plan->n_kernels; k++)
		for (size_t i = 0; i < sweep->n_trials; i++) {
			const struct study_trial *trial = sweep->trials[i];

			if (trial->kernel != k || store_is_done(done, n_done, trial->id))
				continue;
			/* Only what is inconclusive is tried again, and not what has no record. */
			has = sweep->tries > 1 ? store_has(sweep->store, trial->id, err) : 1;
			if (has < 0)
				return has;
			if (!has) {
				without++;
				continue;
			}
			state->todo[state->n_todo++] = trial;
			state->work_total_nsec += work_of(state, trial);
		}
	state->counts.total = sweep->n_trials;
	state->counts.done = sweep->n_trials - state->n_todo - without;
	return store_failed(sweep->store, &state->counts.failed, err);
}

static void describe(const struct state *state, const struct study_trial *trial, const char **axes,
		     const char **places, struct store_trial *ret)
{
	const struct study_plan *plan = state->sweep->plan;
	size_t n = plan->study->n_axes;

	for (size_t i = 0; i < n; i++) {
		axes[i] = plan->study->axes[i].name;
		places[i] = study_plan_value(plan, trial->cell, i)->name;
	}
	axes[n] = places[n] = NULL;
	*ret = (struct store_trial){
		.identity = { .cell = plan->cells[trial->cell].key, .trial = trial->id },
		.position = (size_t)(trial - plan->trials) + 1,
		.kernel = plan->kernels[trial->kernel],
		.axes = axes,
		.places = places,
	};
}

static void update_time(struct state *state)
{
	struct sweep_counts *counts = &state->counts;
	double left = (double)(state->work_total_nsec - state->work_done_nsec);

	counts->elapsed_nsec = nsec_now() - state->started_nsec;
	counts->left_nsec = NSEC_NEVER;
	if (state->work_done_nsec)
		counts->left_nsec = (nsec_t)((double)counts->elapsed_nsec * left /
					     (double)state->work_done_nsec);
}

/* Returns whether this problem has not been told yet. Problems count as the same if they begin
 * alike, because one reason may stop a thousand trials with another number in each text. */
static bool is_news(struct state *state, const struct error *err)
{
	for (size_t i = 0; i < state->n_told; i++)
		if (!strncmp(state->told[i], err->text, sizeof(state->told[i]) / 2))
			return false;
	if (state->n_told == MAX_TOLD)
		return false;
	snprintf(state->told[state->n_told++], sizeof(state->told[0]), "%.159s", err->text);
	return true;
}

static void note_problem(struct state *state, const struct error *err)
{
	state->counts.problems++;
	if (is_news(state, err))
		state->sweep->problem(err, state->sweep->userdata);
	if (state->worst->kind == ERROR_NONE || err->kind == ERROR_INPUT)
		*state->worst = *err;
}

static void take_result(struct state *state, size_t index, const struct record *record,
			const struct error *err)
{
	const char *axes[STUDY_MAX_AXES + 1], *places[STUDY_MAX_AXES + 1];
	struct store_trial trial;

	if (state->stop)
		return;
	describe(state, state->job[index], axes, places, &trial);
	if (store_add(state->sweep->store, &trial, record, err, &state->failure) < 0) {
		state->stop = true;
		return;
	}
	state->work_done_nsec += work_of(state, state->job[index]);
	if (!record) {
		note_problem(state, err);
		return;
	}
	state->counts.done++;
	state->counts.finished++;
	state->counts.failed += record_verdict(record) == VERDICT_FAIL;
	state->counts.inconclusive += record_verdict(record) == VERDICT_INCONCLUSIVE;
	state->counts.span_nsec += record->span_nsec != NSEC_NONE ? record->span_nsec : 0;
}

static void on_done(size_t index, struct record *record, const struct error *err, void *userdata)
{
	const struct state *state = userdata;

	if (record && state->sweep->tries > 1)
		record->tries = state->sweep->tries;
	take_result(userdata, index, record, err);
	record_free(record);
}

static void on_progress(const char *text, nsec_t at_most_nsec, size_t done, size_t total,
			void *userdata)
{
	struct state *state = userdata;

	update_time(state);
	state->sweep->progress(&state->counts, state->sweep->userdata);
}

static size_t trials_a_job(const struct sweep *sweep)
{
	if (!sweep->plan->options.engine->virtual_time)
		return AT_ONCE_HOST;
	if (sweep->jobs)
		return sweep->jobs;
	return (size_t)AT_ONCE_GUEST * processors_online();
}

static int run_job(struct state *state, const struct study_trial *const *trials, size_t n,
		   struct error *err)
{
	const struct sweep *sweep = state->sweep;
	const struct study_options *options = &sweep->plan->options;
	_cleanup_(freep) struct engine_trial *list = calloc(n, sizeof(*list));
	struct engine_listener listener = { .done = on_done,
					    .progress = sweep->progress ? on_progress : NULL,
					    .userdata = state };
	struct engine_job job = { .trials = list,
				  .n_trials = n,
				  .jobs = sweep->jobs,
				  .guest_trials = AT_ONCE_GUEST,
				  .seed = options->seed,
				  .no_snapshot = sweep->no_snapshot,
				  .derived_only = sweep->derived_only,
				  .kernel_name = engine_kernel_name(sweep, trials[0]->kernel),
				  .kernel_modules = sweep->kernel_modules,
				  .stop = &state->stop };
	size_t finished = state->counts.finished;
	int rc = list ? 0 : error_errno(err, -ENOMEM, "sweep");

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		struct scenario **scenario = &state->scenarios[trials[i]->cell];

		if (!*scenario)
			rc = study_plan_scenario(sweep->plan, trials[i]->cell, scenario, err);
		list[i] = (struct engine_trial){ *scenario, trials[i]->family, trials[i]->repeat,
						 trials[i]->phase,
						 sweep->plan->cells[trials[i]->cell].by_chance };
	}
	state->job = trials;
	if (rc >= 0)
		rc = options->engine->run(&job, &listener, err);
	for (size_t i = 0; i < sweep->plan->n_cells; i++)
		state->scenarios[i] = scenario_free(state->scenarios[i]);
	if (state->stop) {
		*err = state->failure;
		return -EIO;
	}
	if (rc >= 0 && n > 1 && state->counts.finished == finished) {
		*err = *state->worst; /* no trial of the job has a record, so the other jobs would
					 have none */
		return -EIO;
	}
	return rc;
}

/* Runs job after job. The trials of a job have the same kernel. */
static int run_jobs(struct state *state, struct error *err)
{
	size_t most = trials_a_job(state->sweep), from = 0;
	int rc = 0;

	while (rc >= 0 && from < state->n_todo) {
		size_t n = 1;

		while (n < most && from + n < state->n_todo &&
		       state->todo[from + n]->kernel == state->todo[from]->kernel)
			n++;
		rc = run_job(state, state->todo + from, n, err);
		from += n;
	}
	return rc;
}

int sweep_run(const struct sweep *sweep, struct sweep_counts *ret_counts, struct error *ret_worst,
	      struct error *err)
{
	struct state state = { .sweep = sweep, .worst = ret_worst, .started_nsec = nsec_now() };
	int rc = interrupt_block(err);

	if (rc >= 0)
		rc = find_todo(&state, err);
	if (rc >= 0)
		rc = run_jobs(&state, err);
	update_time(&state);
	*ret_counts = state.counts;
	free(state.todo);
	free(state.scenarios);
	return rc;
}
