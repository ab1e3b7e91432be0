/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The guest's side: this program as process 1 of a stock kernel. It switches off what would wake an
 * idle guest, waits at the snapshot point, does the job and ends the guest.
 */

#include <stdint.h>
#include <stdio.h>

#include "src/util/error.h"

/* Does a guest's job. Lines written to `out` reach the host at once, without a system call. Only
 * process 1 may write them, because its children do not inherit that memory. The return value is
 * the status that guest_end_func gets. */
typedef int (*guest_run_func)(const void *job, size_t size, FILE *out, void *userdata);

/* Whether this process is the first one of a guest. */
int guest_init_wanted(void);

/* Never returns. `prepare`, which may be NULL, is called once before the snapshot point: what it
 * makes, every job starts with; `what` is the image's word for it, or "". It returns 0, or a
 * negative errno with the reason in `err`. */
typedef int (*guest_prepare_func)(const char *what, void *userdata, struct error *err);
_Noreturn void guest_init_main(guest_prepare_func prepare, guest_run_func run, void *userdata);

/* The job is ready, and what it does from here on may depend on the job as it is now, which
 * *ret_job and *ret_size are set to: a guest that is restored here was given another one. Until
 * here nothing may have been written to `out`. */
void guest_init_ready(const void **ret_job, size_t *ret_size);

/* The job is ready, and what it does from here on may depend on the job as it is now, which
 * *ret_job and *ret_size are set to: a guest that is restored here was given another one. Until
 * here nothing may have been written to `out`. */
void guest_init_ready(const void **ret_job, size_t *ret_size);

/* Bytes that the job may still write. */
uint64_t guest_init_room(void);

/* Tells the host that a long job is getting on though it has nothing to write yet. */
void guest_init_progress(void);
