/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/runner.h"

#include <errno.h>
#include <sys/resource.h>

#include "src/trial/trial.h"

#define READY_POLL (10 * NSEC_PER_MSEC)
/* In real time trials start so far apart. Neighbours often have the same timeline, and a host that
 * gets its power back takes the kernel some 25 ms, for which the others' events wait. */
#define START_EVERY    (30 * NSEC_PER_MSEC)
#define PROGRESS_EVERY (250 * NSEC_PER_MSEC)
/* In a guest an event and what follows from it take at most this long, and so does a record. */
#define EVENT_TAKES  (20 * NSEC_PER_MSEC)
#define RECORD_TAKES (20 * NSEC_PER_MSEC)
#define MOMENT                                                                                     \
	(10 *                                                                                      \
	 NSEC_PER_MSEC) /* Events in the same or in neighbouring slots of this length collide. */
#define MOMENTS	      (1u << 20) /* slots of the calendar, which begins again after three hours */
#define JOBS_DEFAULT  256
#define FDS_PER_TRIAL 24 /* namespaces, netlink, packet and agent sockets */
#define FDS_SPARE     64

struct slot {
	struct runner *runner;
	size_t index;	     /* in the job */
	nsec_t started_nsec; /* when the trial was started */
	struct trial *trial; /* NULL before it starts, and once it is freed; owned */
	struct slot *next;   /* in the list of those that are over; not owned */
};

struct runner {
	struct loop *loop;
	const struct engine_job *job;
	const char *engine, *kernel;
	const struct engine_listener *listener;
	struct observer *observer; /* the caller's */
	struct testbed_pool *pool; /* likewise; or NULL */
	struct loop_timer *start_timer, *progress_timer;
	struct slot *slots; /* one a trial */
	bool *calendar;	    /* MOMENTS that are taken; NULL unless phases are pinned; owned */
	size_t next;	    /* which trial of the job is to start next */
	struct slot *over;  /* linked, of retired trials that are to be freed; not owned */
	bool let_go;	    /* all were ready, and clients connect */
	size_t running;	    /* how many trials run */
	size_t done;	    /* how many are over */
	unsigned int jobs;  /* how many may run at once */
};

static void finished(struct runner *r, struct slot *slot, struct record *record,
		     const struct error *err)
{
	r->done++;
	if (record)
		record->took_nsec = nsec_now() - slot->started_nsec;
	r->listener->done(slot->index, record, err, r->listener->userdata);
	if (r->done == r->job->n_trials || (r->job->stop && *r->job->stop))
		loop_quit(r->loop);
	else
		loop_timer_set(r->start_timer, nsec_now());
}

/* While one trial does something (to start a program takes five milliseconds of virtual time), an
 * event of another would come late. */
static bool reserve(const nsec_t *moments_nsec, size_t n, void *userdata)
{
	const struct slot *slot = userdata;
	bool *calendar = slot->runner->calendar;

	for (size_t i = 0; i < n; i++) {
		uint64_t moment = (uint64_t)moments_nsec[i] / MOMENT;

		if (calendar[(moment - 1) % MOMENTS] || calendar[moment % MOMENTS] ||
		    calendar[(moment + 1) % MOMENTS])
			return false;
	}
	for (size_t i = 0; i < n; i++)
		calendar[(uint64_t)moments_nsec[i] / MOMENT % MOMENTS] = true;
	return true;
}

/* A record takes some milliseconds of virtual time to make, and an event that is due then would be
 * late by them. */
static nsec_t quiet_at(nsec_t now_nsec, void *userdata)
{
	const struct slot *slot = userdata;
	const struct runner *r = slot->runner;
	nsec_t at_nsec = now_nsec;
	bool moved;

	do {
		moved = false;
		for (size_t i = 0; i < r->next; i++) {
			const struct trial *t = r->slots[i].trial;
			nsec_t event_nsec =
				!t || trial_retired(t) ? NSEC_NEVER : trial_next_event(t);

			if (event_nsec > at_nsec - EVENT_TAKES &&
			    event_nsec < at_nsec + RECORD_TAKES) {
				at_nsec = event_nsec + EVENT_TAKES;
				moved = true;
			}
		}
	} while (moved);
	return at_nsec;
}

/* `err` belongs to the trial, which may be freed here: it is copied first. */
static void on_done(struct trial *trial, struct record *record, const struct error *err,
		    void *userdata)
{
	struct slot *slot = userdata;
	struct runner *r = slot->runner;
	struct error failure = *err;

	trial_retire(trial);
	if (!r->job->pin_phases) {
		slot->next = r->over;
		r->over = slot;
	}
	r->running--;
	finished(r, slot, record, &failure);
}

static void start_next(struct runner *r)
{
	struct slot *slot = &r->slots[r->next];
	const struct engine_trial *t = &r->job->trials[r->next];
	struct trial_spec spec = { .scenario = t->scenario,
				   .family = t->family,
				   .repeat = t->repeat,
				   .place = (unsigned int)r->next,
				   .seed = r->job->seed,
				   .engine = r->engine,
				   .kernel = r->kernel,
				   .pool = r->pool,
				   .pcap_dir = r->job->pcap_dir,
				   .logs_dir = r->job->logs_dir,
				   .trace = r->job->trace,
				   .unjudged = r->job->unjudged,
				   .wait = r->job->pin_phases,
				   .quiet_at = r->job->pin_phases ? quiet_at : NULL,
				   .reserve = r->calendar ? reserve : NULL,
				   .phase = r->job->pin_phases ? t->phase : -1 };
	struct error err = { 0 };

	*slot = (struct slot){ .runner = r, .index = r->next++, .started_nsec = nsec_now() };
	if (trial_start(r->loop, r->observer, &spec, on_done, slot, &slot->trial, &err) < 0)
		finished(r, slot, NULL, &err);
	else
		r->running++;
}

/* Where phases are pinned, clients connect when all trials are set up, because in virtual time that
 * work would move the events of others off their ticks. */
static void let_go(struct runner *r)
{
	if (!r->job->pin_phases)
		return;
	for (size_t i = 0; i < r->next; i++)
		if (r->slots[i].trial && !trial_ready(r->slots[i].trial)) {
			loop_timer_set(r->start_timer, nsec_now() + READY_POLL);
			return;
		}
	if (r->job->ready && !r->let_go)
		r->job->ready(r->job->ready_userdata);
	r->let_go = true;
	for (size_t i = 0; i < r->next; i++) {
		const struct engine_trial *t = &r->job->trials[i];

		if (r->slots[i].trial)
			trial_go(r->slots[i].trial, t->repeat, t->phase, r->job->seed);
	}
}

static void free_next(struct runner *r)
{
	struct slot *slot = r->over;

	r->over = slot->next;
	slot->trial = trial_free(slot->trial);
}

/* Frees or starts one trial in each round of the loop (a timer that is set to now fires in the next
 * round), so that the trials that run are not kept waiting. */
static void on_start(void *userdata)
{
	struct runner *r = userdata;

	if (r->over) {
		free_next(r);
		loop_timer_set(r->start_timer, nsec_now());
		return;
	}
	if (r->next == r->job->n_trials || r->running >= r->jobs) {
		let_go(r);
		return;
	}
	start_next(r);
	loop_timer_set(r->start_timer, nsec_now() + (r->job->pin_phases ? 0 : START_EVERY));
}

/* Tells the progress of the trial that will take longest. */
static void on_progress(void *userdata)
{
	struct runner *r = userdata;
	struct trial_status longest = { .at_most_nsec = -1 };

	for (size_t i = 0; i < r->next; i++) {
		struct trial_status status;

		if (!r->slots[i].trial || trial_retired(r->slots[i].trial))
			continue;
		trial_status(r->slots[i].trial, &status);
		if (status.at_most_nsec > longest.at_most_nsec)
			longest = status;
	}
	if (longest.at_most_nsec >= 0)
		r->listener->progress(longest.text, longest.at_most_nsec, r->done, r->job->n_trials,
				      r->listener->userdata);
	loop_timer_set(r->progress_timer, nsec_now() + PROGRESS_EVERY);
}

/* As many at once as there are file descriptors for, of which root may have more than its limit. */
static unsigned int affordable(unsigned int wanted)
{
	const rlim_t needed = FDS_SPARE + (rlim_t)FDS_PER_TRIAL * wanted;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < needed &&
	    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ needed, needed }) == 0)
		return wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < FDS_SPARE + FDS_PER_TRIAL)
		return 1;
	if (limit.rlim_cur < needed)
		return (unsigned int)((limit.rlim_cur - FDS_SPARE) / FDS_PER_TRIAL);
	return wanted;
}

int runner_new(struct loop *loop, struct observer *observer, struct testbed_pool *pool,
	       const struct engine_job *job, const char *engine, const char *kernel,
	       const struct engine_listener *listener, struct runner **ret_runner,
	       struct error *err)
{
	_cleanup_(runner_freep) struct runner *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_errno(err, -ENOMEM, "runner");
	*r = (struct runner){ .loop = loop,
			      .observer = observer,
			      .pool = pool,
			      .job = job,
			      .engine = engine,
			      .kernel = kernel,
			      .listener = listener,
			      .jobs = affordable(job->jobs ? job->jobs : JOBS_DEFAULT) };
	r->slots = calloc(job->n_trials, sizeof(*r->slots));
	if (job->pin_phases)
		r->calendar = calloc(MOMENTS, sizeof(*r->calendar));
	if (!r->slots || (job->pin_phases && !r->calendar))
		return error_errno(err, -ENOMEM, "runner");
	rc = loop_timer_new(loop, on_start, r, &r->start_timer, err);
	if (rc >= 0)
		rc = loop_timer_new(loop, on_progress, r, &r->progress_timer, err);
	if (rc < 0)
		return rc;
	loop_timer_set(r->start_timer, nsec_now());
	if (listener->progress)
		loop_timer_set(r->progress_timer, nsec_now() + PROGRESS_EVERY);
	*ret_runner = take_ptr(r);
	return 0;
}

struct runner *runner_free(struct runner *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; r->slots && i < r->next; i++)
		trial_free(r->slots[i].trial);
	free(r->slots);
	free(r->calendar);
	loop_timer_free(r->start_timer);
	loop_timer_free(r->progress_timer);
	free(r);
	return NULL;
}
