/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Many trials in one event loop and under one observer: started one after the
 * other, so that setting one up does not hold up the others for long, and at most
 * so many at once. The host engine runs it in this process, the qemu engine in the
 * guest's.
 */

#include "src/observer/observer.h"
#include "src/trial/job.h"
#include "src/trial/pool.h"
#include "src/util/loop.h"

struct runner;

/* `pool`, with testbeds built in advance, may be NULL. `kernel` and `engine` are names for the
 * records. Everything passed must outlive the runner. loop_quit() is called when the last trial is
 * over. */
int runner_new(struct loop *loop, struct observer *observer, struct testbed_pool *pool,
	       const struct engine_job *job, const char *engine, const char *kernel,
	       const struct engine_listener *listener, struct runner **ret_runner,
	       struct error *err);
struct runner *runner_free(struct runner *runner);
DEFINE_CLEANUP(struct runner *, runner_free)
