/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A store keeps the results of trials in a SQLite file (doc/store.md). Each finished trial is
 * one transaction, which is on the disk when store_add() returns. Whatever kills the program or
 * the machine, finished trials stay, and no trial is stored in part. One process at a time
 * writes a store; others may read it meanwhile.
 */

#include "src/record/record.h"
#include "src/store/identity.h"
#include "src/store/study.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"

/* 2: `reason` and `inconclusive` came. A store of schema 1 is read as if it had them, and gets them
 * when --resume goes on in it. */
#define STORE_SCHEMA 2

struct store;

/* What a store has of a trial beside its record. */
struct store_trial {
	struct identity identity;
	size_t position;	   /* place in the study's order, counted from 1 */
	const char *kernel;	   /* name of the kernel that the user gave; not owned */
	const char *const *axes;   /* names of the study's axes up to NULL; or NULL; not owned */
	const char *const *places; /* the trial's place on each of them; not owned */
};

enum store_mode {
	STORE_READ,   /* reads a store that exists, which others may write meanwhile */
	STORE_WRITE,  /* writes a store that exists, and locks it as the next two do */
	STORE_CREATE, /* makes the store; -EEXIST if there is one */
	STORE_RESUME, /* makes the store, or writes one that holds the same study and shard */
};

/* Opens a store. `study` is the study that STORE_CREATE and STORE_RESUME want; the other modes
 * ignore it. ERROR_INPUT if the file is not a store, exists or does not exist against `mode`, holds
 * another study, or is being written by another process. */
int store_open(const char *path, enum store_mode mode, const struct store_study *study,
	       struct store **ret_store, struct error *err);
struct store *store_close(struct store *store);
DEFINE_CLEANUP(struct store *, store_close)

/* The path that the store was opened with, and what it is of; valid until store_close(). */
const char *store_path(const struct store *store);
const struct store_study *store_study(const struct store *store);

/* Adds a file of scenarios; `file` may be a path. A name must not change its meaning: ERROR_INPUT
 * if the store has another text for the file's name. */
int store_add_scenario(struct store *store, const char *file, const char *text, struct error *err);
/* Likewise adds a kernel with the release that its name stands for. */
int store_add_kernel(struct store *store, const char *name, const char *release, struct error *err);
/* Returns 1 if the store has trials of kernels other than `names`, which is NULL-terminated, else
 * 0. */
int store_has_other_kernels(struct store *store, char *const *names, struct error *err);

/* Makes the view `cells`, or makes it anew, with a column for each of those axes, a NULL-terminated
 * list; NULL: for the axes of the trials that are there. */
int store_make_cells(struct store *store, char *const *axes, struct error *err);

/* Begins a session: trials that are added from now on belong to this run of the program, with this
 * command line and this version of QEMU (NULL: none runs). ERROR_INPUT if the store has trials
 * that a QEMU of another release ran. */
int store_begin_session(struct store *store, const char *command, const char *qemu,
			struct error *err);

/* With this the text of a problem begins that is no failure: the machine cannot do it. */
#define STORE_IMPOSSIBLE "not possible here: "

/* Adds a trial in one transaction. If `record` is NULL, the trial is stored with `problem`, which
 * says why, and counts as not done. `problem` is not read otherwise. */
int store_add(struct store *store, const struct store_trial *trial, const struct record *record,
	      const struct error *problem, struct error *err);

/* Sorts identities of trials. */
void store_sort_ids(uint64_t *ids, size_t count);
/* Reads the identities of the trials that are done, sorted. The caller frees them. An inconclusive
 * trial is not done: what was to be measured was not. If store_add() gets it again, the new record
 * replaces the old one. */
int store_done(struct store *store, uint64_t **ret_ids, size_t *ret_count, struct error *err);
/* Tells whether `id` is among the identities that store_done() read. */
bool store_is_done(const uint64_t *ids, size_t count, uint64_t id);
/* Returns 1 if the store has a record of that trial, whatever its verdict, else 0. */
int store_has(struct store *store, uint64_t trial, struct error *err);
/* Counts the trials whose verdict is `fail`. */
int store_failed(struct store *store, size_t *ret_count, struct error *err);
/* Finds the last position of a trial; 0 where there is none. */
int store_last_position(struct store *store, size_t *ret_position, struct error *err);
