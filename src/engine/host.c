/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine that runs trials on this machine's kernel, in real time. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "src/engine/busy.h"
#include "src/engine/engine.h"
#include "src/testbed/privilege.h"
#include "src/trial/runner.h"
#include "src/util/closer.h"
#include "src/util/interrupt.h"
#include "src/util/tick.h"

/* In real time a busy machine may begin an event late, or take long to carry it out. Then the times
 * that count from that event are wrong, and the trial is inconclusive. */
#define LATE_MAX_NSEC (500 * NSEC_PER_MSEC)

static void check_punctuality(struct record *record)
{
	nsec_t worst_nsec = record->lateness_nsec;
	char text[64];

	for (size_t i = 0; i < record->n_faults; i++)
		worst_nsec = nsec_max(worst_nsec, record->faults[i].took_nsec);
	if (worst_nsec > LATE_MAX_NSEC)
		record_doubt(record, "an event came %s late: the machine is too busy for real time",
			     nsec_format(text, sizeof(text), worst_nsec));
}

/* One trial on a quiet machine has half a hundredth, with some trials at once it is a few. */
#define BUSY_SHARE 0.1

/* What passes the listener on to whom the job is. */
struct watch {
	const struct engine_listener *listener;
	struct busy *busy;
};

/* In real time the kernel's timers, the programs and deadpeer itself wait for processors like
 * anybody. That what was expected did not come while others had them is no evidence. */
static void check_quiet(struct record *record, struct busy *busy)
{
	bool surprises = record->n_failures > 0;
	double share;

	for (enum end_id n = 0; n < record->n_ends; n++) {
		const struct record_endpoint *e = &record->endpoint[n];

		surprises |= record_is_outside(record_detection(e), record_detection_blind(e),
					       e->earliest_nsec, e->latest_nsec);
		surprises |= record_is_outside(e->gone_nsec, e->gone_blind_nsec,
					       e->gone_earliest_nsec, e->gone_latest_nsec);
	}
	if (!surprises)
		return;
	share = busy_share(busy, record->span_nsec);
	if (share >= BUSY_SHARE)
		record_doubt(record,
			     "something came otherwise than expected or predicted while programs "
			     "waited for a processor %.0f %% of the time: the machine is too busy "
			     "for real time",
			     100 * share);
}

static void on_done(size_t trial, struct record *record, const struct error *err, void *userdata)
{
	const struct watch *watch = userdata;

	if (record) {
		check_punctuality(record);
		check_quiet(record, watch->busy);
	}
	watch->listener->done(trial, record, err, watch->listener->userdata);
}

static void on_progress(const char *text, nsec_t at_most_nsec, size_t done, size_t total,
			void *userdata)
{
	const struct watch *watch = userdata;

	watch->listener->progress(text, at_most_nsec, done, total, watch->listener->userdata);
}

static int run_in(struct loop *loop, struct interrupt *interrupt, const struct engine_job *job,
		  const struct engine_listener *listener, struct error *err)
{
	_cleanup_(closer_freep) struct closer *closer = NULL;
	_cleanup_(observer_freep) struct observer *observer = NULL;
	_cleanup_(runner_freep) struct runner *runner = NULL;
	_cleanup_(busy_freep) struct busy *busy = NULL;
	struct watch watch = { .listener = listener };
	struct engine_listener ours = { .done = on_done,
					.progress = listener->progress ? on_progress : NULL,
					.userdata = &watch };
	struct utsname kernel;
	int rc;

	uname(&kernel);
	rc = busy_new(loop, &busy, err);
	watch.busy = busy;
	if (rc >= 0)
		rc = closer_new(&closer, err);
	if (rc >= 0)
		rc = observer_new(loop, job->derived_only, &observer, err);
	if (rc >= 0)
		observer_close_by(observer, closer);
	if (rc >= 0)
		rc = runner_new(loop, observer, NULL, job, engine_host.name, kernel.release, &ours,
				&runner, err);
	if (rc >= 0)
		rc = loop_run(loop, err);
	if (rc >= 0 && (interrupt->caught || (job->stop && *job->stop)))
		return interrupt_error(err);
	return rc;
}

/* A program that is missing is told before anything runs. Trials of one scenario follow each other.
 */
static int find_programs(const struct engine_job *job, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < job->n_trials; i++)
		if (!i || job->trials[i].scenario != job->trials[i - 1].scenario)
			rc = scenario_check_programs(job->trials[i].scenario, err);
	return rc;
}

static int run(const struct engine_job *job, const struct engine_listener *listener,
	       struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	struct interrupt interrupt = { .fd = -1 };
	int rc = find_programs(job, err);

	if (rc >= 0)
		rc = tick_init(err);
	if (rc >= 0)
		rc = privilege_acquire(err);
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
