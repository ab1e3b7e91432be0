/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/phase.h"

#include "src/trial/ticks.h"

#define ROUNDS_MAX 32 /* a trial is put off so often; then it begins beside the others */

/* The next point at which a client that connects then will see its first event strike at the wanted
 * phase, in the middle of that tick: what moves it by some microseconds does not move it into
 * another. Phases are what the kernel's timer wheel goes by, its jiffies (kernel/time/timer.c:
 * calc_wheel_index). */
static nsec_t next_phase(const struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	const struct ticks *ticks = ticks_get();
	nsec_t first = s->n_events ? s->events[0].at_nsec : 0;
	nsec_t middle = ticks->edge_nsec + ticks_length() / 2;
	nsec_t passed = (nsec_now() + first - middle) / ticks_length() + 1;
	nsec_t struck = (ticks->jiffies + passed) % TICK_PHASES;
	nsec_t ahead = (trial->spec.phase - struck + TICK_PHASES) % TICK_PHASES;

	return middle + (passed + ahead) * ticks_length() - first;
}

/* Reserves the moments at which the trial has something to do if its client connects then; false if
 * one of them is too near to another trial's. */
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

/* The phase is the same after any number of rounds of the timer wheel. */
nsec_t phase_next(const struct trial *trial)
{
	nsec_t at = next_phase(trial), round = TICK_PHASES * ticks_length();

	for (int i = 0; i < ROUNDS_MAX && !reserve(trial, at); i++)
		at += round;
	return at;
}

/* A tick begins some microseconds before the coarse clock shows it, and what a timer's handler sends
 * is in that tick, not in the one before. */
#define EDGE_SEEN_LATE (40 * NSEC_PER_USEC)

int64_t phase_at(nsec_t time_nsec, nsec_t *ret_into_nsec)
{
	const struct ticks *ticks = ticks_get();
	nsec_t length = ticks_length(), passed = time_nsec - ticks->edge_nsec + EDGE_SEEN_LATE;
	nsec_t n = passed >= 0 ? passed / length : -((-passed + length - 1) / length);
	int64_t phase = (ticks->jiffies + n) % TICK_PHASES;

	*ret_into_nsec = passed - n * length;
	if (!ticks->numbered)
		return -1;
	return phase < 0 ? phase + TICK_PHASES : phase;
}
