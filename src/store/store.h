/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What trials found, in a SQLite file (doc/store.md). Each finished trial is one
 * transaction that is on the disk when store_add() returns: whatever kills the
 * program or the machine, what was finished stays, and nothing is half there. One
 * process writes a store; anybody may read it meanwhile.
 */

#include "src/record/record.h"
#include "src/store/identity.h"
#include "src/store/study.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"

#define STORE_SCHEMA 1

struct store;

/* What `trial` was and where it stands; the record says the rest. */
struct store_trial {
	struct identity identity;
	size_t position;			 /* in the study's order, counted from 1 */
	const char *kernel;			 /* the name that the user gave */
	const char *const *axes, *const *places; /* the study's axes and the trial's place on each;
						    NULL-terminated, or NULL; not owned */
};

enum store_mode {
	STORE_READ,
	STORE_WRITE,  /* locks it against others who would write; so do the next two */
	STORE_CREATE, /* there must not be one yet: -EEXIST */
	STORE_RESUME, /* makes it, or opens one of the same study and shard */
};

/* `study` is what a store is of that STORE_CREATE and STORE_RESUME open; others ignore it.
 * ERROR_INPUT where the file is not a store, exists or does not exist against `mode`, holds another
 * study, or is being written by another process. */
int store_open(const char *path, enum store_mode mode, const struct store_study *study,
	       struct store **ret_store, struct error *err);
struct store *store_close(struct store *store);
DEFINE_CLEANUP(struct store *, store_close)

const char *store_path(const struct store *store);
const struct store_study *store_study(const struct store *store);

/* Adds a source of scenarios, or a kernel. What a name stands for must stay the same: ERROR_INPUT
 * where the store has another text for the file's name (`file` may be a path), or another release.
 */
int store_add_scenario(struct store *store, const char *file, const char *text, struct error *err);
/* Returns 1 when a study's store has trials of kernels other than `names`, which is
 * NULL-terminated, and 0 when it has not. */
int store_has_other_kernels(struct store *store, char *const *names, struct error *err);
int store_add_kernel(struct store *store, const char *name, const char *release, struct error *err);

/* Notes that this run of the program, with this command line, is the one that finishes trials from
 * now on. */
int store_begin_session(struct store *store, const char *command, struct error *err);

/* Adds a trial in one transaction. One without a record (NULL) is stored with the problem that it
 * had, and counts as not done; `problem` is not read otherwise. */
int store_add(struct store *store, const struct store_trial *trial, const struct record *record,
	      const struct error *problem, struct error *err);

/* The identities of the trials that are done, sorted; the caller frees them. */
int store_done(struct store *store, uint64_t **ret_ids, size_t *ret_count, struct error *err);
/* Whether `id` is among the trials that store_done() found. */
bool store_is_done(const uint64_t *ids, size_t count, uint64_t id);
/* How many of the trials that are done failed. */
int store_failed(struct store *store, size_t *ret_count, struct error *err);
