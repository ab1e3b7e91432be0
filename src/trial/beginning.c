/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/beginning.h"

#include "src/trial/population.h"
#include "src/trial/ticks.h"

/* A trial whose moments are too near to those of others is put off by so many rounds of the timer
 * wheel at most. */
#define ROUNDS_MAX 32

/* If the client connects at the returned moment, the first event strikes at the wanted phase. It
 * strikes in the middle of a tick, so that some microseconds do not move it into another one. A
 * phase is a number of jiffies, by which the kernel's timer wheel goes (kernel/time/timer.c:
 * calc_wheel_index()). */
static nsec_t next_phase(const struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	const struct ticks *ticks = ticks_get();
	nsec_t first_nsec = s->n_events ? s->events[0].at_nsec : 0;
	nsec_t middle_nsec = ticks->edge_nsec + ticks_length() / 2;
	int64_t passed_ticks = (nsec_now() + first_nsec - middle_nsec) / ticks_length() + 1;
	int64_t struck_ticks = (ticks->jiffies + passed_ticks) % TICK_PHASES;
	int64_t ahead_ticks = (trial->spec.phase - struck_ticks + TICK_PHASES) % TICK_PHASES;

	return middle_nsec + (passed_ticks + ahead_ticks) * ticks_length() - first_nsec;
}

/* Reserves the moments at which the trial has something to do if its client connects at
 * `client_nsec`. Returns false if one of them is too near to a moment of another trial. */
static bool reserve(const struct trial *trial, nsec_t client_nsec)
{
	_cleanup_(freep) nsec_t *moments_nsec =
		calloc(trial->timeline.n_steps + 1, sizeof(*moments_nsec));

	if (!trial->spec.reserve || !moments_nsec)
		return true;
	moments_nsec[0] = client_nsec;
	for (size_t i = 0; i < trial->timeline.n_steps; i++)
		moments_nsec[i + 1] = client_nsec + trial->timeline.steps[i].at_nsec;
	return trial->spec.reserve(moments_nsec, trial->timeline.n_steps + 1, trial->userdata);
}

/* When to start the client of a trial with a pinned phase. The phase is the same after any number
 * of rounds of the timer wheel. */
static nsec_t client_start(const struct trial *trial)
{
	nsec_t at_nsec = next_phase(trial), round_nsec = TICK_PHASES * ticks_length();

	for (int i = 0; i < ROUNDS_MAX && !reserve(trial, at_nsec); i++)
		at_nsec += round_nsec;
	return at_nsec;
}

void beginning_go(struct trial *trial)
{
	if (trial->phase != PHASE_READY)
		return;
	trial->client_nsec = trial->spec.phase < 0 ? nsec_now() : client_start(trial);
	trial->changed = true;
}

void beginning_listening(struct trial *trial)
{
	if (trial->phase != PHASE_SERVER)
		return;
	trial->phase = PHASE_READY;
	trial->client_nsec = NSEC_NEVER;
	trial->changed = true;
	if (!trial->spec.wait)
		beginning_go(trial);
}

/* The zero of the timeline is when the one connection was established, which the tracepoints know
 * best. Where there are many connections, or none, it is now. */
static nsec_t established_at(const struct trial *trial)
{
	const struct endpoint *view = trial->end[END_CLIENT].view;

	if (trial->connections > 1)
		return nsec_now();
	if (endpoint_established(&view[WITNESS_TRACEPOINT]))
		return view[WITNESS_TRACEPOINT].established_nsec;
	if (endpoint_established(&view[WITNESS_DERIVED]))
		return view[WITNESS_DERIVED].established_nsec;
	return nsec_now();
}

static void begin(struct trial *trial)
{
	trial->phase = trial->spec.hold ? PHASE_HELD : PHASE_RUNNING;
	trial->zero_nsec = established_at(trial);
	if (!trial->spec.scenario->n_events && trial->phase == PHASE_RUNNING)
		trial->origin_nsec = trial->zero_nsec;
	trial->changed = true;
	if (trial->spec.hooks && trial->spec.hooks->connected)
		trial->spec.hooks->connected(trial->spec.hooks->userdata);
}

void beginning_connected(struct trial *trial)
{
	if (trial->phase == PHASE_CLIENT && population_complete(trial))
		begin(trial);
}

void beginning_incomplete(struct trial *trial)
{
	if (trial->phase == PHASE_CLIENT)
		begin(trial);
}
