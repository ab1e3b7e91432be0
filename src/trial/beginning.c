/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/beginning.h"

#include "src/trial/follow.h"
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

void beginning_ready(struct trial *trial)
{
	if (trial->phase != PHASE_START)
		return;
	trial->phase = PHASE_READY;
	trial->client_nsec = NSEC_NEVER;
	trial->changed = true;
	if (!trial->spec.wait)
		beginning_go(trial);
}

/* The tracepoints know best. */
static nsec_t established_at(const struct endpoint *view)
{
	if (endpoint_established(&view[WITNESS_TRACEPOINT]))
		return view[WITNESS_TRACEPOINT].established_nsec;
	if (endpoint_established(&view[WITNESS_DERIVED]))
		return view[WITNESS_DERIVED].established_nsec;
	return NSEC_NONE;
}

/* The zero of the timeline is when the last connection was established that is there by then. Where
 * a client has many connections, or there is none, it is now. */
static nsec_t zero_of(const struct trial *trial)
{
	nsec_t zero_nsec = NSEC_NONE;

	for (enum end_id id = 0; trial->connections == 1 && id < trial->n_ends; id += 2) {
		nsec_t at_nsec = established_at(trial->end[id].view);

		if (at_nsec != NSEC_NONE && (zero_nsec == NSEC_NONE || at_nsec > zero_nsec))
			zero_nsec = at_nsec;
	}
	return zero_nsec == NSEC_NONE ? nsec_now() : zero_nsec;
}

/* Whether the connection may come after the first event: the scenario says so, or it is the
 * timeline that makes it. */
static bool may_be_late(const struct scenario *s, size_t connection)
{
	const struct scenario_connection *c = &s->connections[connection];

	return c->late || !scenario_option(&s->agent[c->from], OPTION_AUTOCONNECT, 1);
}

static bool all_established(const struct trial *trial)
{
	for (enum end_id id = 0; id < trial->n_ends; id += 2)
		if (!may_be_late(trial->spec.scenario, end_connection(id)) &&
		    !follow_established(&trial->end[id]))
			return false;
	return true;
}

static void begin(struct trial *trial)
{
	trial->phase = trial->spec.hold ? PHASE_HELD : PHASE_RUNNING;
	trial->zero_nsec = zero_of(trial);
	if (!trial->spec.scenario->n_events && trial->phase == PHASE_RUNNING)
		trial->origin_nsec = trial->zero_nsec;
	trial->changed = true;
	if (trial->spec.hooks && trial->spec.hooks->connected)
		trial->spec.hooks->connected(trial->spec.hooks->userdata);
}

void beginning_connected(struct trial *trial)
{
	bool named = trial->spec.scenario->connections[0].name;

	if (trial->phase == PHASE_CLIENT && (!named || all_established(trial)) &&
	    population_complete(trial))
		begin(trial);
}

void beginning_incomplete(struct trial *trial)
{
	if (trial->phase == PHASE_CLIENT)
		begin(trial);
}
