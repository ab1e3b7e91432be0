/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/follow.h"

#include <errno.h>
#include <stdlib.h>

#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/testbed/testbed.h"
#include "src/util/array.h"

static void forget_kept(struct followed *f)
{
	free(f->kept);
	f->kept = NULL;
	f->n_kept = f->n_taken = 0;
}

void follow_deinit(struct trial_node *node)
{
	free(node->followed.candidates);
	node->followed.candidates = NULL;
	node->followed.n_candidates = 0;
	forget_kept(&node->followed);
}

/* Gives both witnesses of an end what is known of the connection. */
static void tell_views(struct trial_node *node)
{
	const struct trial *trial = node->trial;

	for (int w = 0; w < _WITNESS_MAX; w++) {
		node->view[w].tuple = node->followed.tuple;
		if (node->id != NODE_CLIENT)
			continue;
		node->view[w].number = trial->number;
		node->view[w].program_number = trial->number - 1;
	}
}

void follow_init(struct trial *trial)
{
	uint32_t follow = trial->spec.scenario->follow;

	trial->follow_last = follow == SCENARIO_FOLLOW_LAST;
	trial->number = trial->follow_last ? 0 : follow ? follow : 1;
	/* They count connections before a packet tells of one. */
	if (trial->number)
		tell_views(&trial->node[NODE_CLIENT]);
}

static void know(struct trial_node *node, const struct follow_candidate *candidate)
{
	node->followed.tuple = candidate->tuple;
	node->followed.isn = candidate->isn;
	node->followed.has_isn = true;
	tell_views(node);
}

/* The server's connection is the one that was asked for by the same SYN as the client's. */
static void match_server(struct trial *trial)
{
	const struct followed *client = &trial->node[NODE_CLIENT].followed;
	struct trial_node *server = &trial->node[NODE_SERVER];

	for (size_t i = 0; client->has_isn && i < server->followed.n_candidates; i++)
		if (server->followed.candidates[i].isn == client->isn)
			know(server, &server->followed.candidates[i]);
}

static void pick_client(struct trial *trial)
{
	struct trial_node *client = &trial->node[NODE_CLIENT];
	struct followed *f = &client->followed;

	if (!trial->number || trial->number > f->n_candidates)
		return;
	know(client, &f->candidates[trial->number - 1]);
	match_server(trial);
}

/* Notes the first SYN of a connection. A SYN that is sent again has the same number. */
static void note_syn(struct trial_node *node, const struct observation *o)
{
	struct followed *f = &node->followed;
	struct follow_candidate *slot;

	for (size_t i = f->n_candidates; i-- > 0;)
		if (f->candidates[i].isn == o->packet.seq &&
		    endpoint_tuple_is(&f->candidates[i].tuple, o))
			return;
	slot = array_append(&f->candidates, &f->n_candidates, sizeof(*slot));
	if (!slot) {
		node->trial->lost++;
		return;
	}
	*slot = (struct follow_candidate){
		.tuple = { true, o->local, o->peer, o->local_port, o->peer_port },
		.isn = o->packet.seq,
	};
	if (node->id == NODE_CLIENT)
		pick_client(node->trial);
	else
		match_server(node->trial);
}

static struct follow_candidate *find_candidate(struct followed *f, const struct observation *o)
{
	for (size_t i = f->n_candidates; i-- > 0;)
		if (endpoint_tuple_is(&f->candidates[i].tuple, o))
			return &f->candidates[i];
	return NULL;
}

static void note_state(struct trial_node *node, const struct observation *o)
{
	struct follow_candidate *c;

	if (o->derived && o->state.to == TCP_STATE_SYN_SENT &&
	    endpoint_in_scenario(&node->view[0], o) && node->trial->origin_nsec == NSEC_NONE)
		node->followed.n_tried++;
	if (!o->derived || !node->trial->follow_last || node->followed.tuple.known)
		return;
	c = find_candidate(&node->followed, o);
	if (!c)
		return;
	c->established |= o->state.to == TCP_STATE_ESTABLISHED;
	c->open = o->state.to == TCP_STATE_ESTABLISHED;
}

/* The SYN of a client that finds no neighbour never leaves. Then the tracepoints alone tell. */
static void note_tracepoint(struct trial_node *node, const struct observation *o)
{
	const struct endpoint *view = &node->view[WITNESS_TRACEPOINT];

	if (o->derived || node->id != NODE_CLIENT || node->followed.tuple.known || !view->socket ||
	    view->socket != o->socket || !o->local_port || !o->local.family)
		return;
	node->followed.tuple =
		(struct endpoint_tuple){ true, o->local, o->peer, o->local_port, o->peer_port };
}

void follow_observe(struct trial_node *node, const struct observation *o)
{
	const struct tcp_packet *p = &o->packet;
	bool out = node->id == NODE_CLIENT;

	if (o->kind == OBSERVATION_STATE) {
		note_state(node, o);
		note_tracepoint(node, o);
	}
	if (o->kind == OBSERVATION_PACKET && !node->followed.has_isn && p->outgoing == out &&
	    (p->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN &&
	    endpoint_in_scenario(&node->view[0], o))
		note_syn(node, o);
}

bool follow_waits(const struct trial_node *node)
{
	if (node->id == NODE_CLIENT)
		return !node->trial->number;
	return !node->followed.tuple.known;
}

bool follow_fits_packet(const struct trial_node *node, const struct observation *o)
{
	return node->followed.tuple.known && endpoint_tuple_is(&node->followed.tuple, o);
}

int follow_keep(struct trial_node *node, const struct follow_kept *kept)
{
	struct followed *f = &node->followed;
	struct follow_kept *slot = array_append(&f->kept, &f->n_kept, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = *kept;
	return 0;
}

const struct follow_kept *follow_next_kept(struct trial_node *node)
{
	struct followed *f = &node->followed;

	if (f->n_taken < f->n_kept)
		return &f->kept[f->n_taken++];
	forget_kept(f);
	return NULL;
}

bool follow_established(const struct trial *trial)
{
	const struct trial_node *client = &trial->node[NODE_CLIENT];

	if (!follow_waits(client))
		return endpoint_established(&client->view[WITNESS_TRACEPOINT]) ||
		       endpoint_established(&client->view[WITNESS_DERIVED]);
	for (size_t i = 0; i < client->followed.n_candidates; i++)
		if (client->followed.candidates[i].established)
			return true;
	return false;
}

bool follow_decide(struct trial *trial)
{
	const struct followed *f = &trial->node[NODE_CLIENT].followed;
	const struct follow_candidate *c = f->candidates;
	size_t best = 0;

	if (trial->number)
		return false;
	for (size_t i = 1; i < f->n_candidates; i++)
		if (2 * c[i].open + c[i].established >= 2 * c[best].open + c[best].established)
			best = i;
	trial->number = (uint32_t)best + 1;
	tell_views(&trial->node[NODE_CLIENT]);
	pick_client(trial);
	return true;
}

static void forget_connection(struct trial_node *node)
{
	node->followed.tuple = (struct endpoint_tuple){ 0 };
	node->followed.has_isn = false;
	free(node->minisocket.steps);
	node->minisocket = (struct minisocket){ .look_nsec = NSEC_NEVER,
						.fin_nsec = NSEC_NONE,
						.reset_nsec = NSEC_NONE };
	for (int w = 0; w < _WITNESS_MAX; w++)
		endpoint_forget(&node->view[w]);
	tell_views(node);
}

void follow_next(struct trial *trial)
{
	trial->number++;
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		forget_connection(&trial->node[id]);
	pick_client(trial);
}
