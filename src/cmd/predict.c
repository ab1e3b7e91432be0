/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb predict: it derives what the kernel's timers make of a scenario, step by step, and runs
 * nothing. Theory of operation: the model plays the timers of each end and tells each step; the
 * steps are kept, and printed with the rule that ends them. Where no phase is given, the steps are
 * those of phase 0, and the interval is that of all phases.
 */
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/json-seconds.h"
#include "src/cmd/options.h"
#include "src/cmd/selection.h"
#include "src/cmd/tell.h"
#include "src/kernel/kernel.h"
#include "src/model/model.h"
#include "src/model/rule.h"
#include "src/trial/facts.h"
#include "src/util/array.h"
#include "src/util/tick.h"

struct options {
	struct selection selection;
	const char *kernel;
	unsigned int hz; /* 0: of the running kernel */
	int64_t phase;	 /* -1: all */
	bool json;
};

static const struct argument arguments[] = {
	OPTION_FAMILY(options, selection.family),
	{ "hz", 0, "N", "ticks a second of that kernel (default: this machine's)",
	  TO_COUNT(options, hz, 100, 1000) },
	{ "json", 0, NULL, "print one JSON object a variant and nothing else",
	  TO_FLAG(options, json) },
	{ "kernel", 'k', "NAME", "a version (6.12) or a kernel at hand (default: the running one)",
	  TO_TEXT(options, kernel) },
	{ "phase", 0, "N", "where the timer wheel stands, in ticks (default: anywhere)",
	  TO_COUNT(options, phase, 0, TICK_PHASES - 1) },
	OPTION_QUICK(options, selection.request.quick, QUICK_OF_ONE),
	OPTION_SET(options, selection.sets, SET_OF_ONE),
	{ 0 },
};

static const struct options defaults = { .phase = -1 };

/* What becomes of one end. */
struct derivation {
	struct prediction prediction;
	struct play_step *steps; /* owned */
	size_t n_steps;
	bool failed; /* memory ran out */
};

static void note_step(const struct play_step *step, void *userdata)
{
	struct derivation *d = userdata;
	struct play_step *slot = array_append(&d->steps, &d->n_steps, sizeof(*slot));

	d->failed |= !slot;
	if (slot)
		*slot = *step;
}

static int derive(const struct scenario *s, enum family family, enum end_id end,
		  const struct model_facts *facts, struct derivation *ret, struct error *err)
{
	*ret = (struct derivation){ .n_steps = 0 };
	ret->prediction = model_derive(s, family, end, facts, note_step, ret);
	return ret->failed ? error_errno(err, -ENOMEM, "predict") : 0;
}

static void print_steps(const struct derivation *d)
{
	char text[64];

	for (size_t i = 0; i < d->n_steps; i++) {
		const struct play_step *step = &d->steps[i];

		printf("  %14.6f s  %-33s", nsec_to_sec(step->at_nsec),
		       rule_step(step, text, sizeof(text)));
		if (step->next_nsec == NSEC_NEVER)
			putchar('\n');
		else
			printf(" arms %.3f s, goes off at %.6f s; %s\n",
			       nsec_to_sec(step->armed_nsec), nsec_to_sec(step->next_nsec),
			       rule_step_function(step));
	}
}

static void print_end(const struct scenario *s, enum end_id end, const struct model_facts *facts,
		      const struct derivation *d)
{
	const struct prediction *p = &d->prediction;
	const char *function = rule_function(p->mechanism);
	char rule[256], name[SCENARIO_END_NAME_SIZE];

	scenario_end_name(s, end, name, sizeof(name));
	if (p->reason) {
		printf("%s: no prediction: %s\n", name, p->reason);
		return;
	}
	printf("%s: %.6f..%.6f s after the first event, by %s\n", name,
	       nsec_to_sec(p->earliest_nsec), nsec_to_sec(p->latest_nsec),
	       mechanism_name(p->mechanism));
	printf("  %s%s%s\n",
	       rule_of(s, scenario_end_node(s, end), facts, p->mechanism, rule, sizeof(rule)),
	       function ? ": " : "", function ? function : "");
	if (d->n_steps)
		printf("  The steps %s phase %lld:\n",
		       facts->phase < 0 ? "at, for instance," : "at",
		       (long long)(facts->phase < 0 ? 0 : facts->phase));
	print_steps(d);
}

static json_object *string(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static json_object *step_json(const struct play_step *step)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "t_s", json_seconds(step->at_nsec));
	json_object_object_add(o, "step", string(rule_step_key(step->kind)));
	json_object_object_add(o, "number", json_object_new_int64(step->number));
	json_object_object_add(o, "armed_s",
			       step->next_nsec == NSEC_NEVER ? NULL
							     : json_seconds(step->armed_nsec));
	json_object_object_add(o, "expires_s", json_seconds(step->next_nsec));
	json_object_object_add(o, "function", string(rule_step_function(step)));
	return o;
}

static json_object *end_json(const struct scenario *s, enum end_id end,
			     const struct model_facts *facts, const struct derivation *d)
{
	json_object *o = json_object_new_object(), *interval = NULL;
	json_object *steps = json_object_new_array();
	const struct prediction *p = &d->prediction;
	char rule[256];

	if (!p->reason) {
		interval = json_object_new_object();
		json_object_object_add(interval, "earliest", json_seconds(p->earliest_nsec));
		json_object_object_add(interval, "latest", json_seconds(p->latest_nsec));
	}
	for (size_t i = 0; i < d->n_steps; i++)
		json_object_array_add(steps, step_json(&d->steps[i]));
	json_object_object_add(o, "mechanism", string(mechanism_name(p->mechanism)));
	json_object_object_add(o, "predicted_s", interval);
	json_object_object_add(o, "unpredicted", string(p->reason));
	json_object_object_add(o, "rule",
			       p->reason ? NULL
					 : string(rule_of(s, scenario_end_node(s, end), facts,
							  p->mechanism, rule, sizeof(rule))));
	json_object_object_add(o, "function", string(rule_function(p->mechanism)));
	json_object_object_add(o, "steps", steps);
	return o;
}

static int predict_one(const struct options *options, const struct scenario *s,
		       const struct model_facts *facts, struct error *err)
{
	json_object *o = json_object_new_object(), *ends = json_object_new_object();
	int rc = 0;

	json_object_object_add(o, "scenario", string(s->name));
	json_object_object_add(o, "variant", string(s->variant));
	json_object_object_add(o, "family", string(family_name(options->selection.family)));
	json_object_object_add(o, "hz", json_object_new_int64(facts->hz));
	json_object_object_add(o, "phase",
			       facts->phase < 0 ? NULL : json_object_new_int64(facts->phase));
	json_object_object_add(o, "endpoints", ends);
	if (!options->json)
		printf("%s%s%s (%s, HZ=%u)\n", s->name, s->variant ? "/" : "",
		       s->variant ? s->variant : "", family_name(options->selection.family),
		       facts->hz);
	for (enum end_id end = 0; rc >= 0 && end < s->n_ends; end++) {
		struct derivation d;
		char name[SCENARIO_END_NAME_SIZE];

		rc = derive(s, options->selection.family, end, facts, &d, err);
		json_object_object_add(ends, scenario_end_name(s, end, name, sizeof(name)),
				       end_json(s, end, facts, &d));
		if (rc >= 0 && !options->json)
			print_end(s, end, facts, &d);
		free(d.steps);
	}
	if (rc >= 0 && options->json)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return rc;
}

/* A version need not be at hand: nothing is run. */
static int find_facts(const struct options *options, struct model_facts *ret, struct error *err)
{
	unsigned int hz = options->hz;
	int major, minor, rc = hz ? 0 : tick_init(err);

	if (rc < 0)
		return rc;
	hz = hz ? hz : tick_hz();
	if (!options->kernel) {
		*ret = facts_of_running_kernel();
		ret->hz = hz;
	} else if (isdigit((unsigned char)*options->kernel) &&
		   sscanf(options->kernel, "%d.%d", &major, &minor) == 2) {
		*ret = facts_of_release(options->kernel, hz);
	} else {
		struct kernel kernel = { 0 };

		rc = kernel_find(options->kernel, NULL, &kernel, err);
		if (rc < 0)
			return rc;
		*ret = facts_of_release(kernel.release, hz);
		kernel_deinit(&kernel);
	}
	ret->phase = options->phase;
	return 0;
}

static int cmd_predict(const struct command_line *line, void *userdata, struct error *err)
{
	struct options *options = userdata;
	struct selection *selection = &options->selection;
	struct model_facts facts;
	int rc = find_facts(options, &facts, err);

	if (rc >= 0)
		rc = selection_load_one(selection, "predict", line->n_operands, line->operands,
					err);
	if (rc >= 0)
		scenario_for_each_overridden(&selection->scenarios, tell_warning, NULL);
	for (size_t i = 0; rc >= 0 && i < selection->scenarios.count; i++)
		rc = predict_one(options, selection->scenarios.items[i], &facts, err);
	selection_deinit(selection);
	return rc;
}

const struct verb verb_predict = {
	.name = "predict",
	.operands = "SCENARIO",
	.summary = "Derive when each end notices, timer by timer, without running anything",
	.details =
		"SCENARIO is a name, NAME/VARIANT, a catalogue id or a file. Each step has its "
		"time\nafter the first event, the timer that it arms, when the timer wheel lets "
		"that go\noff, and the kernel's function. Without --phase the steps are those of "
		"phase 0, and\nthe interval holds for all phases. Where the timers do not tell, "
		"the reason is said.",
	.arguments = arguments,
	.defaults = &defaults,
	.options_size = sizeof(struct options),
	.run = cmd_predict,
};
