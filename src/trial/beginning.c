/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/beginning.h"

#include "src/trial/phase.h"
#include "src/trial/population.h"

void beginning_go(struct trial *trial)
{
	if (trial->phase != PHASE_READY)
		return;
	trial->client_nsec = trial->spec.phase < 0 ? nsec_now() : phase_next(trial);
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

/* The zero of the timeline: when the one connection was established, which the tracepoints know
 * best, or now. */
static nsec_t established_at(const struct trial *trial)
{
	const struct endpoint *view = trial->node[NODE_CLIENT].view;

	if (trial->connections > 1)
		return nsec_now();
	if (endpoint_established(&view[WITNESS_TRACEPOINT]))
		return view[WITNESS_TRACEPOINT].established_nsec;
	if (endpoint_established(&view[WITNESS_DERIVED]))
		return view[WITNESS_DERIVED].established_nsec;
	return nsec_now();
}

void beginning_connected(struct trial *trial)
{
	if (trial->phase != PHASE_CLIENT || !population_complete(trial))
		return;
	trial->phase = trial->spec.hold ? PHASE_HELD : PHASE_RUNNING;
	trial->zero_nsec = established_at(trial);
	if (!trial->spec.scenario->n_events && trial->phase == PHASE_RUNNING)
		trial->origin_nsec = trial->zero_nsec;
	trial->changed = true;
	if (trial->spec.hooks && trial->spec.hooks->connected)
		trial->spec.hooks->connected(trial->spec.hooks->userdata);
}
