/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded into QEMU (LD_PRELOAD): its main loop and its one virtual processor take turns.
 *
 * Theory of operation. With `-icount sleep=off` the processor that finds nothing to do parks (waits
 * on a condition) and wakes the main loop, which sets the clock to the next timer, runs it and
 * kicks the processor. Doing so, the main loop wakes itself once more (qemu_clock_notify()), and
 * looks again whether all processors are idle while this one executes. Should it just then halt,
 * the main loop sees it idle before the instructions of its last turn have been counted, sets the
 * clock ahead from where that turn began, and guest time gains some microseconds: as the host's
 * scheduler has it, in one of a thousand wake-ups on a busy machine (icount_start_warp_timer() in
 * softmmu/cpu-timers.c or accel/tcg/icount-common.c; do_hlt() in target/i386). So the main loop
 * does not go on before the processor has parked. It waits for a second at most: a processor that
 * has so much to do is not about to halt, and whoever wants QEMU to end need not wait for it.
 *
 * An idle guest wakes up every few seconds of its time, for a moment: hundreds of thousands of
 * times a month, and each time both threads have something to do. Waking a thread on another host
 * processor, which sleeps, takes several times as long as switching to it on this one; so all
 * threads of this QEMU are kept on one, the one that the scheduler last chose for the virtual
 * processor. Now and then they are let free, so that the scheduler chooses again.
 *
 * Nothing of deadpeer's is linked here: it lives in another program.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LEAST_WAIT    1000000 /* ns */
#define PARKS_FREE    64      /* where the processor has parked that often ... */
#define PARKS_FREE_MS 100     /* ... in that time, it and the others are kept together ... */
#define KEPT_MS	      500     /* ... for that long */
#define PUBLIC	      __attribute__((visibility("default")))

static _Atomic(pthread_cond_t *) processor_parks_on; /* NULL before the first time */
static _Atomic int parked = 1;			     /* also while there is no processor */
static _Atomic int awaited;

static int (*real_wait)(pthread_cond_t *, pthread_mutex_t *);
static int (*real_broadcast)(pthread_cond_t *);
static int (*real_signal)(pthread_cond_t *);
static int (*real_ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void find_originals(void)
{
	/* dlsym() would find the version before 2.3.2, whose condition variables differ. */
	*(void **)&real_wait = dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
	*(void **)&real_broadcast = dlvsym(RTLD_NEXT, "pthread_cond_broadcast", "GLIBC_2.3.2");
	*(void **)&real_signal = dlvsym(RTLD_NEXT, "pthread_cond_signal", "GLIBC_2.3.2");
	if (!real_wait || !real_broadcast || !real_signal) {
		*(void **)&real_wait = next("pthread_cond_wait");
		*(void **)&real_broadcast = next("pthread_cond_broadcast");
		*(void **)&real_signal = next("pthread_cond_signal");
	}
	*(void **)&real_ppoll = next("ppoll");
}

/* By its name, "ALL CPUs/TCG" or "CPU 0/TCG": -name debug-threads=on. */
static bool is_processor(void)
{
	static __thread int known;
	char name[16] = "";

	if (!known) {
		prctl(PR_GET_NAME, name);
		known = strstr(name, "/TCG") ? 1 : -1;
	}
	return known > 0;
}

/* Sets the host processors on which all threads of this process may run. */
static void place(const cpu_set_t *where)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;

	while (tasks && (task = readdir(tasks)))
		if (task->d_name[0] != '.')
			sched_setaffinity(atoi(task->d_name), sizeof(*where), where);
	if (tasks)
		closedir(tasks);
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Called by the processor each time it parks. One that has much to do is left alone. */
static void choose_place(void)
{
	static int64_t since_ms; /* it has been where it is, or has been free */
	static unsigned int parks;
	static bool kept;
	static cpu_set_t allowed;
	int64_t now_ms = clock_ms();
	cpu_set_t here;

	if (kept ? now_ms - since_ms < KEPT_MS : ++parks < PARKS_FREE)
		return;
	if (kept) {
		place(&allowed);
		kept = false;
	} else if (now_ms - since_ms <= PARKS_FREE_MS &&
		   sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
		CPU_ZERO(&here);
		CPU_SET(sched_getcpu(), &here);
		place(&here);
		kept = true;
	}
	parks = 0;
	since_ms = now_ms;
}

PUBLIC int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	int rc;

	if (!is_processor())
		return real_wait(cond, mutex);
	choose_place();
	atomic_store(&processor_parks_on, cond);
	atomic_store(&parked, 1);
	if (atomic_load(&awaited))
		syscall(SYS_futex, &parked, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	rc = real_wait(cond, mutex);
	atomic_store(&parked, 0);
	return rc;
}

/* It is on its way from here, though it has not left yet. */
static void note_kick(const pthread_cond_t *cond)
{
	if (cond == atomic_load(&processor_parks_on))
		atomic_store(&parked, 0);
}

PUBLIC int pthread_cond_broadcast(pthread_cond_t *cond)
{
	note_kick(cond);
	return real_broadcast(cond);
}

PUBLIC int pthread_cond_signal(pthread_cond_t *cond)
{
	note_kick(cond);
	return real_signal(cond);
}

/* The main loop holds no lock here. It waits about as long as it would have slept: a timer of the
 * host's time that is due leaves the processor no instruction to execute before it has run
 * (icount_get_limit() in accel/tcg/tcg-accel-ops-icount.c), and only the main loop runs it. */
static void wait_until_parked(const struct timespec *timeout)
{
	struct timespec limit = { .tv_sec = 1 };

	if (timeout && timeout->tv_sec == 0)
		limit = (struct timespec){ .tv_nsec = timeout->tv_nsec < LEAST_WAIT
							      ? LEAST_WAIT
							      : timeout->tv_nsec };
	atomic_store(&awaited, 1);
	if (!atomic_load(&parked))
		syscall(SYS_futex, &parked, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0);
	atomic_store(&awaited, 0);
}

PUBLIC int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		 const sigset_t *mask)
{
	if (getpid() == syscall(SYS_gettid))
		wait_until_parked(timeout);
	return real_ppoll(fds, count, timeout, mask);
}
