/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/busy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/util/array.h"
#include "src/util/processors.h"

#define LOOK_EVERY (100 * NSEC_PER_MSEC)

struct look {
	nsec_t time_nsec, waited_nsec;
};

struct busy {
	struct loop_timer *timer;
	struct look *looks; /* in the order of time */
	size_t n_looks;
};

/* Without CONFIG_PSI there is no such file, and with psi=0 it cannot be opened or read
 * (kernel/sched/psi.c: psi_show()). */
static bool is_absent(void)
{
	return errno == ENOENT || errno == EOPNOTSUPP;
}

static nsec_t read_pressure(void)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/pressure/cpu", "re");
	unsigned long long total_us;

	if (!file)
		return is_absent() ? 0 : NSEC_NONE;
	if (fscanf(file, "some avg10=%*f avg60=%*f avg300=%*f total=%llu", &total_us) != 1)
		return is_absent() ? 0 : NSEC_NONE;
	return (nsec_t)total_us * NSEC_PER_USEC;
}

static nsec_t read_stolen(void)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/stat", "re");
	unsigned long long ticks;
	long hz = sysconf(_SC_CLK_TCK);

	if (!file || hz <= 0 || fscanf(file, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &ticks) != 1)
		return NSEC_NONE;
	return (nsec_t)ticks * (NSEC_PER_SEC / hz) / processors_online();
}

/* A look that fails, or for which there is no memory, is left out, and the next one has its time.
 */
static void look(struct busy *busy)
{
	nsec_t pressure_nsec = read_pressure(), stolen_nsec = read_stolen();
	struct look *slot = NULL;

	if (pressure_nsec != NSEC_NONE && stolen_nsec != NSEC_NONE)
		slot = array_append(&busy->looks, &busy->n_looks, sizeof(*slot));
	if (slot)
		*slot = (struct look){ nsec_now(), pressure_nsec + stolen_nsec };
}

static void on_timer(void *userdata)
{
	struct busy *busy = userdata;

	look(busy);
	loop_timer_set(busy->timer, nsec_now() + LOOK_EVERY);
}

int busy_new(struct loop *loop, struct busy **ret_busy, struct error *err)
{
	_cleanup_(busy_freep) struct busy *busy = calloc(1, sizeof(*busy));
	int rc;

	if (!busy)
		return error_errno(err, -ENOMEM, "busy");
	rc = loop_timer_new(loop, on_timer, busy, &busy->timer, err);
	if (rc < 0)
		return rc;
	on_timer(busy);
	*ret_busy = take_ptr(busy);
	return 0;
}

struct busy *busy_free(struct busy *busy)
{
	if (!busy)
		return NULL;
	loop_timer_free(busy->timer);
	free(busy->looks);
	free(busy);
	return NULL;
}

double busy_share(struct busy *busy, nsec_t span_nsec)
{
	const struct look *last, *first;
	nsec_t since_nsec;

	look(busy);
	if (busy->n_looks < 2)
		return 0;
	last = first = &busy->looks[busy->n_looks - 1];
	since_nsec = last->time_nsec - nsec_max(span_nsec, LOOK_EVERY);
	while (first > busy->looks && first->time_nsec > since_nsec)
		first--;
	if (last->time_nsec <= first->time_nsec)
		return 0;
	return (double)(last->waited_nsec - first->waited_nsec) /
	       (double)(last->time_nsec - first->time_nsec);
}
