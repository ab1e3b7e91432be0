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
	size_t position;			 /* in the study's order, from 1 */
	const char *kernel;			 /* the name that was asked for */
	const char *const *axes, *const *places; /* of the study's axes; NULL-terminated or NULL */
};

enum store_mode {
	STORE_READ,
	STORE_WRITE,  /* locks it against others who would write */
	STORE_CREATE, /* the same; there must not be one yet */
};

/* `study` is for a store that is not there yet, and ignored otherwise. ERROR_INPUT where it is
 * none of ours, is there or is not there against `mode`, or somebody else is writing it. */
int store_open(const char *path, enum store_mode mode, const struct store_study *study,
	       struct store **ret_store, struct error *err);
/* Opens the store that is there for writing, or makes it. */
int store_open_or_create(const char *path, const struct store_study *study,
			 struct store **ret_store, struct error *err);
struct store *store_close(struct store *store);
DEFINE_CLEANUP(struct store *, store_close)

const char *store_path(const struct store *store);
const struct store_study *store_study(const struct store *store);

/* A source of scenarios, or a kernel: what a name stands for must stay the same. ERROR_INPUT where
 * the store has another text for the file's name (`file` may be a path), or another release. */
int store_add_scenario(struct store *store, const char *file, const char *text, struct error *err);
/* 1: a study's store has trials of kernels other than these, NULL-terminated; 0: it has not. */
int store_has_other_kernels(struct store *store, char *const *names, struct error *err);
int store_add_kernel(struct store *store, const char *name, const char *release, struct error *err);

/* The present run of the program, for whom it finished. */
int store_begin_session(struct store *store, const char *command, struct error *err);

/* One transaction. A trial without a record (NULL) is stored with the problem that it had, and
 * counts as not done; `problem` is not read otherwise. */
int store_add(struct store *store, const struct store_trial *trial, const struct record *record,
	      const struct error *problem, struct error *err);

/* The trials that are done, sorted; the caller frees. */
int store_done(struct store *store, uint64_t **ret_ids, size_t *ret_count, struct error *err);
/* Whether `id` is among the trials that store_done() found. */
bool store_is_done(const uint64_t *ids, size_t count, uint64_t id);
/* How many of them failed. */
int store_failed(struct store *store, size_t *ret_count, struct error *err);
