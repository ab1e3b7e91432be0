/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/survival.h"

#include "src/tcp/state.h"
#include "src/trial/look.h"
#include "src/trial/population.h"

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

/* Whether both kernels have the connection, agree on every byte, and have nothing to send. */
static bool is_whole(struct trial *trial)
{
	struct sockdiag_socket s[_ENDPOINT_MAX];

	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		if (!is_open(trial_endpoint(&trial->node[id])) ||
		    look_up(&trial->node[id], &s[id]) <= 0)
			return false;
	return look_fits(&s[NODE_CLIENT], &s[NODE_SERVER]);
}

void survival_check(struct trial *trial)
{
	bool whole;

	if (!survival_possible(trial))
		return;
	whole = is_whole(trial);
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++) {
		struct trial_node *node = &trial->node[id];
		uint64_t bytes;

		if (!node->usable && is_open(trial_endpoint(node)) &&
		    look_progress(node, &bytes) >= 0)
			node->usable = whole || bytes > node->progress;
		population_look(node, false);
	}
	population_compare(trial);
}
