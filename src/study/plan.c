/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/study/plan.h"

#include <errno.h>
#include <string.h>

#include "src/model/estimate.h"
#include "src/scenario/internal.h"
#include "src/store/identity.h"
#include "src/util/array.h"

#define MAX_COMBINATIONS 100000000 /* on the axes, before any is excluded */

static void identify(const struct study_plan *plan, struct study_trial *trial)
{
	struct identity identity = identity_of_trial(
		plan->cells[trial->cell].key, plan->options.engine->name,
		plan->kernels[trial->kernel], trial->family, plan->options.seed, trial->repeat);

	trial->id = identity.trial;
	trial->phase = identity.phase;
}

static size_t count_combinations(const struct study *study)
{
	size_t n = 1;

	if (study->paired)
		return study->n_axes ? study->axes[0].n_values : 1;
	for (size_t i = 0; i < study->n_axes; i++)
		if (__builtin_mul_overflow(n, study->axes[i].n_values, &n))
			return SIZE_MAX;
	return n;
}

/* Returns the value of a combination on one axis. Combinations are counted so that the last axis
 * runs fastest. */
static const struct study_value *value_at(const struct study *study, size_t combination,
					  size_t axis)
{
	if (study->paired)
		return &study->axes[axis].values[combination];
	for (size_t i = study->n_axes; --i > axis;)
		combination /= study->axes[i].n_values;
	return &study->axes[axis].values[combination % study->axes[axis].n_values];
}

const struct study_value *study_plan_value(const struct study_plan *plan, size_t cell, size_t axis)
{
	return value_at(plan->study, plan->cells[cell].combination, axis);
}

/* Collects the changes of one combination in the order in which they are applied. The caller frees
 * the array, not its strings. NULL: out of memory. */
static const char **gather(const struct study *study, size_t combination, size_t *ret_count)
{
	size_t n = study->fixed.count;
	const char **set;

	for (size_t i = 0; i < study->n_axes; i++)
		n += value_at(study, combination, i)->changes.count;
	set = calloc(n + 1, sizeof(*set));
	*ret_count = n;
	n = 0;
	for (size_t i = 0; set && i < study->fixed.count; i++)
		set[n++] = study->fixed.items[i].text;
	for (size_t i = 0; set && i < study->n_axes; i++) {
		const struct study_changes *changes = &value_at(study, combination, i)->changes;

		for (size_t k = 0; k < changes->count; k++)
			set[n++] = changes->items[k].text;
	}
	return set;
}

int study_plan_scenario(const struct study_plan *plan, size_t cell, struct scenario **ret_scenario,
			struct error *err)
{
	const struct study_cell *c = &plan->cells[cell];
	const struct study *study = plan->study;
	const struct study_subject *subject = &study->subjects[c->subject];
	struct scenario_request request = { .quick = plan->options.quick,
					    .horizon_nsec = study->horizon_nsec,
					    .measure_only = study->measure_only };
	_cleanup_(freep) const char **set = gather(study, c->combination, &request.n_set);
	char what[512];
	int rc;

	if (!set)
		return error_errno(err, -ENOMEM, "study");
	request.set = set;
	rc = scenario_source_make(subject->source, subject->variant, &request, ret_scenario, err);
	if (rc < 0)
		error_prefix(err, rc, "%s:%d: %s", study->file, subject->line,
			     study_plan_describe(plan, cell, what, sizeof(what)));
	return rc;
}

char *study_plan_describe(const struct study_plan *plan, size_t cell, char *buffer, size_t size)
{
	const struct study_cell *c = &plan->cells[cell];
	const struct study *study = plan->study;
	const struct scenario *sample = study->subjects[c->subject].sample;
	int n = snprintf(buffer, size, "%s%s%s", sample->name, sample->variant ? "/" : "",
			 sample->variant ? sample->variant : "");

	for (size_t i = 0; i < study->n_axes && n >= 0 && (size_t)n < size; i++)
		n += snprintf(buffer + n, size - (size_t)n, "%s%s=%s", i ? ", " : " with ",
			      study->axes[i].name, value_at(study, c->combination, i)->name);
	return buffer;
}

static bool netem_by_chance(const struct netem *netem)
{
	return netem->jitter_nsec || netem->loss > 0 || netem->duplicate > 0 ||
	       netem->corrupt > 0 || netem->reorder > 0;
}

static bool is_by_chance(const struct scenario *s)
{
	bool yes = netem_by_chance(&s->path.netem);

	for (size_t i = 0; i < s->n_events; i++)
		yes |= s->events[i].kind == EVENT_FAULT && s->events[i].fault == FAULT_NETEM &&
		       netem_by_chance(&s->events[i].netem);
	return yes;
}

/* Adds a cell, unless --quick leaves its scenario out. */
static int add_cell(struct study_plan *plan, size_t subject, size_t combination, struct error *err)
{
	_cleanup_(scenario_freep) struct scenario *scenario = NULL;
	struct study_cell *cell = array_append(&plan->cells, &plan->n_cells, sizeof(*plan->cells));
	struct model_facts kernel = model_facts_of(ESTIMATE_HZ, true);
	int rc;

	if (!cell)
		return error_errno(err, -ENOMEM, "study");
	cell->subject = subject;
	cell->combination = combination;
	rc = study_plan_scenario(plan, plan->n_cells - 1, &scenario, err);
	if (rc >= 0 && !scenario)
		plan->n_cells--;
	if (rc < 0 || !scenario)
		return rc;
	cell->key = identity_of_cell(scenario);
	cell->needs = estimate_needs(scenario);
	cell->by_chance = is_by_chance(scenario);
	cell->programs = scenario_has_programs(scenario);
	for (enum family f = 0; f < _FAMILY_MAX; f++) {
		cell->load[f].span_nsec = estimate_span(scenario, f, &kernel);
		cell->load[f].packets = estimate_packets(scenario, cell->load[f].span_nsec);
	}
	return 0;
}

static bool condition_holds(const struct study_plan *plan, const struct study_condition *condition,
			    size_t subject, size_t combination, const struct study_trial *trial)
{
	const struct study *study = plan->study;
	bool scenario = !strcmp(condition->axis, "scenario");

	for (char **word = condition->values; scenario && *word; word++)
		if (study_subject_is(&study->subjects[subject], *word))
			return true;
	if (!strcmp(condition->axis, "family"))
		return strings_have(condition->values, family_name(trial->family));
	if (!strcmp(condition->axis, "kernel"))
		return strings_have(condition->values, plan->kernels[trial->kernel]);
	for (size_t i = 0; i < study->n_axes; i++)
		if (!strcmp(study->axes[i].name, condition->axis))
			return strings_have(condition->values,
					    value_at(study, combination, i)->name);
	return false;
}

static bool is_excluded(const struct study_plan *plan, size_t subject, size_t combination,
			const struct study_trial *trial)
{
	for (size_t i = 0; i < plan->study->n_exclusions; i++) {
		const struct study_exclusion *e = &plan->study->exclusions[i];
		size_t held = 0;

		while (held < e->count &&
		       condition_holds(plan, &e->conditions[held], subject, combination, trial))
			held++;
		if (held == e->count)
			return true;
	}
	return false;
}

static int too_many(const struct study_plan *plan, struct error *err)
{
	return error_input(err,
			   "%s:%d: more than %zu trials; take values away, or give "
			   "--max-trials",
			   plan->study->file, plan->study->axes_line ? plan->study->axes_line : 1,
			   plan->options.max_trials);
}

static int add_repeats(struct study_plan *plan, const struct study_trial *like, struct error *err)
{
	for (unsigned int i = 0; i < plan->study->repeats; i++) {
		struct study_trial *trial;

		if (plan->n_trials == plan->options.max_trials)
			return too_many(plan, err);
		trial = array_append(&plan->trials, &plan->n_trials, sizeof(*trial));
		if (!trial)
			return error_errno(err, -ENOMEM, "study");
		*trial = *like;
		trial->repeat = i;
		identify(plan, trial);
	}
	return 0;
}

/* Adds the trials of a subject at one place on all axes. */
static int add_combination(struct study_plan *plan, size_t subject, size_t combination,
			   struct error *err)
{
	struct study_trial like = { .cell = SIZE_MAX };
	int rc = 0;

	for (like.kernel = 0; rc >= 0 && like.kernel < plan->n_kernels; like.kernel++)
		for (size_t f = 0; rc >= 0 && f < plan->study->n_families; f++) {
			like.family = plan->study->families[f];
			if (is_excluded(plan, subject, combination, &like))
				continue;
			if (like.cell == SIZE_MAX) {
				like.cell = plan->n_cells;
				rc = add_cell(plan, subject, combination, err);
			}
			if (rc >= 0 && like.cell == plan->n_cells)
				return 0; /* --quick leaves it out */
			if (rc >= 0)
				rc = add_repeats(plan, &like, err);
		}
	return rc;
}

static int compare_trials(const void *a, const void *b)
{
	const struct study_trial *const *x = a, *const *y = b;

	return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

/* Refuses two equal trials. They exist if two bundles of settings differ in their names only. */
static int refuse_twins(const struct study_plan *plan, struct error *err)
{
	_cleanup_(freep) const struct study_trial **sorted =
		calloc(plan->n_trials + 1, sizeof(*sorted));
	char a[400], b[400];

	if (!sorted)
		return error_errno(err, -ENOMEM, "study");
	for (size_t i = 0; i < plan->n_trials; i++)
		sorted[i] = &plan->trials[i];
	qsort(sorted, plan->n_trials, sizeof(*sorted), compare_trials);
	for (size_t i = 1; i < plan->n_trials; i++)
		if (sorted[i]->id == sorted[i - 1]->id)
			return error_input(
				err, "%s:%d: '%s' and '%s' are the same trial", plan->study->file,
				plan->study->axes_line,
				study_plan_describe(plan, sorted[i - 1]->cell, a, sizeof(a)),
				study_plan_describe(plan, sorted[i]->cell, b, sizeof(b)));
	return 0;
}

/* Adds each kernel at hand, or, where there is none, the word itself, so that the plan of a study
 * can be looked at. */
static int add_all_kernels(struct study_plan *plan, struct error *err)
{
	_cleanup_(strings_freep) char **names = NULL;
	int rc = plan->options.engine->kernels(&names, err);

	if (rc >= 0 && !names[0] && strings_append(&plan->kernels, &plan->n_kernels, STUDY_ALL) < 0)
		rc = error_errno(err, -ENOMEM, "study");
	for (char **name = names; rc >= 0 && *name; name++)
		if (!strings_have(plan->kernels, *name) &&
		    strings_append(&plan->kernels, &plan->n_kernels, *name) < 0)
			rc = error_errno(err, -ENOMEM, "study");
	return rc;
}

/* Names the plan's kernels. The host engine has one kernel, this machine's. */
static int name_kernels(struct study_plan *plan, struct error *err)
{
	static char newest[] = "newest", host[] = "host";
	char *const only_newest[] = { newest, NULL }, *const only_host[] = { host, NULL };
	char *const *name = !plan->options.engine->virtual_time ? only_host
			    : plan->options.kernels		? plan->options.kernels
			    : plan->study->kernels		? plan->study->kernels
								: only_newest;
	int rc = 0;

	for (; rc >= 0 && *name; name++)
		if (!strcmp(*name, STUDY_ALL))
			rc = add_all_kernels(plan, err);
		else if (strings_append(&plan->kernels, &plan->n_kernels, *name) < 0)
			rc = error_errno(err, -ENOMEM, "study");
	return rc;
}

int study_plan_new(const struct study *study, const struct study_options *options,
		   struct study_plan **ret_plan, struct error *err)
{
	_cleanup_(study_plan_freep) struct study_plan *plan = calloc(1, sizeof(*plan));
	size_t combinations = count_combinations(study);
	int rc;

	if (!plan)
		return error_errno(err, -ENOMEM, "study");
	plan->study = study;
	plan->options = *options;
	rc = name_kernels(plan, err);
	if (rc < 0)
		return rc;
	if (combinations > MAX_COMBINATIONS)
		return error_input(err, "%s:%d: more than %d combinations on the axes", study->file,
				   study->axes_line, MAX_COMBINATIONS);
	if (!study->n_exclusions && combinations > options->max_trials)
		return too_many(plan, err);
	for (size_t i = 0; rc >= 0 && i < study->n_subjects; i++)
		for (size_t k = 0; rc >= 0 && k < combinations; k++)
			rc = add_combination(plan, i, k, err);
	if (rc >= 0 && !plan->n_trials)
		rc = error_input(err, "%s:%d: no trial is left: everything is excluded%s",
				 study->file, study->exclude_line ? study->exclude_line : 1,
				 options->quick ? ", or left out by --quick" : "");
	if (rc >= 0)
		rc = refuse_twins(plan, err);
	if (rc >= 0)
		*ret_plan = take_ptr(plan);
	return rc;
}

struct study_plan *study_plan_free(struct study_plan *plan)
{
	if (!plan)
		return NULL;
	strings_free(plan->kernels);
	free(plan->cells);
	free(plan->trials);
	free(plan);
	return NULL;
}
