/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/run-store.h"

#include <errno.h>
#include <string.h>

struct run_store {
	struct store *store;
	const struct engine *engine;
	const struct engine_job *job;
	char *kernel;	 /* its release: what a name stands for may change from run to run; owned */
	size_t position; /* of the first trial */
};

static struct identity identify(const struct run_store *s, size_t index)
{
	const struct engine_trial *t = &s->job->trials[index];

	return identity_of_trial(identity_of_cell(t->scenario), s->engine->name, s->kernel,
				 t->family, s->job->seed, t->repeat);
}

static int refuse_done(struct run_store *s, struct error *err)
{
	_cleanup_(freep) uint64_t *done = NULL;
	size_t n;
	int rc = store_done(s->store, &done, &n, err);

	s->position = n + 1;
	for (size_t i = 0; rc >= 0 && i < s->job->n_trials; i++) {
		const struct engine_trial *t = &s->job->trials[i];

		if (store_is_done(done, n, identify(s, i).trial))
			return error_input(err,
					   "%s: has this trial already: %s%s%s (%s, repeat %u); "
					   "use another --seed or another --db",
					   store_path(s->store), t->scenario->name,
					   t->scenario->variant ? "/" : "",
					   t->scenario->variant ? t->scenario->variant : "",
					   family_name(t->family), t->repeat);
	}
	return rc;
}

static int fill(struct run_store *s, const char *command, struct error *err)
{
	int rc = store_add_kernel(s->store, s->kernel, s->kernel, err);

	for (size_t i = 0; rc >= 0 && i < s->job->n_trials; i++) {
		const struct scenario *scenario = s->job->trials[i].scenario;

		if (i && scenario == s->job->trials[i - 1].scenario)
			continue;
		rc = store_add_scenario(s->store, scenario->file, scenario->source, err);
	}
	return rc < 0 ? rc : store_begin_session(s->store, command, err);
}

static int open_store(struct run_store *s, const char *path, const char *version, struct error *err)
{
	struct store_study none = { .engine = (char *)s->engine->name,
				    .deadpeer = (char *)version,
				    .seed = s->job->seed,
				    .shard = 1,
				    .shards = 1 };
	int rc = store_open_or_create(path, &none, &s->store, err);

	if (rc < 0)
		return rc;
	if (store_study(s->store)->name)
		return error_input(err, "%s: holds the study '%s'; use another --db", path,
				   store_study(s->store)->name);
	if (strcmp(store_study(s->store)->deadpeer, version) != 0)
		return error_input(err, "%s: was made by deadpeer %s; use another --db", path,
				   store_study(s->store)->deadpeer);
	return 0;
}

int run_store_open(const char *path, const struct engine *engine, const struct engine_job *job,
		   const char *version, const char *command, struct run_store **ret_store,
		   struct error *err)
{
	_cleanup_(run_store_closep) struct run_store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s || !command)
		return error_errno(err, -ENOMEM, "store");
	*s = (struct run_store){ .engine = engine, .job = job };
	rc = s->engine->release(s->job->kernel_name, s->job->kernel_modules, &s->kernel, err);
	if (rc >= 0)
		rc = open_store(s, path, version, err);
	if (rc >= 0)
		rc = refuse_done(s, err);
	if (rc >= 0)
		rc = fill(s, command, err);
	if (rc >= 0)
		*ret_store = take_ptr(s);
	return rc;
}

struct run_store *run_store_close(struct run_store *s)
{
	if (!s)
		return NULL;
	store_close(s->store);
	free(s->kernel);
	free(s);
	return NULL;
}

int run_store_add(struct run_store *s, size_t index, const struct record *record,
		  const struct error *failure, struct error *err)
{
	struct store_trial trial = { .identity = identify(s, index),
				     .position = s->position + index,
				     .kernel = s->kernel };

	return store_add(s->store, &trial, record, failure, err);
}
