/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb check: reads files of scenarios and studies and says what is wrong with them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/tell.h"
#include "src/kernel/kernel.h"
#include "src/model/estimate.h"
#include "src/study/plan.h"

struct options {
	bool untrusted;
};

static const struct argument arguments[] = {
	{ "untrusted", 0, NULL, "refuse what would run programs", TO_FLAG(options, untrusted) },
	{ 0 },
};

struct counts {
	size_t scenarios, trials, studies;
};

static void print_counts(const struct counts *counts)
{
	if (counts->scenarios)
		printf("%zu scenario%s, %zu trial%s: ok\n", counts->scenarios,
		       counts->scenarios == 1 ? "" : "s", counts->trials,
		       counts->trials == 1 ? "" : "s");
	if (counts->studies > 1)
		printf("%zu studies: ok\n", counts->studies);
}

/* Prints the factors whose product is the number of trials, each with its name. */
static void print_factors(const struct study *study, const struct study_plan *plan)
{
	printf(" (%zu scenario%s", study->n_subjects, study->n_subjects == 1 ? "" : "s");
	for (size_t i = 0; i < study->n_axes; i++)
		printf(" %s %zu %s", study->paired && i ? "with" : "x", study->axes[i].n_values,
		       study->axes[i].name);
	printf(" x %zu kernel%s x %zu famil%s x %u repeat%s%s)", plan->n_kernels,
	       plan->n_kernels == 1 ? "" : "s", study->n_families,
	       study->n_families == 1 ? "y" : "ies", study->repeats, study->repeats == 1 ? "" : "s",
	       study->n_exclusions ? ", less what is excluded" : "");
}

static int print_plan(const struct study *study, const struct engine *engine, struct error *err)
{
	const struct study_options options = { .engine = engine,
					       .seed = 1,
					       .max_trials = STUDY_MAX_TRIALS };
	_cleanup_(study_plan_freep) struct study_plan *plan = NULL;
	_cleanup_(freep) const struct study_trial **trials = NULL;
	unsigned int needs = 0;
	char text[64];
	size_t n;
	int rc = study_plan_new(study, &options, &plan, err);

	if (rc < 0)
		return rc;
	trials = study_plan_shard(plan, 1, 1, &n);
	if (!trials)
		return error_errno(err, -ENOMEM, "check");
	for (size_t i = 0; i < plan->n_cells; i++)
		needs |= plan->cells[i].needs;
	printf("  %s: %zu trial%s", engine->name, plan->n_trials, plan->n_trials == 1 ? "" : "s");
	print_factors(study, plan);
	printf(", about %s", estimate_format_span(study_plan_time(plan, trials, n, engine, 0), text,
						  sizeof(text)));
	if (needs)
		printf(", needs %s", estimate_format_needs(needs, text, sizeof(text)));
	putchar('\n');
	return 0;
}

/* Names the kernels that have to be fetched first. The file is right without them, too. */
static void print_kernels(const struct study *study)
{
	for (size_t i = 0; i < study->n_kernels; i++) {
		struct kernel kernel = { 0 };
		struct error err = { 0 };

		bool any = !strcmp(study->kernels[i], STUDY_ALL);

		if (kernel_find(any ? NULL : study->kernels[i], NULL, &kernel, &err) >= 0)
			kernel_deinit(&kernel);
		else if (any)
			puts("  not at hand: any kernel (deadpeer kernels available)");
		else
			printf("  not at hand: kernel %s (deadpeer kernels fetch %s)\n",
			       study->kernels[i], study->kernels[i]);
	}
}

/* A scenario is code if it brings programs. */
static int refuse_programs(const struct scenario *s, struct error *err)
{
	for (enum node_id n = 0; n < s->n_hosts; n++)
		if (s->agent[n].n_programs)
			return error_input(err, "%s:%d: runs a program on %s: '%s'", s->file,
					   s->agent[n].programs[0].line, scenario_node_name(s, n),
					   s->agent[n].programs[0].run[0]);
	return 0;
}

/* The same of all that a file may become: with its usual settings, and with its quick ones. */
static int refuse_all(const char *file, struct error *err)
{
	int rc = 0;

	for (int quick = 0; rc >= 0 && quick < 2; quick++) {
		struct scenario_request request = { .what = file, .quick = quick };
		struct scenario_list list = { 0 };

		rc = scenario_load(&request, &list, err);
		for (size_t i = 0; rc >= 0 && i < list.count; i++)
			rc = refuse_programs(list.items[i], err);
		scenario_list_deinit(&list);
	}
	return rc;
}

static int check_study(const char *what, bool untrusted, struct error *err)
{
	_cleanup_(study_freep) struct study *study = NULL;
	int rc = study_load(what, &study, err);

	for (size_t i = 0; rc >= 0 && untrusted && i < study->n_subjects; i++)
		rc = refuse_all(study->subjects[i].sample->file, err);
	if (rc >= 0)
		printf("%s: %s\n", study->name, study->summary);
	for (size_t i = 0; rc >= 0 && engines[i]; i++)
		rc = print_plan(study, engines[i], err);
	if (rc >= 0)
		print_kernels(study);
	return rc;
}

static int check_one(const char *what, bool untrusted, struct counts *counts, struct error *err)
{
	struct scenario_request request = { .what = what };
	struct scenario_list list = { 0 };
	int rc;

	if (study_is(what)) {
		rc = check_study(what, untrusted, err);
		counts->studies += rc >= 0;
		return rc;
	}
	rc = scenario_load(&request, &list, err);
	if (rc >= 0 && untrusted)
		rc = refuse_all(what, err);
	counts->scenarios += rc >= 0;
	counts->trials += rc >= 0 ? list.count : 0;
	scenario_list_deinit(&list);
	return rc;
}

static int cmd_check(const struct command_line *line, void *options, struct error *err)
{
	const struct options *o = options;
	struct counts counts = { 0 };
	int status = 0;

	if (!line->n_operands)
		return error_input(err, "check: which file?");
	for (int i = 0; i < line->n_operands; i++) {
		struct error wrong = { 0 };

		if (check_one(line->operands[i], o->untrusted, &counts, &wrong) >= 0)
			continue;
		tell_warning(wrong.text, NULL);
		status = 2;
	}
	print_counts(&counts);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.operands = "FILE...",
	.summary = "Check files of scenarios and studies without running them",
	.details = "Each file that is wrong gets one line, with the number of the first wrong line "
		   "in it;\nthen the exit status is 2. Of a study it says how many trials it has, "
		   "and roughly how\nlong they take on each engine. FILE may also be a scenario's "
		   "or study's name, or a\ncatalogue id. Names of sysctls are known to the kernel "
		   "alone: whether they exist is\nseen when a trial runs; of a study those of TCP "
		   "and IP are checked.\nA scenario that names programs is code of whoever wrote "
		   "it: --untrusted refuses those.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_check,
};
