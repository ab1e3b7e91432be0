/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Scenarios as the user selected them: which ones, and with which changes. The command lines of
 * run, show and shell have this in common.
 */

#include "src/cmd/arguments.h"
#include "src/scenario/scenario.h"
#include "src/util/nsec.h"

struct selection {
	/* The changes that apply to all of them; `what` is the last one that was loaded. */
	struct scenario_request request;
	struct argument_list sets;	/* values of --set, which `request` refers to */
	enum family family;		/* the value of --family */
	struct scenario_list scenarios; /* all that were loaded; owned */
};

/* Reads a value of --family into an enum family. */
int selection_parse_family(const char *text, void *family, struct error *err);
/* Reads a value of --engine into a const struct engine *. */
int selection_parse_engine(const char *text, void *engine, struct error *err);
/* Loads the scenario `what` with all its variants, or the one variant that it names, and adds them
 * to the selection. */
int selection_load(struct selection *selection, const char *what, struct error *err);
/* Does the same for a verb that takes one scenario. `verb` is its name, for errors. */
int selection_load_one(struct selection *selection, const char *verb, int n_operands,
		       char **operands, struct error *err);
/* Returns the scenario that is loaded, for a verb that runs one. If several variants are loaded,
 * the ERROR_INPUT names them. */
int selection_only(const struct selection *selection, const char *verb,
		   const struct scenario **ret_scenario, struct error *err);
void selection_deinit(struct selection *selection);

/* An estimate of what it takes to run scenarios on this machine, all at the same time. */
struct outlook {
	unsigned int needs;  /* mask, as of estimate_needs() */
	nsec_t span_nsec;    /* how long the longest takes; NSEC_NONE: there are none */
	nsec_t virtual_nsec; /* how long all take on the qemu engine */
};
struct outlook selection_outlook(const struct scenario_list *list, enum family family);
