/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "src/engine/engine.h"
#include "src/engine/guest-files.h"
#include "src/engine/guest-job.h"
#include "src/engine/guest-main.h"
#include "src/engine/guest-programs.h"
#include "src/guest/guest.h"
#include "src/guest/prepare.h"
#include "src/kernel/kernel.h"
#include "src/kernel/lacks.h"
#include "src/model/estimate.h"
#include "src/record/expect.h"
#include "src/util/array.h"
#include "src/util/interrupt.h"
#include "src/util/processors.h"
#include "src/util/tick.h"

/*
 * Theory of operation. The trials are dealt out to as many guests as there are processors, each
 * of which runs the same code as the host engine would, on its own kernel and in virtual time. A
 * trial's phase (where the timer wheel stands at its first event) is drawn from the seed and the
 * trial itself, and pinned in the guest, so that it does not matter which trials share one. A trial
 * that another made late after all is run again, in a guest of its own.
 */

#define MEMORY_BASE_MIB	     160
#define MEMORY_PER_TRIAL_KIB 2600
#define MEMORY_POOL_KIB	     1200 /* of a testbed in the pool */
#define MEMORY_TRACE_MIB     128  /* a trace is held twice, as text */
/* What the user's programs take beside their files. Those take three times their size: they lie in
 * the archive and in the file system, which may have half of what is left. */
#define MEMORY_PROGRAMS_MIB 192
/* A guest with as many trials starts with a pool of testbeds. Building a testbed takes nearly half
 * of a trial's time, but for fewer trials it would take longer to make that snapshot than they
 * save. */
#define POOL_WORTH 25
/* While a trial lasts, the testbeds in its guest have timers that expire, those of trials that are
 * over, too. So one that lasts longer shares its guest with no other; the testbeds of a pool, where
 * there is one, remain. */
#define LONG_NSEC	    (6 * 3600 * NSEC_PER_SEC)
#define PROGRESS_EVERY_NSEC (250 * NSEC_PER_MSEC)
/* This is one tick. An event that comes later would change what is measured. */
#define LATENESS_MAX_NSEC (4 * NSEC_PER_MSEC)

/* The trials of one guest. */
struct batch {
	struct run *run;
	struct guest *guest;		  /* NULL: not started, or over; owned */
	size_t indices[GUEST_TRIALS_MAX]; /* of the trials in the job */
	size_t n;
	uint64_t seed;	      /* of what the guest's kernel draws by chance */
	nsec_t answered_nsec; /* when the guest last gave an answer, or was started */
	struct error failure; /* why a capture could not be written */
};

struct run {
	const struct engine_job *job;
	const struct engine_listener *listener;
	struct loop *loop;
	struct loop_timer *progress_timer;
	struct engine_trial *trials; /* the job's, with their phases; owned */
	bool *answered;		     /* one a trial; owned */
	struct closure *programs;    /* the user's, or NULL; owned */
	struct guest_image *image;
	struct batch *batches; /* owned; those whose trials are alone come last */
	size_t n_batches;
	size_t n_shared;      /* of the batches, those whose trials share a guest */
	size_t started, open; /* batches: all that were started, and those that still run */
	size_t done;	      /* trials */
	struct error failure; /* why a guest could not be started */
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

static uint64_t draw(uint64_t seed, const struct engine_trial *t)
{
	uint64_t x = mix(seed);

	x = mix_text(x, t->scenario->name);
	x = mix_text(x, t->scenario->variant);
	x = mix(x ^ (uint64_t)t->family);
	return mix(x ^ t->repeat);
}

/* The seed of a guest with one trial follows from that trial. */
static uint64_t seed_alone(const struct run *run, size_t index)
{
	const struct engine_trial *t = &run->trials[index];

	return mix(draw(run->job->seed, t) ^ (uint64_t)t->phase) >> 1;
}

/* Puts a trial that was late, and shared its guest, into a batch of its own that runs last.
 * `batches` has room for one more for each trial. */
static bool run_again(struct batch *batch, size_t index, const struct record *record)
{
	struct run *run = batch->run;

	if (!record || record->lateness_nsec <= LATENESS_MAX_NSEC || batch->n == 1)
		return false;
	run->trials[index].alone = true;
	run->batches[run->n_batches++] = (struct batch){
		.run = run,
		.indices = { index },
		.n = 1,
		.seed = seed_alone(run, index),
	};
	return true;
}

static void deliver(struct run *run, size_t index, struct record *record, const struct error *why)
{
	const struct scenario *scenario = run->job->trials[index].scenario;
	struct error failure = *why, *err = &failure;
	char late[64];

	if (run->answered[index]) {
		record_free(record);
		return;
	}
	run->answered[index] = true;
	run->done++;
	if (record)
		record->qemu = strdup(run->image->qemu.version);
	if (record && (!record->qemu || expect_check(scenario, record, err) < 0))
		record = record_free(record);
	else if (!record)
		guest_job_restore_line(scenario, err);
	if (record && record->lateness_nsec > LATENESS_MAX_NSEC)
		record_doubt(record, "an event came %s late, which is more than a tick",
			     nsec_format(late, sizeof(late), record->lateness_nsec));
	run->listener->done(index, record, err, run->listener->userdata);
	if (run->job->stop && *run->job->stop)
		loop_quit(run->loop);
}

static void on_line(void *userdata, const char *line, size_t size)
{
	struct batch *batch = userdata;
	struct error failure = { 0 }, err = { 0 };
	struct record *record;
	size_t trial, index;

	if (guest_files_match(line)) {
		if (batch->failure.kind == ERROR_NONE)
			guest_files_read(line, size, batch->run->job->pcap_dir,
					 batch->run->job->logs_dir, &batch->failure);
		return;
	}
	if (guest_job_read_answer(line, &trial, &record, &failure, &err) < 0)
		return;
	if (trial >= batch->n) {
		record_free(record);
		return;
	}
	index = batch->indices[trial];
	if (record)
		record->took_nsec = nsec_now() - batch->answered_nsec;
	batch->answered_nsec = nsec_now();
	if (batch->failure.kind != ERROR_NONE) { /* the captures of this guest are not whole */
		record_free(take_ptr(record));
		failure = batch->failure;
	}
	if (run_again(batch, index, record))
		record_free(record);
	else
		deliver(batch->run, index, record, &failure);
}

static int start_next(struct run *run, struct error *err);

/* A trial that the guest has not answered has no record, for the reason that ended the guest. */
static void on_end(void *userdata, int status, const struct error *err)
{
	struct batch *batch = userdata;
	struct run *run = batch->run;
	struct error failure = { 0 };

	if (err)
		failure = *err;
	else
		error_set(&failure, ERROR_FAILED, -EIO, "guest: the job failed");
	for (size_t i = 0; i < batch->n; i++) {
		size_t index = batch->indices[i];

		if (!run->answered[index] && (batch->n == 1 || !run->trials[index].alone))
			deliver(run, index, NULL, &failure);
	}
	batch->guest = guest_free(batch->guest);
	run->open--;
	if (run->started < run->n_batches && start_next(run, &run->failure) < 0)
		loop_quit(run->loop);
	else if (!run->open)
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
	loop_timer_set(run->progress_timer, nsec_now() + PROGRESS_EVERY_NSEC);
}

/* Each guest gets about as many trials as the others. */
static size_t count_guests(size_t trials)
{
	size_t rounds = (trials + GUEST_TRIALS_MAX * processors_online() - 1) /
			(GUEST_TRIALS_MAX * processors_online());
	size_t guests = rounds * processors_online();

	return guests > trials ? trials : guests;
}

/* The pool of a guest has testbeds for the most trials that a guest can have, even if it has fewer.
 */
static unsigned int memory_for(const struct engine_job *job, const struct closure *programs,
			       size_t trials)
{
	size_t mib = MEMORY_BASE_MIB + trials * MEMORY_PER_TRIAL_KIB / 1024;

	if (trials >= POOL_WORTH)
		mib += _FAMILY_MAX * GUEST_TRIALS_MAX * MEMORY_POOL_KIB / 1024;
	if (job->pcap_dir || job->logs_dir)
		mib += GUEST_FILES_MIB;
	if (job->trace)
		mib += MEMORY_TRACE_MIB;
	if (programs)
		mib += MEMORY_PROGRAMS_MIB + 3 * (closure_size(programs) >> 20);
	return mib < GUEST_MEMORY_MIB_MIN ? GUEST_MEMORY_MIB_MIN : (unsigned int)mib;
}

/* Many connections sometimes keep a guest's one processor busy for longer than a tick, as do the
 * user's programs, and the events of other trials would come late. */
static bool is_alone(const struct engine_trial *t)
{
	const struct scenario_agent *client = &t->scenario->agent[NODE_CLIENT];
	const struct model_facts kernel = model_facts_of(ESTIMATE_HZ, true);

	return t->alone || scenario_option(client, OPTION_CONNECTIONS, 1) > 1 ||
	       scenario_has_programs(t->scenario) ||
	       estimate_span(t->scenario, t->family, &kernel) > LONG_NSEC;
}

static int deal(struct run *run, struct error *err)
{
	const struct engine_job *job = run->job;
	size_t n_alone = 0, shared = 0, alone;

	for (size_t i = 0; i < job->n_trials; i++)
		n_alone += is_alone(&job->trials[i]);
	alone = run->n_shared = count_guests(job->n_trials - n_alone);
	run->n_batches = run->n_shared + n_alone;
	run->batches = calloc(run->n_batches + job->n_trials, sizeof(*run->batches));
	run->answered = calloc(job->n_trials + 1, sizeof(*run->answered));
	run->trials = calloc(job->n_trials + 1, sizeof(*run->trials));
	if (!run->batches || !run->answered || !run->trials)
		return error_errno(err, -ENOMEM, "engine qemu");
	for (size_t i = 0; i < job->n_trials; i++) {
		struct engine_trial *t = &run->trials[i];
		struct batch *batch;

		*t = job->trials[i];
		t->alone = is_alone(t);
		if (t->phase < 0)
			t->phase = (int64_t)(draw(job->seed, t) % TICK_PHASES);
		batch = &run->batches[t->alone ? alone++ : shared++ % run->n_shared];
		batch->run = run;
		batch->seed = t->alone ? seed_alone(run, i) : job->seed;
		batch->indices[batch->n++] = i;
	}
	return 0;
}

/* Programs take long to start, so the state of a guest where they are ready is kept. */
static int find_ready(const struct run *run, const struct engine_job *job,
		      const struct batch *batch, char **ret_setup, char **ret_path,
		      struct error *err)
{
	if (batch->n != 1 || !scenario_has_programs(job->trials[batch->indices[0]].scenario))
		return 0;
	*ret_setup = guest_job_write_setup(job, batch->indices[0]);
	return *ret_setup ? prepare_ready_path(run->image, *ret_setup, ret_path, err)
			  : error_errno(err, -ENOMEM, "engine qemu");
}

static int start_next(struct run *run, struct error *err)
{
	struct batch *batch = &run->batches[run->started];
	struct engine_job job = *run->job;
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) char *setup = NULL, *ready = NULL;
	struct guest_config config;
	int rc;

	job.trials = run->trials;
	text = guest_job_write(&job, batch->indices, batch->n);
	if (!text)
		return error_errno(err, -ENOMEM, "engine qemu");
	rc = find_ready(run, &job, batch, &setup, &ready, err);
	if (rc < 0)
		return rc;
	config = (struct guest_config){ .job = text,
					.job_size = strlen(text),
					.seed = batch->seed,
					.setup = setup,
					.setup_size = setup ? strlen(setup) : 0,
					.ready = ready,
					.line = on_line,
					.end = on_end,
					.userdata = batch };
	batch->answered_nsec = nsec_now();
	rc = guest_new(run->loop, run->image, &config, &batch->guest, err);
	if (rc < 0)
		return rc;
	run->started++;
	run->open++;
	return 0;
}

/* Starts as many guests as there are processors. When one ends, the next is started. */
static int start(struct run *run, struct error *err)
{
	size_t at_once = processors_online();
	int rc = 0;

	while (rc >= 0 && run->started < run->n_batches && run->started < at_once)
		rc = start_next(run, err);
	return rc;
}

static int run_guests(struct run *run, struct error *err)
{
	struct interrupt interrupt = { .fd = -1 };
	int rc = loop_new(&run->loop, err);

	if (rc >= 0)
		rc = interrupt_init(&interrupt, run->loop, err);
	if (rc >= 0)
		rc = loop_timer_new(run->loop, on_progress, run, &run->progress_timer, err);
	if (rc >= 0)
		rc = start(run, err);
	run->started_nsec = nsec_now();
	if (rc >= 0 && run->listener->progress)
		loop_timer_set(run->progress_timer, nsec_now() + PROGRESS_EVERY_NSEC);
	if (rc >= 0)
		rc = loop_run(run->loop, err);
	if (rc >= 0 && run->failure.kind != ERROR_NONE) {
		*err = run->failure;
		rc = -EIO;
	}
	if (rc >= 0 && (interrupt.caught || (run->job->stop && *run->job->stop)))
		rc = interrupt_error(err);
	for (size_t i = 0; i < run->n_batches; i++)
		guest_free(run->batches[i].guest);
	loop_timer_free(run->progress_timer);
	interrupt_deinit(&interrupt);
	loop_free(run->loop);
	return rc;
}

static bool tracks(const struct engine_job *job)
{
	for (size_t i = 0; i < job->n_trials; i++)
		if (scenario_tracks(job->trials[i].scenario))
			return true;
	return false;
}

/* Writes the families of the job, of which testbeds are to be ready in the snapshot. */
static void describe_pool(const struct engine_job *job, char *text, size_t size)
{
	bool wanted[_FAMILY_MAX] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < job->n_trials; i++)
		wanted[job->trials[i].family] = true;
	for (enum family f = 0; f < _FAMILY_MAX; f++)
		if (wanted[f])
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? "," : "",
					      family_name(f));
}

/* The most trials in a guest. The first guest has the most, but the job may ask for room for more.
 */
static size_t most_trials(const struct run *run)
{
	size_t n = run->batches[0].n;

	return run->job->guest_trials > n ? run->job->guest_trials : n;
}

static int make_image(struct run *run, const struct kernel *kernel, struct error *err)
{
	const size_t most = most_trials(run);
	char pool[64];
	struct guest_image_config config = {
		.kernel = kernel,
		.memory_mib = memory_for(run->job, run->programs, most),
		.no_snapshot = run->job->no_snapshot,
		.untracked = !tracks(run->job),
		.closure = run->programs,
	};

	if (most >= POOL_WORTH) {
		describe_pool(run->job, pool, sizeof(pool));
		config.prepare = pool;
	}
	return prepare_image(&config, &run->image, err);
}

/* What goes along, since making an image of it and booting that may take many seconds. */
static void tell_preparation(const struct run *run)
{
	char text[96] = "preparing guests";

	if (!run->listener->progress)
		return;
	if (run->programs)
		snprintf(text, sizeof(text),
			 "preparing guests, %llu MiB go along with the programs",
			 closure_size(run->programs) >> 20);
	run->listener->progress(text, NSEC_NEVER, 0, run->job->n_trials, run->listener->userdata);
}

static void tell_lack(const struct kernel *kernel, const char *text)
{
	fprintf(stderr, "deadpeer: kernel %s lacks %s\n", kernel->release, text);
}

static int run_all(const struct engine_job *job, const struct engine_listener *listener,
		   struct error *err)
{
	struct run run = { .job = job, .listener = listener };
	struct kernel kernel = { 0 };
	/* A signal waits from here on, so that what is made is also taken away again. */
	int rc = interrupt_block(err);

	if (rc >= 0)
		rc = kernel_find(job->kernel_name, job->kernel_modules, &kernel, err);
	if (rc < 0)
		return rc;
	/* Any other kernel was looked at when it was brought. */
	if (kernel.origin == KERNEL_PATH)
		rc = kernel_lacks(&kernel, tell_lack, err);
	if (rc >= 0)
		rc = guest_programs_find(job, &run.programs, err);
	if (rc >= 0)
		tell_preparation(&run);
	if (rc >= 0)
		rc = deal(&run, err);
	if (rc >= 0)
		rc = make_image(&run, &kernel, err);
	if (rc >= 0)
		rc = run_guests(&run, err);
	guest_image_free(run.image);
	closure_free(run.programs);
	free(run.batches);
	free(run.answered);
	free(run.trials);
	kernel_deinit(&kernel);
	return rc;
}

static int release(const char *kernel_name, const char *kernel_modules, char **ret_release,
		   struct error *err)
{
	struct kernel kernel = { 0 };
	int rc = kernel_find(kernel_name, kernel_modules, &kernel, err);

	if (rc < 0)
		return rc;
	*ret_release = strdup(kernel.release);
	kernel_deinit(&kernel);
	return *ret_release ? 0 : error_errno(err, -ENOMEM, "kernel");
}

static int emulator(char **ret_version, struct error *err)
{
	struct emulator emulator;
	int rc = emulator_find(&emulator, err);

	if (rc < 0)
		return rc;
	*ret_version = take_ptr(emulator.version);
	emulator_deinit(&emulator);
	return 0;
}

static int kernels(char ***ret_names, struct error *err)
{
	_cleanup_(strings_freep) char **names = calloc(1, sizeof(*names));
	struct kernel_list list;
	size_t count = 0;
	int rc = names ? kernel_list_init(&list, err) : error_errno(err, -ENOMEM, "kernels");

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < list.count && rc >= 0; i++)
		if (strings_append(&names, &count, list.kernels[i].name) < 0)
			rc = error_errno(err, -ENOMEM, "kernels");
	kernel_list_deinit(&list);
	if (rc >= 0)
		*ret_names = take_ptr(names);
	return rc;
}

const struct engine engine_qemu = {
	.name = "qemu",
	.virtual_time = true,
	.run = run_all,
	.release = release,
	.kernels = kernels,
	.emulator = emulator,
};
