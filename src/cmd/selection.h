/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One scenario as the user chose it: which, and with which changes. What the
 * command lines of show and shell have in common.
 */

#include "src/scenario/scenario.h"

#define CHOICE_MAX_SET 256

struct choice {
	struct scenario_request request;
	const char *sets[CHOICE_MAX_SET]; /* request.set points here */
	enum family family;
	struct scenario_list scenarios; /* what was loaded; owned */
};

/* One more --set KEY=VALUE. */
int choice_set(struct choice *choice, const char *text, struct error *err);
int choice_family(struct choice *choice, const char *text, struct error *err);
/* Loads the one scenario that `operands` name. `verb` is for errors. */
int choice_load(struct choice *choice, const char *verb, int n_operands, char **operands,
		struct error *err);
void choice_deinit(struct choice *choice);
