/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/survival.h"

#include "src/tcp/state.h"
#include "src/trial/look.h"
#include "src/trial/population.h"

/* So long after the heal an idle connection is given a byte to carry. */
#define PROBE_AFTER (200 * NSEC_PER_MSEC)

static bool peer_lost(const struct trial *trial)
{
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		if (trial->node[id].view[0].powerless || trial->node[id].view[0].crashed)
			return true;
	return false;
}

bool survival_possible(const struct trial *trial)
{
	return trial_timeline_done(trial) && !trial->active && !peer_lost(trial) &&
	       trial->last_heal_nsec != NSEC_NONE;
}

static bool is_open(const struct endpoint *ep)
{
	return ep->state == TCP_STATE_ESTABLISHED && !endpoint_ended(ep);
}

/* An idle connection is given one byte to carry, from the client if it can. */
static void probe(struct trial *trial)
{
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++) {
		struct trial_node *node = &trial->node[id];

		if (trial->spec.scenario->agent[id].command || !trial->agent[id] ||
		    (!is_open(trial_endpoint(node)) && !population_open(node)))
			continue;
		agent_act(trial->agent[id], ACTION_SEND, 1, NULL);
		break;
	}
	trial->probed = true;
}

void survival_check(struct trial *trial)
{
	if (!survival_possible(trial))
		return;
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++) {
		struct trial_node *node = &trial->node[id];

		if (!node->usable && is_open(trial_endpoint(node)))
			node->usable = look_progress(node) > node->progress;
		population_look(node, false);
	}
	if (!trial->probed && nsec_now() >= trial->last_heal_nsec + PROBE_AFTER)
		probe(trial);
}
