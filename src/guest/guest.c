/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation. A guest goes through the steps of `enum step`, and QEMU's monitor
 * says when one is over. The guest boots until it stops by itself at the snapshot point, or
 * it is restored from a snapshot that was taken there. From there it runs with its job in
 * the window. While it runs, this process only looks at it: fifty times a second at what it
 * has written, and at whether QEMU is still there. A guest has ended when QEMU has ended,
 * never because of anything that it says.
 */
#include "src/guest/guest.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "src/guest/console.h"
#include "src/guest/count.h"
#include "src/guest/image.h"
#include "src/guest/keep.h"
#include "src/guest/machine.h"
#include "src/guest/process.h"
#include "src/guest/qmp.h"
#include "src/guest/window.h"
#include "src/kernel/cache.h"
#include "src/util/interrupt.h"

#define LOOK_NSEC	   (20 * NSEC_PER_MSEC)
#define STALL_DEFAULT_NSEC (120 * NSEC_PER_SEC)
#define STALL_BUSY_TIMES   5 /* so many times as long without progress is too long on any machine */
/* A guest in which no timer is armed never wakes. It is given up after so long. */
#define ASLEEP_NSEC (5 * NSEC_PER_SEC)
/* A job that was ready with less of a processor's time is not worth a snapshot. To write one takes
 * about as long. */
#define WORTH_NSEC (300 * NSEC_PER_MSEC)

enum step {
	STEP_BOOT, /* QEMU starts, and the guest boots until it stops by itself */
	STEP_LOAD, /* QEMU starts, and loads the state of a snapshot */
	STEP_RUN,  /* the guest does its job */
	STEP_SAVE, /* QEMU writes the state to a snapshot, booted or ready */
	STEP_QUIT, /* the snapshot is written, and QEMU is to end */
};

struct guest {
	struct loop *loop; /* the caller's, like `image` */
	struct guest_image *image;
	struct guest_config config; /* its job has been copied into the window, or to `job` */
	void *setup, *job; /* of a guest with a setup: that, and what comes after it; owned */
	enum step step;
	struct guest_snapshot snapshot; /* the guest is restored from it, or writes it */
	bool saving;			/* the guest only writes `snapshot`, the caller's */
	char *restored_from;		/* path of `snapshot`, if it is restored; owned */
	struct guest_keep keep;		/* the snapshot of the guest when its job is ready */
	struct guest_process process;
	struct qmp *qmp;	    /* QEMU's monitor; owned, as what follows */
	struct loop_io *process_io; /* tells of QEMU's end */
	struct loop_io *console_io; /* tells of text on the console */
	struct loop_timer *timer;   /* looks at the guest every LOOK_NSEC */
	struct guest_console console;
	struct guest_count count;
	struct guest_window *window; /* mapped; NULL: not yet */
	int window_fd;		     /* the file that the window is */
	uint64_t delivered;	     /* bytes of output handed on */
	uint64_t progress;	     /* sum of the counters at the last look that saw a change */
	nsec_t progress_nsec;	     /* time of that look */
	int64_t progress_cpu_nsec;   /* QEMU's processor time at that look */
	int64_t cpu_nsec;	     /* QEMU's processor time at the last look that saw a change */
	nsec_t cpu_seen_nsec;	     /* time of that look */
	struct error failure;	     /* why the guest failed; kind ERROR_NONE: it did not */
};

static void on_process(void *userdata, uint32_t events);

static void give_up(struct guest *guest, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void give_up(struct guest *guest, const char *format, ...)
{
	va_list ap;

	if (guest->failure.kind == ERROR_NONE) {
		va_start(ap, format);
		error_setv(&guest->failure, ERROR_FAILED, -EIO, format, ap);
		va_end(ap);
	}
	guest_process_kill(&guest->process);
}

/* Gives the guest its setup, or its job once that is ready. */
static void write_phase(const struct guest *guest, bool ready)
{
	const struct guest_config *config = &guest->config;

	if (!guest->setup)
		return;
	if (ready)
		guest_window_write_job(guest->window, guest->job, config->job_size, config->seed);
	else
		guest_window_write_job(guest->window, guest->setup, config->setup_size, 0);
}

static void cont(struct guest *guest)
{
	guest->progress_nsec = guest->cpu_seen_nsec = nsec_now();
	qmp_send(guest->qmp, "{\"execute\":\"cont\"}");
}

static void run_job(struct guest *guest)
{
	guest->step = STEP_RUN;
	guest_count_ask(&guest->count, guest->qmp);
	cont(guest);
}

/* The snapshot that QEMU writes, if it writes one. */
static const struct guest_snapshot *saved_to(const struct guest *guest)
{
	return guest->saving ? &guest->snapshot : &guest->keep.snapshot;
}

/* Has QEMU load or save its state, except the memory, which is a file of its own. QEMU executes
 * the commands one after the other, and tells of an error at any of them. */
static void migrate(struct guest *guest, const char *command)
{
	int fd = guest->step == STEP_LOAD ? guest->snapshot.device_fd : saved_to(guest)->device_fd;
	char text[128], uri[64] = "fd:state";

	qmp_send(guest->qmp,
		 "{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":["
		 "{\"capability\":\"x-ignore-shared\",\"state\":true},"
		 "{\"capability\":\"events\",\"state\":true}]}}");
	/* After it has loaded a state, QEMU by default announces its network cards five times in
	 * two seconds of the host's clock. This machine has none. */
	qmp_send(guest->qmp, "{\"execute\":\"migrate-set-parameters\",\"arguments\":"
			     "{\"announce-rounds\":0}}");
	/* QEMU 8.2 brought "file:", and 11.1 no longer takes a file as "fd:". */
	if (emulator_is_since(guest->image->qemu.version, 8, 2))
		snprintf(uri, sizeof(uri), "file:/proc/self/fd/%d", fd);
	else
		qmp_send_fd(guest->qmp, "state", fd);
	snprintf(text, sizeof(text), "{\"execute\":\"%s\",\"arguments\":{\"uri\":\"%s\"}}", command,
		 uri);
	qmp_send(guest->qmp, text);
}

static void on_greeting(struct guest *guest)
{
	qmp_send(guest->qmp, "{\"execute\":\"qmp_capabilities\"}");
	if (guest->step == STEP_LOAD)
		migrate(guest, "migrate-incoming");
	else
		cont(guest);
}

static void save(struct guest *guest)
{
	guest->step = STEP_SAVE;
	migrate(guest, "migrate");
}

/* A guest that is counted stops when its job has ended, and does not end by itself. */
static void on_ended(struct guest *guest)
{
	guest_count_ask(&guest->count, guest->qmp);
	qmp_send(guest->qmp, "{\"execute\":\"quit\"}");
}

/* The guest's job is ready. What was quick is not kept. */
static void on_ready(struct guest *guest)
{
	if (guest_keep_active(&guest->keep) &&
	    guest_process_cpu_nsec(&guest->process) >= WORTH_NSEC) {
		save(guest);
		return;
	}
	guest_keep_drop(&guest->keep);
	write_phase(guest, true);
	cont(guest);
}

static void on_stop(struct guest *guest)
{
	if (guest->step == STEP_RUN && atomic_load(&guest->window->state) == GUEST_STATE_ENDED)
		on_ended(guest);
	else if (guest->step == STEP_RUN)
		on_ready(guest);
	if (guest->step != STEP_BOOT)
		return;
	if (guest->saving)
		save(guest);
	else
		run_job(guest);
}

static void on_migration(struct guest *guest, const char *status)
{
	if (strcmp(status, "failed") == 0) {
		qmp_send(guest->qmp, "{\"execute\":\"query-migrate\"}"); /* the answer says why */
	} else if (strcmp(status, "completed") == 0 && guest->step == STEP_LOAD) {
		run_job(guest);
	} else if (strcmp(status, "completed") == 0 && guest->step == STEP_SAVE) {
		guest->step = STEP_QUIT;
		qmp_send(guest->qmp, "{\"execute\":\"quit\"}");
	}
}

static void on_error(struct guest *guest, const char *text)
{
	const char *version = guest->image->qemu.version;

	if (guest->step == STEP_LOAD || guest->step == STEP_SAVE)
		give_up(guest, "QEMU %s could not %s a snapshot: %s (--no-snapshot does without)",
			version, guest->step == STEP_SAVE ? "write" : "load", text);
	else
		give_up(guest, "QEMU %s: %s", version, text);
}

static void on_qmp(void *userdata, const struct qmp_message *message)
{
	struct guest *guest = userdata;

	if (message->kind == QMP_GREETING)
		on_greeting(guest);
	else if (message->kind == QMP_ERROR)
		on_error(guest, message->text);
	else if (message->kind == QMP_ICOUNT)
		guest_count_take(&guest->count, message->icount);
	else if (strcmp(message->text, "STOP") == 0)
		on_stop(guest);
	else if (strcmp(message->text, "MIGRATION") == 0)
		on_migration(guest, message->status);
}

static void read_console(struct guest *guest)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(guest->process.console_fd, buffer, sizeof(buffer))) > 0)
		guest_console_add(&guest->console, buffer, (size_t)n);
	if (n == 0)
		guest->console_io = loop_io_free(guest->console_io);
}

static void on_console(void *userdata, uint32_t events)
{
	read_console(userdata);
}

/* Hands on the lines that are whole, and that have not been handed on before. */
static void deliver(struct guest *guest)
{
	char *output = (char *)guest->window + guest->window->output_offset;
	uint64_t used = atomic_load(&guest->window->output_used);

	while (guest->delivered < used) {
		char *line = output + guest->delivered;
		char *end = memchr(line, '\n', used - guest->delivered);

		if (!end)
			return;
		*end = '\0';
		guest->delivered += (uint64_t)(end - line) + 1;
		guest->config.line(guest->config.userdata, line, (size_t)(end - line));
	}
}

/* A guest that loops uses a processor all the time. On a busy machine a guest that works may get so
 * little of one that it makes no progress for as long, but it does not use much either. */
static bool is_stalled(const struct guest *guest, nsec_t now_nsec, int64_t cpu_nsec)
{
	nsec_t stall_nsec = guest->config.stall_nsec, span_nsec = now_nsec - guest->progress_nsec;

	return span_nsec > STALL_BUSY_TIMES * stall_nsec ||
	       (span_nsec > stall_nsec && cpu_nsec - guest->progress_cpu_nsec > stall_nsec / 2);
}

static void check_progress(struct guest *guest)
{
	const struct guest_window *window = guest->window;
	uint64_t progress = atomic_load(&window->output_used) + atomic_load(&window->progress) +
			    atomic_load(&window->state) + guest->step;
	int64_t cpu_nsec = guest_process_cpu_nsec(&guest->process);
	nsec_t now_nsec = nsec_now();

	/* A QEMU that uses no processor time may also be waiting for a processor. */
	if (cpu_nsec - guest->cpu_nsec > NSEC_PER_MSEC ||
	    (now_nsec - guest->cpu_seen_nsec > ASLEEP_NSEC &&
	     !guest_process_is_asleep(&guest->process))) {
		guest->cpu_nsec = cpu_nsec;
		guest->cpu_seen_nsec = now_nsec;
	}
	if (progress != guest->progress) {
		guest->progress = progress;
		guest->progress_nsec = now_nsec;
		guest->progress_cpu_nsec = cpu_nsec;
	}
	if (is_stalled(guest, now_nsec, cpu_nsec))
		give_up(guest, "it hangs: no progress in %lld s",
			(long long)(guest->config.stall_nsec / NSEC_PER_SEC));
	else if (guest->step == STEP_RUN && now_nsec - guest->cpu_seen_nsec > ASLEEP_NSEC)
		give_up(guest, "it hangs: it sleeps and no timer is armed to wake it");
}

static void on_timer(void *userdata)
{
	struct guest *guest = userdata;

	if (guest->step == STEP_RUN)
		deliver(guest);
	check_progress(guest);
	loop_timer_set(guest->timer, nsec_now() + LOOK_NSEC);
}

static void stop_watching(struct guest *guest)
{
	guest->process_io = loop_io_free(guest->process_io);
	guest->console_io = loop_io_free(guest->console_io);
	guest->qmp = qmp_free(guest->qmp);
	if (guest->timer)
		loop_timer_set(guest->timer, NSEC_NEVER);
}

static int watch(struct guest *guest, struct error *err)
{
	int fd = take_fd(&guest->process.monitor_fd);
	int rc = qmp_new(guest->loop, fd, on_qmp, guest, &guest->qmp, err);

	if (rc >= 0)
		rc = loop_io_new(guest->loop, guest->process.console_fd, EPOLLIN, on_console, guest,
				 &guest->console_io, err);
	if (rc >= 0)
		rc = loop_io_new(guest->loop, guest->process.pid_fd, EPOLLIN, on_process, guest,
				 &guest->process_io, err);
	if (rc >= 0)
		loop_timer_set(guest->timer, nsec_now() + LOOK_NSEC);
	return rc;
}

/* Starts QEMU, which restores the snapshot if one is open and not to be saved. */
static int launch(struct guest *guest, struct error *err)
{
	bool keeping = guest_keep_active(&guest->keep);
	const struct machine_run run = {
		.memory_fd = keeping ? guest->keep.snapshot.memory_fd : guest->snapshot.memory_fd,
		.memory_shared = guest->saving || keeping,
		.window_fd = guest->window_fd,
		.load_fd = guest->saving ? -1 : guest->snapshot.device_fd,
		.save_fd = saved_to(guest)->device_fd,
		.incoming = guest->snapshot.memory_fd >= 0 && !guest->saving,
	};
	int rc;

	write_phase(guest, run.incoming && guest->keep.path &&
				   !strcmp(guest->restored_from, guest->keep.path));
	guest->step = run.incoming ? STEP_LOAD : STEP_BOOT;
	guest->progress_nsec = guest->cpu_seen_nsec = nsec_now();
	guest->cpu_nsec = guest->progress_cpu_nsec = 0;
	rc = guest_process_start(&guest->process, guest->image, &run, err);
	return rc < 0 ? rc : watch(guest, err);
}

/* Puts into `guest->failure` why the guest ended before its job had ended. */
static void explain(struct guest *guest, int status)
{
	char cause[320], tail[600];

	guest_console_tail(&guest->console, tail, sizeof(tail));
	/* QEMU gets SIGBUS if the disk has no room for a page of the memory file. */
	if (guest->saving && WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS) {
		cache_error(&guest->failure, -ENOSPC, "a snapshot in the cache");
		return;
	}
	if (guest_console_cause(&guest->console, guest->image->memory_mib, cause, sizeof(cause)))
		;
	else if (guest->failure.kind != ERROR_NONE)
		snprintf(cause, sizeof(cause), "%.300s", guest->failure.text);
	else if (atomic_load(&guest->window->state) == GUEST_STATE_FAILED)
		snprintf(cause, sizeof(cause), "%.300s", guest->window->failure);
	else if (WIFSIGNALED(status))
		snprintf(cause, sizeof(cause), "QEMU was killed by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(cause, sizeof(cause), "QEMU ended early, with status %d",
			 WEXITSTATUS(status));
	error_set(&guest->failure, ERROR_FAILED, -EIO, "guest %s: %s%s%s", guest->image->release,
		  cause, *tail ? "; its console's last lines: " : "", tail);
}

static bool succeeded(const struct guest *guest, int status)
{
	if (guest->saving)
		return guest->step == STEP_QUIT && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return atomic_load(&guest->window->state) == GUEST_STATE_ENDED;
}

static bool open_snapshot(struct guest *guest, const char *path)
{
	guest_snapshot_close(&guest->snapshot);
	free(guest->restored_from);
	guest->restored_from = strdup(path);
	return guest->restored_from && guest_snapshot_open(&guest->snapshot, path);
}

/* Opens the snapshot of the guest whose job is ready, or that of the booted one, in which case the
 * other may be made. */
static void open_snapshots(struct guest *guest)
{
	if (guest->keep.path && open_snapshot(guest, guest->keep.path))
		return;
	if (open_snapshot(guest, guest->image->snapshot))
		guest_keep_begin(&guest->keep, &guest->snapshot);
}

static bool start_again(struct guest *guest)
{
	struct error ignored;

	guest->failure = (struct error){ 0 };
	guest->count = guest_count_new();
	atomic_store(&guest->window->state, GUEST_STATE_NONE);
	return launch(guest, &ignored) >= 0;
}

/* A guest whose state when it was ready has been written goes on from there. If it could not be
 * written, the guest begins once more, without that. */
static bool go_on(struct guest *guest, int status)
{
	bool written = guest->step == STEP_QUIT && WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (!guest_keep_active(&guest->keep) || guest->delivered)
		return false;
	if (!written || !guest_keep_commit(&guest->keep) ||
	    !open_snapshot(guest, guest->keep.path)) {
		guest_keep_drop(&guest->keep);
		open_snapshot(guest, guest->image->snapshot);
	}
	return start_again(guest);
}

/* If a snapshot cannot be restored, or its guest fails, the snapshot is removed, so that the next
 * image makes it again. This guest is booted instead, unless its job has begun. */
static bool boot_instead(struct guest *guest)
{
	if (guest->saving || guest->snapshot.memory_fd < 0 || guest->delivered)
		return false;
	cache_remove(guest->restored_from);
	guest_snapshot_close(&guest->snapshot);
	return guest->step != STEP_RUN && start_again(guest);
}

static void on_process(void *userdata, uint32_t events)
{
	struct guest *guest = userdata;
	int status;

	read_console(guest);
	stop_watching(guest);
	status = guest_process_end(&guest->process);
	if (!guest->saving)
		deliver(guest);
	if (succeeded(guest, status)) {
		guest->failure = (struct error){ 0 };
		guest->config.end(guest->config.userdata, (int)guest->window->status, NULL);
		return;
	}
	if (go_on(guest, status) || boot_instead(guest))
		return;
	explain(guest, status);
	guest->config.end(guest->config.userdata, -1, &guest->failure);
}

static void *copy(const void *data, size_t size)
{
	void *ret = malloc(size + 1);

	return ret ? memcpy(ret, data, size) : NULL;
}

static int make_window(struct guest *guest, const struct guest_config *config, struct error *err)
{
	const size_t room = GUEST_WINDOW_SIZE - GUEST_WINDOW_JOB - GUEST_WINDOW_OUTPUT;
	int rc;

	if (config->job_size > room || config->setup_size > room)
		return error_input(err, "a job of %zu bytes is more than a guest takes",
				   config->job_size);
	rc = guest_window_new(&guest->window, &guest->window_fd, err);
	if (rc < 0)
		return rc;
	guest->window->counted = guest->count.path != NULL;
	if (!config->setup) {
		guest_window_write_job(guest->window, config->job, config->job_size, config->seed);
		return 0;
	}
	guest->setup = copy(config->setup, config->setup_size);
	guest->job = copy(config->job, config->job_size);
	return guest->setup && guest->job ? 0 : error_errno(err, -ENOMEM, "guest");
}

/* Makes a guest; `save` is the snapshot that it is to write, which stays the caller's, or NULL. */
static int start_guest(struct loop *loop, struct guest_image *image,
		       const struct guest_config *config, const struct guest_snapshot *save,
		       struct guest **ret_guest, struct error *err)
{
	_cleanup_(guest_freep) struct guest *guest = malloc(sizeof(*guest));
	int rc;

	if (!guest)
		return error_errno(err, -ENOMEM, "guest");
	*guest = (struct guest){
		.loop = loop,
		.image = image,
		.config = *config,
		.snapshot = save ? *save : GUEST_SNAPSHOT_NONE,
		.saving = save,
		.keep = GUEST_KEEP_NONE,
		.count = guest_count_new(),
		.process = GUEST_PROCESS_NONE,
		.window_fd = -1,
	};
	if (!guest->config.stall_nsec)
		guest->config.stall_nsec = STALL_DEFAULT_NSEC;
	rc = make_window(guest, config, err);
	if (rc >= 0)
		rc = loop_timer_new(loop, on_timer, guest, &guest->timer, err);
	if (rc >= 0 && config->ready && !(guest->keep.path = strdup(config->ready)))
		rc = error_errno(err, -ENOMEM, "guest");
	if (rc >= 0 && !save && image->snapshot)
		open_snapshots(guest);
	if (rc >= 0)
		rc = launch(guest, err);
	if (rc >= 0)
		*ret_guest = take_ptr(guest);
	return rc;
}

int guest_new(struct loop *loop, struct guest_image *image, const struct guest_config *config,
	      struct guest **ret_guest, struct error *err)
{
	return start_guest(loop, image, config, NULL, ret_guest, err);
}

struct guest *guest_free(struct guest *guest)
{
	if (!guest)
		return NULL;
	stop_watching(guest);
	guest_process_kill(&guest->process);
	guest_process_end(&guest->process);
	if (!guest->saving)
		guest_snapshot_close(&guest->snapshot);
	guest_keep_deinit(&guest->keep);
	free(guest->restored_from);
	free(guest->setup);
	free(guest->job);
	loop_timer_free(guest->timer);
	if (guest->window)
		munmap(guest->window, GUEST_WINDOW_SIZE);
	fd_close(guest->window_fd);
	free(guest);
	return NULL;
}

static void save_ended(void *userdata, int status, const struct error *err)
{
	loop_quit(userdata);
}

int guest_save(struct guest_image *image, const struct guest_snapshot *snapshot, struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	_cleanup_(guest_freep) struct guest *guest = NULL;
	struct interrupt interrupt = { .fd = -1 };
	struct guest_config config = { .end = save_ended };
	int rc = loop_new(&loop, err);

	config.userdata = loop;
	if (rc >= 0)
		rc = interrupt_init(&interrupt, loop, err);
	if (rc >= 0)
		rc = start_guest(loop, image, &config, snapshot, &guest, err);
	if (rc >= 0)
		rc = loop_run(loop, err);
	interrupt_deinit(&interrupt);
	if (rc >= 0 && interrupt.caught)
		return interrupt_error(err);
	if (rc >= 0 && guest->failure.kind != ERROR_NONE) {
		if (err)
			*err = guest->failure;
		return -EIO;
	}
	return rc;
}
