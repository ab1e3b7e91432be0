/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/population.h"

#include <errno.h>
#include <stdlib.h>

#include "netns/sockdiag.h"
#include "src/testbed/testbed.h"

/*
 * Many connections of one client (`connections`). The first is followed as the only one would be;
 * of the others the trial knows what their programs felt, and by sock_diag whether data got
 * through after the last heal.
 */

int population_init(struct trial *trial)
{
	if (trial->connections == 1)
		return 0;
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++) {
		trial->node[id].members =
			calloc(trial->connections, sizeof(*trial->node[id].members));
		if (!trial->node[id].members)
			return -ENOMEM;
	}
	return 0;
}

static enum outcome outcome_of(const struct agent_report *r)
{
	switch (r->error) {
	case 0:
		return r->call == AGENT_CALL_HEARTBEAT ? OUTCOME_TIMED_OUT : OUTCOME_CLOSED;
	case ECONNREFUSED:
		return OUTCOME_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return OUTCOME_RESET;
	case ETIMEDOUT:
		return OUTCOME_TIMED_OUT;
	default:
		return OUTCOME_UNREACHABLE;
	}
}

void population_report(struct trial_node *node, const struct agent_report *r)
{
	struct trial_member *member;

	if (!node->members || r->connection >= node->trial->connections)
		return;
	member = &node->members[r->connection];
	if ((r->call == AGENT_CALL_CONNECT || r->call == AGENT_CALL_ACCEPT) && !r->error) {
		member->open = true;
		member->local_port = r->local_port;
		member->peer_port = r->peer_port;
		node->n_members++;
	}
	if (member->outcome != OUTCOME_NONE || !(endpoint_is_end(r) || r->call == AGENT_CALL_CLOSE))
		return;
	node->n_members += !member->open;
	member->open = false;
	member->outcome = outcome_of(r);
	member->end_nsec = r->time_nsec;
}

bool population_complete(const struct trial *trial)
{
	return trial->connections == 1 || trial->node[NODE_CLIENT].n_members == trial->connections;
}

bool population_concluded(const struct trial_node *node)
{
	for (uint32_t i = 0; node->members && i < node->trial->connections; i++)
		if (node->members[i].open && !node->members[i].usable)
			return false;
	return true;
}

bool population_open(const struct trial_node *node)
{
	for (uint32_t i = 0; node->members && i < node->trial->connections; i++)
		if (node->members[i].open)
			return true;
	return false;
}

/* One pass over the sockets of a host. */
struct pass {
	struct trial_node *node;
	struct trial_member **by_port; /* 65536, by the port of the client; not owned */
	bool heal;		       /* as of population_look() */
};

static uint16_t own_port(const struct trial_node *node, uint16_t local, uint16_t peer)
{
	return node->id == NODE_CLIENT ? local : peer;
}

static int note_progress(const struct sockdiag_socket *s, void *userdata)
{
	const struct pass *pass = userdata;
	uint16_t port = own_port(pass->node, s->local_port, s->peer_port);
	struct trial_member *member = pass->by_port[port];
	uint64_t bytes = s->info.tcpi_bytes_acked + s->info.tcpi_bytes_received;

	if (!member || !s->has_info)
		return 0;
	if (pass->heal)
		member->progress = bytes;
	else
		member->usable |= bytes > member->progress;
	return 0;
}

void population_look(struct trial_node *node, bool heal)
{
	struct testbed_node *host = &node->trial->testbed->node[node->id];
	_cleanup_(freep) struct trial_member **by_port = NULL;
	struct pass pass = { .node = node, .heal = heal };

	if (!node->members || !node->follows || !host->diag)
		return;
	by_port = calloc(65536, sizeof(struct trial_member *));
	if (!by_port)
		return;
	pass.by_port = by_port;
	for (uint32_t i = 0; i < node->trial->connections; i++) {
		struct trial_member *m = &node->members[i];

		if (m->open)
			by_port[own_port(node, m->local_port, m->peer_port)] = m;
	}
	sockdiag_dump(host->diag, host->address.family, ~0u, note_progress, &pass, NULL);
}

static void add_end(struct record_population *p, nsec_t at_nsec)
{
	if (p->first_nsec == NSEC_NONE || at_nsec < p->first_nsec)
		p->first_nsec = at_nsec;
	if (p->last_nsec == NSEC_NONE || at_nsec > p->last_nsec)
		p->last_nsec = at_nsec;
}

void population_record(const struct trial_node *node, struct record_population *ret)
{
	const struct trial *trial = node->trial;

	*ret = (struct record_population){ .first_nsec = NSEC_NONE, .last_nsec = NSEC_NONE };
	if (!node->members)
		return;
	ret->connections = node->n_members;
	for (uint32_t i = 0; i < trial->connections; i++) {
		const struct trial_member *m = &node->members[i];

		if (m->outcome != OUTCOME_NONE)
			add_end(ret, m->end_nsec - trial->origin_nsec);
		if (m->outcome != OUTCOME_NONE)
			ret->outcome[m->outcome]++;
		else if (m->open && m->usable)
			ret->outcome[OUTCOME_SURVIVED]++;
		else if (m->open && trial->full_term && node->follows)
			ret->outcome[OUTCOME_UNDETECTED]++;
	}
}
