/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/population.h"

#include <errno.h>
#include <stdlib.h>

#include "netns/sockdiag.h"
#include "src/testbed/testbed.h"
#include "src/trial/look.h"

/*
 * Many connections of one client (`connections`). The first is followed as the only one would be;
 * of the others the trial knows what their programs felt, and by sock_diag whether data got
 * through after the last heal.
 */

int population_init(struct trial *trial)
{
	if (trial->connections == 1)
		return 0;
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		trial->end[id].members =
			calloc(trial->connections, sizeof(*trial->end[id].members));
		if (!trial->end[id].members)
			return -ENOMEM;
	}
	return 0;
}

static enum outcome outcome_of(const struct agent_report *r)
{
	switch (r->error) {
	case 0:
		return r->call == AGENT_CALL_HEARTBEAT ? OUTCOME_ABANDONED : OUTCOME_CLOSED;
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

void population_report(struct trial_end *end, const struct agent_report *r)
{
	struct trial_member *member;

	if (!end->members || r->connection >= end->trial->connections)
		return;
	member = &end->members[r->connection];
	if ((r->call == AGENT_CALL_CONNECT || r->call == AGENT_CALL_ACCEPT) && !r->error) {
		member->open = true;
		member->local_port = r->local_port;
		member->peer_port = r->peer_port;
		end->n_members++;
	}
	if (member->outcome != OUTCOME_NONE || !(endpoint_is_end(r) || r->call == AGENT_CALL_CLOSE))
		return;
	end->n_members += !member->open;
	member->open = false;
	member->outcome = outcome_of(r);
	if (r->call == AGENT_CALL_CLOSE && end->trial->fault_nsec != NSEC_NONE)
		member->outcome = OUTCOME_ABANDONED; /* the timeline made it close */
	member->end_nsec = r->time_nsec;
}

bool population_complete(const struct trial *trial)
{
	return trial->connections == 1 || trial->end[END_CLIENT].n_members == trial->connections;
}

bool population_concluded(const struct trial_end *end)
{
	for (uint32_t i = 0; end->members && i < end->trial->connections; i++)
		if (end->members[i].open && !end->members[i].usable)
			return false;
	return true;
}

/* One pass over the sockets of a host. */
struct pass {
	struct trial_end *end;
	struct trial_member **by_port; /* 65536, by the port of the client; not owned */
	bool heal;		       /* as of population_look() */
};

static uint16_t own_port(const struct trial_end *end, uint16_t local, uint16_t peer)
{
	return end_connects(end->id) ? local : peer;
}

static int note_progress(const struct sockdiag_socket *s, void *userdata)
{
	const struct pass *pass = userdata;
	uint16_t port = own_port(pass->end, s->local_port, s->peer_port);
	struct trial_member *member = pass->by_port[port];
	uint64_t bytes = s->info.tcpi_bytes_acked + s->info.tcpi_bytes_received;

	if (!member || !s->has_info)
		return 0;
	if (pass->heal)
		member->progress = bytes;
	else
		member->usable |= bytes > member->progress;
	member->socket = *s;
	return 0;
}

void population_look(struct trial_end *end, bool heal)
{
	struct testbed_node *host = &end->trial->testbed->node[end->host->id];
	_cleanup_(freep) struct trial_member **by_port = NULL;
	struct pass pass = { .end = end, .heal = heal };

	if (!end->members || !end->host->powered || !host->diag)
		return;
	by_port = calloc(65536, sizeof(struct trial_member *));
	if (!by_port) {
		end->trial->lost++;
		return;
	}
	pass.by_port = by_port;
	for (uint32_t i = 0; i < end->trial->connections; i++) {
		struct trial_member *m = &end->members[i];

		m->socket = (struct sockdiag_socket){ 0 };
		if (m->open)
			by_port[own_port(end, m->local_port, m->peer_port)] = m;
	}
	look_through(end, note_progress, &pass, sizeof(pass));
}

/* What is idle shows by no data that it still works, but both kernels have it and agree on it. */
void population_compare(struct trial *trial)
{
	struct trial_member *server = trial->end[END_SERVER].members;
	struct trial_member *client = trial->end[END_CLIENT].members;
	_cleanup_(freep) struct trial_member **by_port = NULL;

	if (!client || !server)
		return;
	by_port = calloc(65536, sizeof(struct trial_member *));
	for (uint32_t i = 0; by_port && i < trial->connections; i++)
		if (server[i].open)
			by_port[server[i].peer_port] = &server[i];
	for (uint32_t i = 0; by_port && i < trial->connections; i++) {
		struct trial_member *other = by_port[client[i].local_port];

		if (client[i].open && other && look_fits(&client[i].socket, &other->socket))
			client[i].usable = other->usable = true;
	}
}

static void add_end(struct record_population *p, nsec_t at_nsec)
{
	if (p->first_nsec == NSEC_NONE || at_nsec < p->first_nsec)
		p->first_nsec = at_nsec;
	if (p->last_nsec == NSEC_NONE || at_nsec > p->last_nsec)
		p->last_nsec = at_nsec;
}

void population_record(const struct trial_end *end, struct record_population *ret)
{
	const struct trial *trial = end->trial;

	*ret = (struct record_population){ .first_nsec = NSEC_NONE, .last_nsec = NSEC_NONE };
	if (!end->members)
		return;
	ret->connections = end->n_members;
	for (uint32_t i = 0; i < trial->connections; i++) {
		const struct trial_member *m = &end->members[i];

		if (m->outcome != OUTCOME_NONE)
			add_end(ret, m->end_nsec - trial->origin_nsec);
		if (m->outcome != OUTCOME_NONE)
			ret->outcome[m->outcome]++;
		else if (m->open && m->usable)
			ret->outcome[OUTCOME_SURVIVED]++;
		else if (m->open && trial->full_term && end->host->powered)
			ret->outcome[OUTCOME_UNDETECTED]++;
	}
}
