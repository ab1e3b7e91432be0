/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/run-store.h"

#include <errno.h>

static struct identity identify(const struct run_store *s, size_t index)
{
	const struct engine_trial *t = &s->job->trials[index];

	return identity_of_trial(identity_of_cell(t->scenario), s->engine->name, s->kernel,
				 t->family, s->job->seed, t->repeat);
}

/* Finds an identity for each trial that the store does not have yet. */
static int choose_ids(struct run_store *s, struct error *err)
{
	int rc = store_last_position(s->store, &s->position, err);

	s->position++;
	s->ids = calloc(s->job->n_trials + 1, sizeof(*s->ids));
	if (!s->ids)
		return error_errno(err, -ENOMEM, "store");
	for (size_t i = 0; rc >= 0 && i < s->job->n_trials; i++) {
		uint64_t first = identify(s, i).trial;
		unsigned int n = 0;

		do {
			s->ids[i] = identity_again(first, n++);
			rc = store_has(s->store, s->ids[i], err);
		} while (rc > 0);
	}
	return rc;
}

/* Refuses a job that has the same trial twice, because a store can hold it once. */
static int refuse_twice(const struct run_store *s, struct error *err)
{
	_cleanup_(freep) uint64_t *ids = calloc(s->job->n_trials + 1, sizeof(*ids));

	if (!ids)
		return error_errno(err, -ENOMEM, "store");
	for (size_t i = 0; i < s->job->n_trials; i++)
		ids[i] = identify(s, i).trial;
	store_sort_ids(ids, s->job->n_trials);
	for (size_t i = 1; i < s->job->n_trials; i++)
		if (ids[i] == ids[i - 1])
			return error_input(err, "a scenario is named twice, and --db keeps each "
						"trial once; name it once, with --repeat N");
	return 0;
}

static int fill(struct run_store *s, const char *command, struct error *err)
{
	_cleanup_(freep) char *qemu = NULL;
	int rc = store_add_kernel(s->store, s->kernel, s->kernel, err);

	for (size_t i = 0; rc >= 0 && i < s->job->n_trials; i++) {
		const struct scenario *scenario = s->job->trials[i].scenario;

		if (i && scenario == s->job->trials[i - 1].scenario)
			continue;
		rc = store_add_scenario(s->store, scenario->file, scenario->source, err);
	}
	if (rc >= 0)
		rc = store_make_cells(s->store, NULL, err);
	if (rc >= 0 && s->engine->emulator)
		rc = s->engine->emulator(&qemu, err);
	return rc < 0 ? rc : store_begin_session(s->store, command, qemu, err);
}

int run_store_open(struct run_store *s, const char *path, const struct engine *engine,
		   const struct engine_job *job, const struct command_line *line, struct error *err)
{
	const struct store_study none = { .engine = (char *)engine->name,
					  .deadpeer = (char *)DEADPEER_VERSION,
					  .seed = job->seed,
					  .shard = 1,
					  .shards = 1 };
	_cleanup_(freep) char *command = arguments_command(line);
	int rc;

	*s = (struct run_store){ .engine = engine, .job = job };
	if (!command)
		return error_errno(err, -ENOMEM, "store");
	rc = engine->release(job->kernel_name, job->kernel_modules, &s->kernel, err);
	if (rc >= 0)
		rc = refuse_twice(s, err);
	if (rc >= 0)
		rc = store_open(path, STORE_RESUME, &none, &s->store, err);
	if (rc >= 0)
		rc = choose_ids(s, err);
	return rc < 0 ? rc : fill(s, command, err);
}

void run_store_close(struct run_store *s)
{
	store_close(s->store);
	free(s->kernel);
	free(s->ids);
}

int run_store_add(struct run_store *s, size_t index, const struct record *record,
		  const struct error *failure, struct error *err)
{
	struct store_trial trial = { .identity = identify(s, index),
				     .position = s->position + index,
				     .kernel = s->kernel };

	trial.identity.trial = s->ids[index];
	return store_add(s->store, &trial, record, failure, err);
}
