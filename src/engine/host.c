/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine that runs trials on this machine's kernel, in real time. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "src/engine/engine.h"
#include "src/testbed/privilege.h"
#include "src/trial/runner.h"
#include "src/util/interrupt.h"

/* In real time a busy machine may begin an event late, or take long to carry it out. Then the times
 * that count from that event are wrong, and the trial fails. */
#define LATE_MAX_NSEC (500 * NSEC_PER_MSEC)

static void check_punctuality(struct record *record)
{
	nsec_t worst_nsec = record->lateness_nsec;
	char text[64];

	for (size_t i = 0; i < record->n_faults; i++)
		worst_nsec = nsec_max(worst_nsec, record->faults[i].took_nsec);
	if (worst_nsec > LATE_MAX_NSEC)
		record_fail(record,
			    "expected each event within 0.5 s of its time, got one %s late: the "
			    "machine is too busy for real time",
			    nsec_format(text, sizeof(text), worst_nsec));
}

static void on_done(size_t trial, struct record *record, const struct error *err, void *userdata)
{
	const struct engine_listener *listener = userdata;

	if (record)
		check_punctuality(record);
	listener->done(trial, record, err, listener->userdata);
}

static void on_progress(const char *text, nsec_t at_most_nsec, size_t done, size_t total,
			void *userdata)
{
	const struct engine_listener *listener = userdata;

	listener->progress(text, at_most_nsec, done, total, listener->userdata);
}

static int run_in(struct loop *loop, struct interrupt *interrupt, const struct engine_job *job,
		  const struct engine_listener *listener, struct error *err)
{
	_cleanup_(observer_freep) struct observer *observer = NULL;
	_cleanup_(runner_freep) struct runner *runner = NULL;
	struct engine_listener ours = { .done = on_done,
					.progress = listener->progress ? on_progress : NULL,
					.userdata = (void *)listener };
	struct utsname kernel;
	int rc;

	uname(&kernel);
	rc = observer_new(loop, job->derived_only, &observer, err);
	if (rc >= 0)
		rc = runner_new(loop, observer, NULL, job, engine_host.name, kernel.release, &ours,
				&runner, err);
	if (rc >= 0)
		rc = loop_run(loop, err);
	if (rc >= 0 && (interrupt->caught || (job->stop && *job->stop)))
		return interrupt_error(err);
	return rc;
}

static int run(const struct engine_job *job, const struct engine_listener *listener,
	       struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	struct interrupt interrupt = { .fd = -1 };
	int rc = privilege_acquire(err);

	if (rc >= 0)
		rc = loop_new(&loop, err);
	if (rc >= 0)
		rc = interrupt_init(&interrupt, loop, err);
	if (rc >= 0)
		rc = run_in(loop, &interrupt, job, listener, err);
	interrupt_deinit(&interrupt);
	return rc;
}

static int release(const char *kernel_name, const char *kernel_modules, char **ret_release,
		   struct error *err)
{
	struct utsname running;

	uname(&running);
	*ret_release = strdup(running.release);
	return *ret_release ? 0 : error_errno(err, -ENOMEM, "kernel");
}

const struct engine engine_host = {
	.name = "host",
	.remedy = "try --engine qemu",
	.run = run,
	.release = release,
};
