/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/selection.h"

#include <errno.h>
#include <stdio.h>

#include "src/engine/engine.h"
#include "src/model/estimate.h"
#include "src/study/study.h"
#include "src/trial/facts.h"
#include "src/util/processors.h"

int selection_parse_family(const char *text, void *family, struct error *err)
{
	int found = family_from_name(text);

	if (found < 0)
		return error_input(err, "--family: expected ipv4 or ipv6, got '%s'", text);
	*(enum family *)family = (enum family)found;
	return 0;
}

int selection_parse_engine(const char *text, void *field, struct error *err)
{
	const struct engine *engine = engine_from_name(text);

	*(const struct engine **)field = engine;
	return engine ? 0
		      : error_input(err, "--engine: expected one of %s, got '%s'", engine_names(),
				    text);
}

int selection_load(struct selection *selection, const char *what, struct error *err)
{
	int rc;

	selection->request.what = what;
	selection->request.set = selection->sets.items;
	selection->request.n_set = selection->sets.count;
	selection->scenarios.n_left_out = 0;
	rc = scenario_load(&selection->request, &selection->scenarios, err);
	if (rc >= 0 || scenario_is(what) || !study_is(what))
		return rc;
	return error_input(err, "'%s' is a study, not a scenario: deadpeer sweep %s", what, what);
}

int selection_load_one(struct selection *selection, const char *verb, int n_operands,
		       char **operands, struct error *err)
{
	if (n_operands == 0)
		return error_input(err, "%s: which scenario? `deadpeer list` shows them", verb);
	if (n_operands > 1)
		return error_input(err, "%s: one scenario at a time, got '%s' and '%s'", verb,
				   operands[0], operands[1]);
	return selection_load(selection, operands[0], err);
}

int selection_only(const struct selection *selection, const char *verb,
		   const struct scenario **ret_scenario, struct error *err)
{
	const struct scenario_list *list = &selection->scenarios;
	char names[512] = "";
	size_t n = 0;

	*ret_scenario = list->items[0];
	if (list->count == 1)
		return 0;
	for (size_t i = 0; i < list->count && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
				      list->items[i]->variant);
	return error_input(err, "%s: '%s' has these variants, choose one with --variant: %s", verb,
			   selection->request.what, names);
}

void selection_deinit(struct selection *selection)
{
	scenario_list_deinit(&selection->scenarios);
}

struct outlook selection_outlook(const struct scenario_list *list, enum family family)
{
	struct model_facts kernel = facts_of_running_kernel();
	struct outlook outlook = { .span_nsec = NSEC_NONE };

	for (size_t i = 0; i < list->count; i++) {
		outlook.needs |= estimate_needs(list->items[i]);
		outlook.span_nsec =
			nsec_max(outlook.span_nsec, estimate_span(list->items[i], family, &kernel));
	}
	outlook.virtual_nsec = estimate_virtual_time(list->items, list->count, family, &kernel,
						     processors_online());
	return outlook;
}
