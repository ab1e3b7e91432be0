/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/settle.h"

#include "src/tcp/state.h"
#include "src/trial/close-look.h"
#include "src/trial/minisocket.h"
#include "src/trial/population.h"
#include "src/trial/ready.h"
#include "src/trial/sample.h"
#include "src/trial/survival.h"

#define SURVIVAL_POLL	(20 * NSEC_PER_MSEC) /* between looks whether a connection still works */
#define POPULATION_POLL (1 * NSEC_PER_SEC)   /* the same of many connections, which costs more */
#define GRACE		(50 * NSEC_PER_MSEC) /* PHASE_GRACE takes this long */

/* Whether the scenario says that the connection need not be there. */
static bool is_late(const struct trial_end *end)
{
	return end->trial->spec.scenario->connections[end_connection(end->asked)].late;
}

bool settle_end_concluded(const struct trial_end *end)
{
	const struct endpoint *endpoint = &end->view[end->believed];

	if (endpoint->powerless)
		return true;
	if (!population_concluded(end) || minisocket_pending(end))
		return false;
	if (end->usable)
		return true;
	if (is_late(end) && !endpoint_exists(endpoint))
		return true;
	/* What began after the first event, and is well, is nothing to wait for. */
	if (is_late(end) && endpoint->established_nsec > end->trial->origin_nsec &&
	    endpoint->state == TCP_STATE_ESTABLISHED)
		return true;
	if (!endpoint_exists(endpoint)) /* the client may still have to try */
		return !end_connects(end->id) && end->minisocket.look_nsec == NSEC_NEVER;
	return endpoint_ended(endpoint) && (!endpoint->socket || endpoint->gone_nsec != NSEC_NONE);
}

static bool end_concluded(const struct trial *trial, const struct trial_end *end)
{
	return settle_end_concluded(end) ||
	       (trial->hurried && endpoint_ended(&end->view[end->believed]));
}

bool settle_concluded(const struct trial *trial)
{
	if (trial->phase != PHASE_RUNNING || !trial_timeline_done(trial) ||
	    trial->origin_nsec == NSEC_NONE)
		return false;
	if (!trial->hurried && nsec_now() < trial->origin_nsec + trial->spec.scenario->until_nsec)
		return false;
	for (enum end_id id = 0; id < trial->n_ends; id++)
		if (!end_concluded(trial, &trial->end[id]))
			return false;
	return true;
}

/* While the timeline runs: the next event, the next look at whether a connection still works or
 * which witness is right, or the horizon. */
static nsec_t next_while_running(const struct trial *trial)
{
	nsec_t step_nsec = timeline_next_nsec(&trial->timeline), at_nsec = trial_horizon(trial);

	if (step_nsec != NSEC_NEVER)
		at_nsec = nsec_min(at_nsec,
				   nsec_max(trial->spaced_nsec, trial->zero_nsec + step_nsec) -
					   (trial->sampled ? 0 : sample_ahead(trial)));
	else if (survival_pending(trial))
		at_nsec = nsec_min(at_nsec, nsec_now() + (trial->connections > 1 ? POPULATION_POLL
										 : SURVIVAL_POLL));
	at_nsec = nsec_min(at_nsec, nsec_min(sample_next(trial), close_look_next(trial)));
	if (trial->origin_nsec != NSEC_NONE &&
	    nsec_now() < trial->origin_nsec + trial->spec.scenario->until_nsec)
		at_nsec = nsec_min(at_nsec, trial->origin_nsec + trial->spec.scenario->until_nsec);
	for (enum end_id id = 0; id < trial->n_ends; id++)
		at_nsec = nsec_min(at_nsec, trial->end[id].doubt_nsec);
	return at_nsec;
}

static nsec_t next_look(const struct trial *trial)
{
	nsec_t at_nsec = NSEC_NEVER;

	for (enum end_id id = 0; id < trial->n_ends; id++)
		at_nsec = nsec_min(at_nsec, trial->end[id].minisocket.look_nsec);
	return at_nsec;
}

/* When the one timer is next needed. */
static nsec_t next_wake(const struct trial *trial)
{
	nsec_t limit_nsec = ready_limit(trial);

	switch (trial->phase) {
	case PHASE_START:
		return nsec_min(ready_next_look(trial), limit_nsec);
	case PHASE_READY:
		return trial->client_nsec;
	case PHASE_CLIENT:
		return nsec_min(next_look(trial), limit_nsec);
	case PHASE_HELD:
		return next_look(trial);
	case PHASE_RUNNING:
		return nsec_min(next_look(trial), next_while_running(trial));
	case PHASE_GRACE:
		return nsec_min(next_look(trial), trial->grace_nsec);
	case PHASE_OVER:
		break;
	}
	return 0;
}

void settle_trial(struct trial *trial)
{
	if (!trial->changed || trial->phase == PHASE_OVER)
		return;
	trial->changed = false;
	if (settle_concluded(trial)) {
		trial->ran_until_nsec = nsec_now();
		trial->phase = PHASE_GRACE;
		trial->grace_nsec = nsec_now() + GRACE;
	}
	loop_timer_set(trial->timer, next_wake(trial));
}
