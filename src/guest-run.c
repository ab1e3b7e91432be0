/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest-run.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "src/guest-init.h"
#include "src/guest-job.h"
#include "src/runner.h"

#define ALIVE_EVERY (600 * NSEC_PER_SEC) /* virtual; each wake-up costs the host some 70 us */

/* Made before the snapshot, so that no job waits for it: loading BPF programs takes longer than
 * most jobs. */
struct station {
	struct loop *loop;
	struct observer *observer;
};

struct work {
	struct guest_job job;
	FILE *out;
	struct loop_timer *alive;
};

static int prepare(void *userdata, struct error *err)
{
	struct station *station = userdata;
	int r = loop_new(&station->loop, err);

	return r < 0 ? r : observer_new(station->loop, false, &station->observer, err);
}

static void on_done(size_t trial, struct record *record, const struct error *err, void *userdata)
{
	struct work *work = userdata;
	_cleanup_(record_freep) struct record *owned = record;
	_cleanup_(freep) char *line = guest_job_answer(work->job.indices[trial], owned, err);

	if (line)
		fprintf(work->out, "%s\n", line);
	fflush(work->out);
}

static void on_alive(void *userdata)
{
	struct work *work = userdata;

	guest_init_progress();
	loop_timer_set(work->alive, nsec_now() + ALIVE_EVERY);
}

static int work_through(struct station *station, struct work *work, struct error *err)
{
	_cleanup_(observer_freep) struct observer *fallback = NULL;
	_cleanup_(runner_freep) struct runner *runner = NULL;
	struct engine_listener listener = { .done = on_done, .userdata = work };
	struct observer *observer = station->observer;
	struct utsname kernel;
	int r = 0;

	uname(&kernel);
	if (work->job.job.force_fallback) {
		r = observer_new(station->loop, true, &fallback, err);
		observer = fallback;
	}
	if (r >= 0)
		r = loop_timer_new(station->loop, on_alive, work, &work->alive, err);
	if (r < 0)
		return r;
	on_alive(work);
	r = runner_new(station->loop, observer, &work->job.job, engine_qemu.name, kernel.release,
		       &listener, &runner, err);
	return r < 0 ? r : loop_run(station->loop, err);
}

static int run(const void *text, size_t size, FILE *out, void *userdata)
{
	struct work work = { .out = out };
	struct error err = { 0 };
	int r = guest_job_read(text, size, &work.job, &err);

	if (r >= 0)
		r = work_through(userdata, &work, &err);
	if (r < 0)
		fprintf(stderr, "deadpeer: %s\n", err.text);
	return r < 0 ? 1 : 0;
}

void guest_run_if_guest(void)
{
	static struct station station;

	if (guest_init_wanted())
		guest_init_main(prepare, run, &station);
}
