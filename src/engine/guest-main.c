/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/guest-main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "src/agent/agent.h"
#include "src/engine/guest-files.h"
#include "src/engine/guest-job.h"
#include "src/engine/guest-programs.h"
#include "src/guest/init.h"
#include "src/record/trace-build.h"
#include "src/trial/runner.h"
#include "src/trial/ticks.h"
#include "src/util/tick.h"

/* The guest's time; each wake-up costs the host some 70 us. */
#define ALIVE_EVERY_NSEC (600 * NSEC_PER_SEC)

/* These are made before the snapshot, so that no job waits for them: loading BPF programs takes
 * longer than most jobs. */
struct station {
	struct loop *loop;
	struct observer *observer;
	struct testbed_pool *pool; /* NULL: there is none */
};

/* An answer that is kept until the last trial is over. */
struct answer {
	struct record *record; /* owned; NULL: there is none, for this reason */
	struct error err;
};

struct work {
	struct engine_job job;
	FILE *out;	   /* gets the answers */
	struct loop *loop; /* the station's */
	struct loop_timer *alive;
	struct answer *kept;  /* one for each trial, owned; NULL: each is sent at once */
	struct error failure; /* what else ended the work */
};

/* Builds a pool of testbeds of each family that `what` names. */
static int prepare(const char *what, void *userdata, struct error *err)
{
	struct station *station = userdata;
	int rc = tick_init(err);

	agent_share_memory();
	if (rc >= 0)
		rc = loop_new(&station->loop, err);
	if (rc >= 0)
		rc = observer_new(station->loop, false, &station->observer, err);
	if (rc >= 0)
		observer_close_late(station->observer);
	ticks_get();
	for (enum family f = 0; rc >= 0 && f < _FAMILY_MAX; f++)
		if (strstr(what, family_name(f)))
			rc = testbed_pool_fill(&station->pool, GUEST_TRIALS_MAX, f, err);
	return rc;
}

static void answer(struct work *work, size_t trial, const struct record *record,
		   const struct error *err)
{
	_cleanup_(freep) char *line = guest_job_answer(trial, record, err);
	struct error failure = { 0 };

	if (line && strlen(line) >= guest_init_room() && work->job.trace) {
		free(take_ptr(line));
		error_set(&failure, ERROR_FAILED, -ENOSPC,
			  "--trace: more than a guest can hand out: run fewer or shorter scenarios "
			  "at a time, or use --engine host");
		line = guest_job_answer(trial, NULL, &failure);
	}
	if (line)
		fprintf(work->out, "%s\n", line);
	fflush(work->out);
}

static void on_done(size_t trial, struct record *record, const struct error *err, void *userdata)
{
	struct work *work = userdata;

	if (work->kept) {
		work->kept[trial] = (struct answer){ record, *err };
		return;
	}
	answer(work, trial, record, err);
	record_free(record);
}

static bool has_files(const struct work *work)
{
	return work->job.pcap_dir || work->job.logs_dir;
}

/* Traces and captures take long to write, in virtual time too, and would make other trials late. So
 * they are written when all trials are over. */
static int keep_answers(struct work *work, struct error *err)
{
	int rc = 0;

	if (!work->job.trace && !has_files(work))
		return 0;
	work->kept = calloc(work->job.n_trials, sizeof(*work->kept));
	if (!work->kept)
		return error_errno(err, -ENOMEM, "answers");
	if (has_files(work))
		rc = guest_files_prepare(err);
	return rc;
}

/* Sends the captures and the answers. If a capture cannot be sent, every trial fails. */
static void send_kept(struct work *work)
{
	struct error failure = { 0 };
	int rc = 0;

	if (has_files(work))
		rc = guest_files_write(GUEST_FILES_FOLDER, guest_init_room() * 3 / 4, work->out,
				       &failure);
	for (size_t i = 0; i < work->job.n_trials; i++) {
		struct answer *a = &work->kept[i];

		if (a->record)
			trace_build(a->record);
		answer(work, i, rc < 0 ? NULL : a->record, rc < 0 ? &failure : &a->err);
		a->record = record_free(a->record);
	}
}

static void on_alive(void *userdata)
{
	struct work *work = userdata;

	guest_init_progress();
	loop_timer_set(work->alive, nsec_now() + ALIVE_EVERY_NSEC);
}

/* Nothing is freed: the machine ends with the job, and taking namespaces down takes as long as
 * building them. */
static int work_through(struct station *station, struct work *work, struct error *err)
{
	const struct engine_listener listener = { .done = on_done, .userdata = work };
	struct runner *runner;
	struct observer *observer = station->observer;
	struct utsname kernel;
	int rc = 0;

	uname(&kernel);
	if (work->job.derived_only) {
		rc = observer_new(station->loop, true, &observer, err);
		if (rc >= 0)
			observer_close_late(observer);
	}
	if (rc >= 0)
		rc = keep_answers(work, err);
	if (rc >= 0)
		rc = loop_timer_new(station->loop, on_alive, work, &work->alive, err);
	if (rc < 0)
		return rc;
	on_alive(work);
	rc = runner_new(station->loop, observer, station->pool, &work->job, engine_qemu.name,
			kernel.release, &listener, &runner, err);
	if (rc >= 0)
		rc = loop_run(station->loop, err);
	if (rc >= 0 && work->failure.kind != ERROR_NONE) {
		*err = work->failure;
		rc = -EBADMSG;
	}
	if (rc >= 0 && work->kept)
		send_kept(work);
	return rc;
}

/* A guest may have been restored here for another trial of the same setup. */
static void on_ready(void *userdata)
{
	struct work *work = userdata;
	const void *text;
	size_t size;

	guest_init_ready(&text, &size);
	if (guest_job_read_again(text, size, &work->job, &work->failure) < 0)
		loop_quit(work->loop);
}

static int run(const void *text, size_t size, FILE *out, void *userdata)
{
	const struct station *station = userdata;
	struct work work = { .out = out, .loop = station->loop };
	struct error err = { 0 };
	int rc = guest_job_read(text, size, &work.job, &err);

	if (rc >= 0 && work.job.n_trials == 1 &&
	    scenario_has_programs(work.job.trials[0].scenario)) {
		work.job.ready = on_ready;
		work.job.ready_userdata = &work;
	}
	if (rc >= 0)
		rc = work_through(userdata, &work, &err);
	if (rc < 0)
		fprintf(stderr, "deadpeer: %s\n", err.text);
	return rc < 0 ? 1 : 0;
}

void guest_run_if_guest(void)
{
	static struct station station;

	if (guest_init_wanted())
		guest_init_main(prepare, run, &station);
}
