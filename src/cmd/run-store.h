/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The store of `run --db`: what sweeps write, without a study. Runs add to it; a
 * trial that is in it already is refused before anything runs.
 */

#include "src/cmd/arguments.h"
#include "src/engine/engine.h"
#include "src/store/store.h"

struct run_store {
	struct store *store;	      /* NULL: not open; owned */
	const struct engine *engine;  /* that runs the job */
	const struct engine_job *job; /* whose trials are stored; not owned */
	char *kernel;	 /* release: what a name stands for may change from run to run; owned */
	size_t position; /* of the first trial, counted from 1 */
};

/* Opens or makes the store for the trials of `job`, which must outlive it. `line` is the command
 * line that the store is to have of this run. run_store_close() is due after an error, too. */
int run_store_open(struct run_store *store, const char *path, const struct engine *engine,
		   const struct engine_job *job, const struct command_line *line,
		   struct error *err);
void run_store_close(struct run_store *store);
/* The record of the job's trial `index`; NULL: it has none, for `failure`. */
int run_store_add(struct run_store *store, size_t index, const struct record *record,
		  const struct error *failure, struct error *err);
