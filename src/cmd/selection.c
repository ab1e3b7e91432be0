/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/selection.h"

#include <errno.h>

int choice_set(struct choice *choice, const char *text, struct error *err)
{
	if (choice->request.n_set == CHOICE_MAX_SET)
		return error_input(err, "--set: more than %d of them", CHOICE_MAX_SET);
	choice->sets[choice->request.n_set++] = text;
	return 0;
}

int choice_family(struct choice *choice, const char *text, struct error *err)
{
	int family = family_from_name(text);

	if (family < 0)
		return error_input(err, "--family: expected ipv4 or ipv6, got '%s'", text);
	choice->family = (enum family)family;
	return 0;
}

int choice_load(struct choice *choice, const char *verb, int n_operands, char **operands,
		struct error *err)
{
	if (n_operands == 0)
		return error_input(err, "%s: which scenario? `deadpeer list` shows them", verb);
	if (n_operands > 1)
		return error_input(err, "%s: one scenario at a time, got '%s' and '%s'", verb,
				   operands[0], operands[1]);
	choice->request.what = operands[0];
	choice->request.set = choice->sets;
	return scenario_load(&choice->request, &choice->scenarios, err);
}

void choice_deinit(struct choice *choice)
{
	scenario_list_deinit(&choice->scenarios);
}
