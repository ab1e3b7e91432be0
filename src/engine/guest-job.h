/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the host asks of a guest, and what the guest answers: JSON both ways. The
 * job holds the scenarios' texts, how they are to be read, and the trials; each
 * trial is answered by a line with its record or its error.
 */

#include "src/engine/engine.h"

/* A job of some of the engine's trials, `indices` in the engine's list. Caller frees. */
char *guest_job_write(const struct engine_job *job, const size_t *indices, size_t n);

struct guest_job {
	struct scenario_list scenarios; /* one an entry of the trials' `scenario` */
	struct engine_job job;		/* its trials point into `scenarios` */
	struct engine_trial *trials;	/* owned */
	size_t *indices;		/* in the host's list; owned */
};
int guest_job_read(const char *text, size_t size, struct guest_job *ret_job, struct error *err);
void guest_job_deinit(struct guest_job *job);

/* Returns an answer as one line without a newline, which the caller frees. If `record` is NULL,
 * `err` is written. */
char *guest_job_answer(size_t index, const struct record *record, const struct error *err);
/* Reads an answer: *ret_record is its record, or NULL, and then *ret_error says why. */
int guest_job_read_answer(const char *line, size_t *ret_index, struct record **ret_record,
			  struct error *ret_error, struct error *err);
