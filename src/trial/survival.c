/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/survival.h"

#include "src/tcp/state.h"
#include "src/trial/look.h"
#include "src/trial/population.h"

static bool is_lost(const struct trial_end *end)
{
	return end->view[0].powerless || end->view[0].crashed;
}

/* Whether a connection has both its ends still. */
static bool is_complete(const struct trial *trial, size_t connection)
{
	return !is_lost(&trial->end[2 * connection]) && !is_lost(&trial->end[2 * connection + 1]);
}

bool survival_possible(const struct trial *trial)
{
	bool any = false;

	for (size_t i = 0; i < trial->n_ends / 2; i++)
		any |= is_complete(trial, i);
	return any && trial_timeline_done(trial) && !trial->active &&
	       trial->last_heal_nsec != NSEC_NONE;
}

bool survival_pending(const struct trial *trial)
{
	if (!survival_possible(trial))
		return false;
	if (trial->connections > 1)
		return true;
	for (enum end_id id = 0; id < trial->n_ends; id++)
		if (!trial->end[id].usable && is_complete(trial, end_connection(id)) &&
		    !endpoint_ended(&trial->end[id].view[trial->end[id].believed]))
			return true;
	return false;
}

static bool is_open(const struct endpoint *ep)
{
	return ep->state == TCP_STATE_ESTABLISHED && !endpoint_ended(ep);
}

/* Whether both kernels have the connection, agree on every byte, and have nothing to send. */
static bool is_whole(struct trial *trial, size_t connection)
{
	struct sockdiag_socket s[2];

	for (size_t i = 0; i < 2; i++) {
		struct trial_end *end = &trial->end[2 * connection + i];

		if (!is_open(trial_endpoint(end)) || look_up(end, &s[i]) <= 0)
			return false;
	}
	return look_fits(&s[0], &s[1]);
}

static void check_connection(struct trial *trial, size_t connection)
{
	bool whole = is_whole(trial, connection);

	for (size_t i = 0; i < 2; i++) {
		struct trial_end *end = &trial->end[2 * connection + i];
		uint64_t bytes;

		if (!end->usable && is_open(trial_endpoint(end)) && look_progress(end, &bytes) >= 0)
			end->usable = whole || bytes > end->progress;
		population_look(end, false);
	}
}

void survival_check(struct trial *trial)
{
	if (!survival_possible(trial))
		return;
	for (size_t i = 0; i < trial->n_ends / 2; i++)
		if (is_complete(trial, i))
			check_connection(trial, i);
	population_compare(trial);
}
