/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The store of `run --db`. It has the form of a sweep's store, but no study. Each run adds its
 * trials to it, also if another run has done the same ones: such a trial gets an identity of its
 * own, and the table `finished` tells of which session each is.
 */

#include "src/cmd/arguments.h"
#include "src/engine/engine.h"
#include "src/store/store.h"

struct run_store {
	struct store *store;	      /* the open store; NULL: it is not open; owned */
	const struct engine *engine;  /* it runs the job; static */
	const struct engine_job *job; /* its trials are stored; not owned */
	/* The release of the kernel, since a name may stand for another one later; owned. */
	char *kernel;
	uint64_t *ids;	 /* the identities under which the job's trials are stored; owned */
	size_t position; /* place of the job's first trial in the store, counted from 1 */
};

/* Opens or makes the store for the trials of `job`, which must outlive it. The store notes the
 * command line. The caller calls run_store_close() after an error, too. */
int run_store_open(struct run_store *store, const char *path, const struct engine *engine,
		   const struct engine_job *job, const struct command_line *line,
		   struct error *err);
void run_store_close(struct run_store *store);
/* Adds the job's trial `index` with its record. If `record` is NULL, `failure` says why there is
 * none. */
int run_store_add(struct run_store *store, size_t index, const struct record *record,
		  const struct error *failure, struct error *err);
