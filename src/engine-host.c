/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/utsname.h>

#include "src/engine.h"
#include "src/interrupt.h"
#include "src/privilege.h"
#include "src/runner.h"

static int run_in(struct loop *loop, struct interrupt *interrupt, const struct engine_job *job,
		  const struct engine_listener *listener, struct error *err)
{
	_cleanup_(observer_freep) struct observer *observer = NULL;
	_cleanup_(runner_freep) struct runner *runner = NULL;
	struct utsname kernel;
	int r;

	uname(&kernel);
	r = observer_new(loop, job->force_fallback, &observer, err);
	if (r >= 0)
		r = runner_new(loop, observer, job, engine_host.name, kernel.release, listener,
			       &runner, err);
	if (r >= 0)
		r = loop_run(loop, err);
	if (r >= 0 && interrupt->caught)
		return error_set(err, ERROR_INTERRUPTED, -EINTR, "interrupted");
	return r;
}

static int run(const struct engine_job *job, const struct engine_listener *listener,
	       struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	struct interrupt interrupt = { .fd = -1 };
	int r = privilege_acquire(err);

	if (r >= 0)
		r = loop_new(&loop, err);
	if (r >= 0)
		r = interrupt_init(&interrupt, loop, err);
	if (r >= 0)
		r = run_in(loop, &interrupt, job, listener, err);
	interrupt_deinit(&interrupt);
	return r;
}

const struct engine engine_host = { .name = "host", .remedy = "try --engine qemu", .run = run };
