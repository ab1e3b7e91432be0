/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/selection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int selection_parse_family(const char *text, void *family, struct error *err)
{
	int found = family_from_name(text);

	if (found < 0)
		return error_input(err, "--family: expected ipv4 or ipv6, got '%s'", text);
	*(enum family *)family = (enum family)found;
	return 0;
}

int selection_load(struct selection *selection, const char *what, struct error *err)
{
	selection->request.what = what;
	selection->request.set = selection->sets.items;
	selection->request.n_set = selection->sets.count;
	selection->scenarios.n_left_out = 0;
	return scenario_load(&selection->request, &selection->scenarios, err);
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
