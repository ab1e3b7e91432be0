/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the host asks of a guest, and what the guest answers. The job is JSON: it holds the
 * scenarios' texts, how they are to be read, and the trials. Each trial is answered by a line with
 * its record or its error. What is expected stays on the host, which judges the records: a guest's
 * clock counts instructions, and so a guest that knew of expectations would measure other times.
 */

#include "src/engine/engine.h"

/* A job of some of the engine's trials, `indices` in the engine's list. The caller frees it; NULL
 * without memory. */
char *guest_job_write(const struct engine_job *job, const size_t *indices, size_t n);
/* The job of one trial without what counts only from when it is ready (job.h). */
char *guest_job_write_setup(const struct engine_job *job, size_t index);
/* In the guest. What the job points to is never freed, because the guest ends with its job. */
int guest_job_read(const char *text, size_t size, struct engine_job *ret_job, struct error *err);

/* When all is ready: *job gets what counts from then on of the text, which is that of a job with
 * the same trials. */
int guest_job_read_again(const char *text, size_t size, struct engine_job *job, struct error *err);

/* In the guest: the answer to a trial, by its place in the job, as one line without a newline,
 * which the caller frees. If `record` is NULL, `err` is written. */
char *guest_job_answer(size_t trial, const struct record *record, const struct error *err);
/* Reads an answer: *ret_record is its record, or NULL, and then *ret_error says why. */
int guest_job_read_answer(const char *line, size_t *ret_trial, struct record **ret_record,
			  struct error *ret_error, struct error *err);
/* The guest's texts have lines of their own. An error that names one is made to name that of the
 * scenario's file. */
void guest_job_restore_line(const struct scenario *scenario, struct error *err);
