/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/survival.h"

#include "src/tcp/state.h"
#include "src/trial/look.h"
#include "src/trial/population.h"

static bool peer_lost(const struct trial *trial)
{
	for (enum end_id id = 0; id < _END_MAX; id++)
		if (trial->end[id].view[0].powerless || trial->end[id].view[0].crashed)
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
	struct sockdiag_socket s[_END_MAX];

	for (enum end_id id = 0; id < _END_MAX; id++)
		if (!is_open(trial_endpoint(&trial->end[id])) ||
		    look_up(&trial->end[id], &s[id]) <= 0)
			return false;
	return look_fits(&s[END_CLIENT], &s[END_SERVER]);
}

void survival_check(struct trial *trial)
{
	bool whole;

	if (!survival_possible(trial))
		return;
	whole = is_whole(trial);
	for (enum end_id id = 0; id < _END_MAX; id++) {
		struct trial_end *end = &trial->end[id];
		uint64_t bytes;

		if (!end->usable && is_open(trial_endpoint(end)) && look_progress(end, &bytes) >= 0)
			end->usable = whole || bytes > end->progress;
		population_look(end, false);
	}
	population_compare(trial);
}
