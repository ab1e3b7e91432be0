/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Scenarios as the user selected them: which ones, and with which changes. What the
 * command lines of run, show and shell have in common.
 */

#include "src/cmd/arguments.h"
#include "src/scenario/scenario.h"
#include "src/util/nsec.h"

struct selection {
	struct scenario_request request; /* what all of them are loaded with */
	struct argument_list sets;	 /* values of --set */
	enum family family;		 /* of --family */
	struct scenario_list scenarios;	 /* what was loaded; owned */
};

/* Reads a value of --family into an enum family. */
int selection_parse_family(const char *text, void *family, struct error *err);
/* Reads a value of --engine into a const struct engine *. */
int selection_parse_engine(const char *text, void *engine, struct error *err);
/* Loads the scenario `what` with all its variants, or the one variant that it names, and adds them
 * to the selection. */
int selection_load(struct selection *selection, const char *what, struct error *err);
/* The same for a verb that takes one scenario. `verb` is its name, for errors. */
int selection_load_one(struct selection *selection, const char *verb, int n_operands,
		       char **operands, struct error *err);
/* The scenario of a verb that runs one. ERROR_INPUT with the names of the variants where several
 * are loaded. */
int selection_only(const struct selection *selection, const char *verb,
		   const struct scenario **ret_scenario, struct error *err);
void selection_deinit(struct selection *selection);

/* What it takes to run scenarios, all of them at the same time. */
struct outlook {
	unsigned int needs;  /* as of estimate_needs() */
	nsec_t span_nsec;    /* of the longest, in real time; NSEC_NONE: there are none */
	nsec_t virtual_nsec; /* real time that they take in virtual time */
};
struct outlook selection_outlook(const struct scenario_list *list, enum family family);
