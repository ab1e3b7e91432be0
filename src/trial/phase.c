/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/phase.h"

/* When a trial begins, so that the timer wheel stands where it should at its first event, and no
 * other trial of the guest is in its way. */
#include <stdio.h>
#include <time.h>

#include "src/model/model.h"
#include "src/util/tick.h"

#define ROUNDS_MAX   32 /* that a trial is put off; then it takes its chance */
#define READINGS_MAX 16

/* The kernel's ticks on CLOCK_MONOTONIC: number `jiffies` began at `edge_nsec`, and each is as long
 * as the others. */
struct ticks {
	int64_t jiffies;
	nsec_t edge_nsec;
};

static nsec_t tick_nsec(void)
{
	return NSEC_PER_SEC / tick_hz();
}

/* The coarse clock moves with each tick, if not by when that was (kernel/time/timekeeping.c:
 * update_wall_time). */
static nsec_t await_tick(void)
{
	struct timespec before, now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &before);
	do
		clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
	return nsec_now();
}

/* "jiffies: 4294911234", once a processor, after its timers. */
static int64_t read_jiffies(void)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/timer_list", "re");
	unsigned long long jiffies;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "jiffies: %llu", &jiffies) == 1)
			return (int64_t)(uint32_t)jiffies;
	return -1;
}

static void wait_until(nsec_t at)
{
	while (nsec_now() < at)
		;
}

/* Printing the list takes as long as a tick, but the number is printed in the last moments of that:
 * it is the one of the tick in which the reading ends, unless that has only just begun. Where the
 * kernel does not tell, ticks are counted from the start of the clock; then a phase is another one
 * after another boot. */
static const struct ticks *ticks_known(void)
{
	static struct ticks ticks = { .jiffies = -1 };

	for (int i = 0; i < READINGS_MAX && ticks.jiffies < 0; i++) {
		nsec_t edge = await_tick(), passed;
		int64_t jiffies;

		wait_until(edge + i % 4 * tick_nsec() / 4);
		jiffies = read_jiffies();
		passed = nsec_now() - edge;
		if (jiffies >= 0 && passed % tick_nsec() > tick_nsec() / 4)
			ticks = (struct ticks){ jiffies - passed / tick_nsec(), edge };
	}
	if (ticks.jiffies < 0)
		ticks = (struct ticks){ 0, nsec_now() / tick_nsec() * tick_nsec() };
	return &ticks;
}

void trial_learn_ticks(void)
{
	ticks_known();
}

/* The next point at which a client that connects then will see its first event strike at the wanted
 * phase, in the middle of that tick: what moves it by some microseconds does not move it into
 * another. Phases are what the kernel's timer wheel goes by, its jiffies (kernel/time/timer.c:
 * calc_wheel_index). */
static nsec_t next_phase(const struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	const struct ticks *ticks = ticks_known();
	nsec_t first = s->n_events ? s->events[0].at_nsec : 0;
	nsec_t middle = ticks->edge_nsec + tick_nsec() / 2;
	nsec_t passed = (nsec_now() + first - middle) / tick_nsec() + 1;
	nsec_t struck = (ticks->jiffies + passed) % TICK_PHASES;
	nsec_t ahead = (trial->spec.phase - struck + TICK_PHASES) % TICK_PHASES;

	return middle + (passed + ahead) * tick_nsec() - first;
}

/* Whether nobody else has something to do when this trial has, should its client connect then. */
static bool reserve(const struct trial *trial, nsec_t client_nsec)
{
	_cleanup_(freep) nsec_t *moments = calloc(trial->timeline.n_steps + 1, sizeof(*moments));

	if (!trial->spec.reserve || !moments)
		return true;
	moments[0] = client_nsec;
	for (size_t i = 0; i < trial->timeline.n_steps; i++)
		moments[i + 1] = client_nsec + trial->timeline.steps[i].at_nsec;
	return trial->spec.reserve(moments, trial->timeline.n_steps + 1, trial->userdata);
}

/* The phase is the same after any number of rounds. */
nsec_t phase_next(const struct trial *trial)
{
	nsec_t at = next_phase(trial), round = TICK_PHASES * tick_nsec();

	for (int i = 0; i < ROUNDS_MAX && !reserve(trial, at); i++)
		at += round;
	return at;
}
