/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/testbed/testbed.h"
#include "src/trial/sightings.h"
#include "src/util/array.h"

static void forget_kept(struct followed *f)
{
	free(f->kept);
	f->kept = NULL;
	f->n_kept = f->n_taken = 0;
}

void follow_deinit(struct trial_end *end)
{
	free(end->followed.candidates);
	end->followed.candidates = NULL;
	end->followed.n_candidates = 0;
	forget_kept(&end->followed);
}

/* Gives both witnesses of an end what is known of the connection. */
static void tell_views(struct trial_end *end)
{
	for (int w = 0; w < _WITNESS_MAX; w++) {
		end->view[w].tuple = end->followed.tuple;
		if (!end_connects(end->id))
			continue;
		end->view[w].number = end->followed.number;
		end->view[w].program_number = end->followed.number - 1;
	}
}

void follow_init(struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;

	for (enum end_id id = 0; id < trial->n_ends; id += 2) {
		uint32_t number = scenario_follows(s, id);
		struct followed *f = &trial->end[id].followed;

		f->last = number == SCENARIO_FOLLOW_LAST;
		f->all = number == SCENARIO_FOLLOW_ALL;
		f->number = f->last || f->all ? 0 : number ? number : 1;
		/* They count connections before a packet tells of one. */
		if (f->number)
			tell_views(&trial->end[id]);
	}
}

static void know(struct trial_end *end, const struct follow_candidate *candidate)
{
	end->followed.tuple = candidate->tuple;
	end->followed.isn = candidate->isn;
	end->followed.has_isn = true;
	tell_views(end);
}

/* The server's connection is the one that was asked for by the same SYN as the client's. */
static void match_server(struct trial_end *client)
{
	struct trial_end *server = client + 1;

	for (size_t i = 0; client->followed.has_isn && i < server->followed.n_candidates; i++)
		if (server->followed.candidates[i].isn == client->followed.isn)
			know(server, &server->followed.candidates[i]);
}

static void pick_client(struct trial_end *client)
{
	struct followed *f = &client->followed;

	if (!f->number || f->number > f->n_candidates)
		return;
	know(client, &f->candidates[f->number - 1]);
	match_server(client);
}

/* Notes the first SYN of a connection. A SYN that is sent again has the same number. */
static void note_syn(struct trial_end *end, const struct observation *o)
{
	struct followed *f = &end->followed;
	struct follow_candidate *slot;

	for (size_t i = f->n_candidates; i-- > 0;)
		if (f->candidates[i].isn == o->packet.seq &&
		    endpoint_tuple_is(&f->candidates[i].tuple, o))
			return;
	slot = array_append(&f->candidates, &f->n_candidates, sizeof(*slot));
	if (!slot) {
		end->trial->lost++;
		return;
	}
	*slot = (struct follow_candidate){
		.tuple = { true, o->local, o->peer, o->local_port, o->peer_port },
		.isn = o->packet.seq,
	};
	if (end_connects(end->id))
		pick_client(end);
	else
		match_server(trial_connecting(end));
}

static struct follow_candidate *find_candidate(struct followed *f, const struct observation *o)
{
	for (size_t i = f->n_candidates; i-- > 0;)
		if (endpoint_tuple_is(&f->candidates[i].tuple, o))
			return &f->candidates[i];
	return NULL;
}

static void note_state(struct trial_end *end, const struct observation *o)
{
	const struct followed *client = &trial_connecting(end)->followed;
	struct follow_candidate *c;

	if (o->derived && o->state.to == TCP_STATE_SYN_SENT &&
	    endpoint_in_scenario(&end->view[0], o) && end->trial->origin_nsec == NSEC_NONE)
		end->followed.n_tried++;
	if (!o->derived || !(client->last || client->all) || end->followed.tuple.known)
		return;
	c = find_candidate(&end->followed, o);
	if (!c)
		return;
	c->established |= o->state.to == TCP_STATE_ESTABLISHED;
	c->open = o->state.to == TCP_STATE_ESTABLISHED;
}

/* The SYN of a client that finds no neighbour never leaves. Then the tracepoints alone tell. */
static void note_tracepoint(struct trial_end *end, const struct observation *o)
{
	const struct endpoint *view = &end->view[WITNESS_TRACEPOINT];

	if (o->derived || !end_connects(end->id) || end->followed.tuple.known || !view->socket ||
	    view->socket != o->socket || !o->local_port || !o->local.family)
		return;
	end->followed.tuple =
		(struct endpoint_tuple){ true, o->local, o->peer, o->local_port, o->peer_port };
}

static bool asks(const struct trial_end *end, const struct tcp_packet *p)
{
	return p->outgoing == end_connects(end->id) &&
	       (p->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
}

/* Looks for a connection that takes the place of the followed one: the next that is asked for after
 * the first event, and on which data comes. */
static void note_next(struct trial_end *end, const struct observation *o)
{
	struct followed *f = &end->followed;

	if (end->trial->origin_nsec == NSEC_NONE || f->renewed_nsec != NSEC_NONE)
		return;
	if (asks(end, &o->packet) && (!f->has_isn || f->isn != o->packet.seq)) {
		f->next = (struct endpoint_tuple){ true, o->local, o->peer, o->local_port,
						   o->peer_port };
		f->has_next = f->has_isn; /* without one this is the followed itself */
	} else if (f->has_next && !o->packet.outgoing && o->packet.payload &&
		   endpoint_tuple_is(&f->next, o)) {
		f->renewed_nsec = o->time_nsec;
	}
}

void follow_observe(struct trial_end *end, const struct observation *o)
{
	if (o->kind == OBSERVATION_STATE) {
		note_state(end, o);
		note_tracepoint(end, o);
	}
	if (o->kind != OBSERVATION_PACKET || !endpoint_in_scenario(&end->view[0], o))
		return;
	note_next(end, o);
	if (!end->followed.has_isn && asks(end, &o->packet))
		note_syn(end, o);
}

bool follow_waits(const struct trial_end *end)
{
	if (end_connects(end->id))
		return !end->followed.number;
	return !end->followed.tuple.known;
}

bool follow_fits_packet(const struct trial_end *end, const struct observation *o)
{
	return end->followed.tuple.known && endpoint_tuple_is(&end->followed.tuple, o);
}

int follow_keep(struct trial_end *end, const struct follow_kept *kept)
{
	struct followed *f = &end->followed;
	struct follow_kept *slot = array_append(&f->kept, &f->n_kept, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = *kept;
	return 0;
}

const struct follow_kept *follow_next_kept(struct trial_end *end)
{
	struct followed *f = &end->followed;

	if (f->n_taken < f->n_kept)
		return &f->kept[f->n_taken++];
	forget_kept(f);
	return NULL;
}

bool follow_established(const struct trial_end *client)
{
	if (!follow_waits(client))
		return endpoint_established(&client->view[WITNESS_TRACEPOINT]) ||
		       endpoint_established(&client->view[WITNESS_DERIVED]);
	for (size_t i = 0; i < client->followed.n_candidates; i++)
		if (client->followed.candidates[i].established)
			return true;
	return false;
}

/* The one that was established last, and is still open if any is. */
static size_t best_of(const struct followed *f)
{
	const struct follow_candidate *c = f->candidates;
	size_t best = 0;

	for (size_t i = 1; i < f->n_candidates; i++)
		if (2 * c[i].open + c[i].established >= 2 * c[best].open + c[best].established)
			best = i;
	return best;
}

static void choose(struct trial_end *client, size_t candidate)
{
	client->followed.number = (uint32_t)candidate + 1;
	tell_views(client);
	pick_client(client);
}

/* An end that waits owns what it was told, and nothing else yet. */
static int copy_end(struct trial_end *to, const struct trial_end *from)
{
	const struct followed *f = &from->followed;
	int rc;

	*to = *from;
	to->followed.kept = NULL;
	rc = array_copy(&to->followed.candidates, f->candidates, f->n_candidates,
			sizeof(*f->candidates));
	return rc < 0 ? rc : array_copy(&to->followed.kept, f->kept, f->n_kept, sizeof(*f->kept));
}

static void number_ends(struct trial *trial)
{
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		trial->end[id].id = id;
		for (int w = 0; w < _WITNESS_MAX; w++)
			trial->end[id].view[w].id = id;
	}
}

/* Makes room for `n` more connections of the same kind behind that of `client`. Those behind it
 * move. */
static int multiply(struct trial_end *client, size_t n)
{
	struct trial *trial = client->trial;
	size_t behind = trial->n_ends - client->id - 2;
	int rc = sightings_multiply(trial, client->id, n);

	memmove(client + 2 + 2 * n, client + 2, behind * sizeof(*client));
	memset(client + 2, 0, 2 * n * sizeof(*client));
	trial->n_ends += 2 * n;
	for (size_t i = 1; i <= n; i++)
		for (int side = 0; side < 2; side++)
			if (copy_end(client + 2 * i + side, client + side) < 0)
				rc = -ENOMEM;
	number_ends(trial);
	return rc;
}

static size_t count_open(const struct followed *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_candidates; i++)
		n += f->candidates[i].open;
	return n;
}

/* Follows all that are open, as far as there is room. */
static void choose_all(struct trial_end *client)
{
	struct trial *trial = client->trial;
	size_t open = count_open(&client->followed), room = (_END_MAX - trial->n_ends) / 2 + 1;
	size_t n = open < room ? open : room, rank = 0;

	trial->left_out += (uint32_t)(open - n);
	if (n > 1)
		trial->lost += multiply(client, n - 1) < 0;
	for (size_t i = 0; i < client->followed.n_candidates && rank < n; i++) {
		if (!client->followed.candidates[i].open)
			continue;
		client[2 * rank].followed.rank = client[2 * rank + 1].followed.rank = rank + 1;
		choose(&client[2 * rank++], i);
	}
}

static bool decide(struct trial_end *client)
{
	struct followed *f = &client->followed;

	if (f->number)
		return false;
	f->rank = f->all;
	if (f->all && count_open(f))
		choose_all(client);
	else
		choose(client, best_of(f));
	return true;
}

bool follow_decide(struct trial *trial)
{
	bool decided = false;

	for (enum end_id id = 0; id < trial->n_ends; id += 2)
		decided |= decide(&trial->end[id]);
	return decided;
}

static void forget_connection(struct trial_end *end)
{
	end->followed.tuple = (struct endpoint_tuple){ 0 };
	end->followed.has_isn = false;
	free(end->minisocket.steps);
	end->minisocket = (struct minisocket){ .look_nsec = NSEC_NEVER,
					       .fin_nsec = NSEC_NONE,
					       .reset_nsec = NSEC_NONE };
	for (int w = 0; w < _WITNESS_MAX; w++)
		endpoint_forget(&end->view[w]);
	tell_views(end);
}

void follow_next(struct trial_end *client)
{
	client->followed.number++;
	forget_connection(client);
	forget_connection(client + 1);
	pick_client(client);
}
