/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The store of `run --db`: what sweeps write, without a study. Runs add to it; a
 * trial that is in it already is refused before anything runs.
 */

#include "src/engine/engine.h"
#include "src/store/store.h"

struct run_store;

/* Opens or makes the store for the trials of `job`, which must outlive it. `command`: as it was
 * given; NULL: no memory for it. */
int run_store_open(const char *path, const struct engine *engine, const struct engine_job *job,
		   const char *version, const char *command, struct run_store **ret_store,
		   struct error *err);
struct run_store *run_store_close(struct run_store *store);
DEFINE_CLEANUP(struct run_store *, run_store_close)
/* The record of the job's trial `index`; NULL: it has none, for `failure`. */
int run_store_add(struct run_store *store, size_t index, const struct record *record,
		  const struct error *failure, struct error *err);
