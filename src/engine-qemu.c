/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/engine.h"
#include "src/guest-job.h"
#include "src/guest.h"
#include "src/interrupt.h"
#include "src/kernel.h"

/*
 * Theory of operation. The trials are dealt out to as many guests as there are processors, each
 * of which runs the same code as the host engine would, on its own kernel and in virtual time. A
 * trial's phase (where the timer wheel stands at its first event) is drawn from the seed and the
 * trial itself, and pinned in the guest, so that it does not matter which trials share one.
 */

#define MEMORY_BASE_MIB	     160
#define MEMORY_PER_TRIAL_KIB 1700
#define PROGRESS_EVERY	     (250 * NSEC_PER_MSEC)
#define LATENESS_MAX	     (4 * NSEC_PER_MSEC) /* one tick: more would move what is measured */

struct batch {
	struct run *run;
	struct guest *guest;
	size_t *indices; /* owned */
	size_t n;
	bool over;
};

struct run {
	const struct engine_job *job;
	const struct engine_listener *listener;
	struct loop *loop;
	struct loop_timer *progress_timer;
	struct engine_trial *trials; /* the job's, with their phases; owned */
	bool *answered;		     /* one a trial; owned */
	struct batch *batches;	     /* owned */
	size_t n_batches, open, done;
	nsec_t started_nsec;
};

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t mix_text(uint64_t x, const char *text)
{
	for (; text && *text; text++)
		x = mix(x ^ (unsigned char)*text);
	return mix(x);
}

static int64_t draw_phase(uint64_t seed, const struct engine_trial *t)
{
	uint64_t x = mix(seed);

	x = mix_text(x, t->scenario->name);
	x = mix_text(x, t->scenario->variant);
	x = mix(x ^ (uint64_t)t->family);
	return (int64_t)(mix(x ^ t->repeat) % TRIAL_PHASES);
}

static void deliver(struct run *run, size_t index, struct record *record, const struct error *err)
{
	char late[64];

	if (index >= run->job->n_trials || run->answered[index]) {
		record_free(record);
		return;
	}
	run->answered[index] = true;
	run->done++;
	if (record && record->lateness_nsec > LATENESS_MAX)
		record_fail(record, "expected the guest's timers within a tick, got one %s late",
			    nsec_format(late, sizeof(late), record->lateness_nsec));
	run->listener->done(index, record, err, run->listener->userdata);
}

static void on_line(void *userdata, const char *line, size_t size)
{
	struct batch *batch = userdata;
	struct error failure = { 0 }, err = { 0 };
	struct record *record;
	size_t index;

	if (guest_job_read_answer(line, &index, &record, &failure, &err) >= 0)
		deliver(batch->run, index, record, &failure);
}

/* Whatever the guest has not answered has no record: for the reason it died of. */
static void on_end(void *userdata, int status, const struct error *err)
{
	struct batch *batch = userdata;
	struct run *run = batch->run;
	struct error failure = { 0 };

	if (err)
		failure = *err;
	else
		error_set(&failure, ERROR_FAILED, -EIO, "guest: the job failed");
	batch->over = true;
	for (size_t i = 0; i < batch->n; i++)
		if (!run->answered[batch->indices[i]])
			deliver(run, batch->indices[i], NULL, &failure);
	if (--run->open == 0)
		loop_quit(run->loop);
}

static void on_progress(void *userdata)
{
	struct run *run = userdata;
	char text[96], span[64];

	snprintf(text, sizeof(text), "%zu guest%s in virtual time for %s", run->open,
		 run->open == 1 ? "" : "s",
		 nsec_format(span, sizeof(span), nsec_now() - run->started_nsec));
	run->listener->progress(text, NSEC_NEVER, run->done, run->job->n_trials,
				run->listener->userdata);
	loop_timer_set(run->progress_timer, nsec_now() + PROGRESS_EVERY);
}

static size_t count_guests(const struct engine_job *job)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t guests = cores < 1 ? 1 : (size_t)cores;
	size_t fit =
		((GUEST_MEMORY_MIB_MAX - MEMORY_BASE_MIB) * (size_t)1024) / MEMORY_PER_TRIAL_KIB;

	if (guests > job->n_trials)
		guests = job->n_trials;
	while ((job->n_trials + guests - 1) / guests > fit)
		guests++;
	return guests;
}

static unsigned int memory_for(size_t trials)
{
	size_t mib = MEMORY_BASE_MIB + trials * MEMORY_PER_TRIAL_KIB / 1024;

	return mib < GUEST_MEMORY_MIB_MIN ? GUEST_MEMORY_MIB_MIN : (unsigned int)mib;
}

static int deal(struct run *run, struct error *err)
{
	const struct engine_job *job = run->job;

	run->n_batches = count_guests(job);
	run->batches = calloc(run->n_batches, sizeof(*run->batches));
	run->answered = calloc(job->n_trials + 1, sizeof(*run->answered));
	run->trials = calloc(job->n_trials + 1, sizeof(*run->trials));
	if (!run->batches || !run->answered || !run->trials)
		return error_errno(err, -ENOMEM, "engine qemu");
	for (size_t i = 0; i < job->n_trials; i++) {
		struct batch *batch = &run->batches[i % run->n_batches];

		run->trials[i] = job->trials[i];
		if (run->trials[i].phase < 0)
			run->trials[i].phase = draw_phase(job->seed, &job->trials[i]);
		batch->run = run;
		if (!batch->indices)
			batch->indices =
				calloc(job->n_trials / run->n_batches + 1, sizeof(*batch->indices));
		if (!batch->indices)
			return error_errno(err, -ENOMEM, "engine qemu");
		batch->indices[batch->n++] = i;
	}
	return 0;
}

static int start(struct run *run, struct guest_image *image, struct error *err)
{
	struct engine_job job = *run->job;

	job.trials = run->trials;
	for (size_t i = 0; i < run->n_batches; i++) {
		struct batch *batch = &run->batches[i];
		_cleanup_(freep) char *text = guest_job_write(&job, batch->indices, batch->n);
		struct guest_config config = { .job = text,
					       .job_size = text ? strlen(text) : 0,
					       .seed = job.seed,
					       .line = on_line,
					       .end = on_end,
					       .userdata = batch };
		int r;

		if (!text)
			return error_errno(err, -ENOMEM, "engine qemu");
		r = guest_new(run->loop, image, &config, &batch->guest, err);
		if (r < 0)
			return r;
		run->open++;
	}
	return 0;
}

/* The guest has deadpeer and a kernel, not the machine's programs and disks. */
static int check_trials(const struct engine_job *job, struct error *err)
{
	for (size_t i = 0; i < job->n_trials; i++) {
		const struct scenario *s = job->trials[i].scenario;

		for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
			if (s->agent[n].command)
				return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP,
						 "%s:%d: command '%s': the qemu engine's guest has "
						 "built-in agents only; use --engine host",
						 s->file, s->agent[n].command_line,
						 s->agent[n].command[0]);
	}
	if (job->pcap_dir)
		return error_set(
			err, ERROR_CAPABILITY, -EOPNOTSUPP,
			"--pcap: the qemu engine's guest has no way to hand out files; use "
			"--engine host");
	return 0;
}

static int run_guests(struct run *run, struct guest_image *image, struct error *err)
{
	struct interrupt interrupt = { .fd = -1 };
	int r = loop_new(&run->loop, err);

	if (r >= 0)
		r = interrupt_init(&interrupt, run->loop, err);
	if (r >= 0)
		r = loop_timer_new(run->loop, on_progress, run, &run->progress_timer, err);
	if (r >= 0)
		r = start(run, image, err);
	run->started_nsec = nsec_now();
	if (r >= 0 && run->listener->progress)
		loop_timer_set(run->progress_timer, nsec_now() + PROGRESS_EVERY);
	if (r >= 0)
		r = loop_run(run->loop, err);
	if (r >= 0 && interrupt.caught)
		r = error_set(err, ERROR_INTERRUPTED, -EINTR, "interrupted");
	for (size_t i = 0; i < run->n_batches; i++)
		guest_free(run->batches[i].guest);
	loop_timer_free(run->progress_timer);
	interrupt_deinit(&interrupt);
	loop_free(run->loop);
	return r;
}

static int run_all(const struct engine_job *job, const struct engine_listener *listener,
		   struct error *err)
{
	_cleanup_(guest_image_freep) struct guest_image *image = NULL;
	struct run run = { .job = job, .listener = listener };
	struct kernel kernel = { 0 };
	int r = check_trials(job, err);

	if (r >= 0)
		r = kernel_find(job->kernel_name, job->kernel_modules, &kernel, err);
	if (r < 0)
		return r;
	r = deal(&run, err);
	if (r >= 0) {
		struct guest_image_config config = {
			.kernel = &kernel,
			.memory_mib =
				memory_for((job->n_trials + run.n_batches - 1) / run.n_batches),
			.no_snapshot = job->no_snapshot,
		};

		r = guest_image_new(&config, &image, err);
	}
	if (r >= 0)
		r = run_guests(&run, image, err);
	for (size_t i = 0; run.batches && i < run.n_batches; i++)
		free(run.batches[i].indices);
	free(run.batches);
	free(run.answered);
	free(run.trials);
	kernel_deinit(&kernel);
	return r;
}

const struct engine engine_qemu = { .name = "qemu", .virtual_time = true, .run = run_all };
