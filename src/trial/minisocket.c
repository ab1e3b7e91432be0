/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/minisocket.h"

#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/testbed/testbed.h"
#include "src/util/array.h"

/*
 * The sockets that no tracepoint tells of (net/ipv4/tcp_minisocks.c, inet_timewait_sock.c): a
 * request socket in SYN_RECV, which has no full socket yet, and what tcp_time_wait() leaves in
 * place of one. Theory of operation: sock_diag is asked when something may have changed - a packet
 * that can make or end such a socket, the CLOSE of a full socket - and when the small socket's own
 * timer says so. A timer may be late by a granule of the timer wheel, which sock_diag does not
 * know: from its time on the socket is looked for every ten milliseconds.
 */

#define SETTLED	 (5 * NSEC_PER_MSEC) /* after a packet or a timer: the kernel is done with it */
#define SETTLING NSEC_PER_SEC	     /* so long it may take on a busy machine */
#define COMPLETE                                                                                   \
	(20 * NSEC_PER_MSEC)	     /* after a SYN: a handshake that is not over by then tarries */
#define OVERDUE (10 * NSEC_PER_MSEC) /* between two looks at a timer that is late */

static int ask(const struct trial_node *node, const struct sockdiag_socket *like,
	       struct sockdiag_socket *ret_socket)
{
	struct nl *diag = node->trial->stage.testbed->node[node->id].diag;

	return node->follows && diag ? sockdiag_get(diag, like, ret_socket, NULL) : 0;
}

/* Each witness takes the steps in when it has come so far. */
static void pass_on(struct trial_node *node)
{
	const struct minisocket *small = &node->small;

	for (int w = 0; w < _WITNESS_MAX; w++) {
		struct endpoint *view = &node->view[w];

		while (view->n_small < small->n_steps &&
		       endpoint_takes_small(view, &small->steps[view->n_small]))
			node->trial->lost +=
				endpoint_small_socket(view, &small->steps[view->n_small]) < 0;
	}
}

static void step(struct trial_node *node, int state, nsec_t at)
{
	struct minisocket *small = &node->small;
	struct small_step *s = array_append(&small->steps, &small->n_steps, sizeof(*s));

	if (!s) {
		node->trial->lost++;
		return;
	}
	*s = (struct small_step){ .time_nsec = at,
				  .state = state,
				  .by_fin = state == TCP_STATE_TIME_WAIT && at == small->fin_nsec,
				  .request = state == TCP_STATE_SYN_RECV ||
					     small->state == TCP_STATE_SYN_RECV,
				  .local_port = small->socket.local_port,
				  .peer_port = small->socket.peer_port };
	if (state == TCP_STATE_CLOSE && small->cause == MINISOCKET_CAUSE_RESET) {
		s->reset = true;
		s->reset_sent = small->cause_sent;
	}
	small->state = state;
	pass_on(node);
}

/* The packet that brought it about, else the moment it was seen. */
static nsec_t time_of(const struct minisocket *small, int state, nsec_t now)
{
	if (state == TCP_STATE_TIME_WAIT && small->fin_nsec != NSEC_NONE)
		return small->fin_nsec;
	return small->cause != MINISOCKET_CAUSE_NONE ? small->cause_nsec : now;
}

static bool is_small(const struct sockdiag_socket *s)
{
	return s->state == TCP_STATE_TIME_WAIT || s->state == TCP_STATE_SYN_RECV ||
	       (s->state == TCP_STATE_FIN_WAIT2 && s->timer == TCP_TIMER_TIMEWAIT);
}

static bool is_live(const struct minisocket *small)
{
	return small->state == TCP_STATE_SYN_RECV || small->state == TCP_STATE_FIN_WAIT2 ||
	       small->state == TCP_STATE_TIME_WAIT;
}

static void found(struct trial_node *node, const struct sockdiag_socket *s, nsec_t now)
{
	struct minisocket *small = &node->small;

	/* A request that was given up, and another that the next SYN made. */
	if (small->state == TCP_STATE_SYN_RECV && s->state == TCP_STATE_SYN_RECV &&
	    small->socket.cookie != s->cookie)
		step(node, TCP_STATE_CLOSE, time_of(small, TCP_STATE_CLOSE, now));
	small->socket = *s;
	small->look_nsec = now + (s->expires_nsec ? s->expires_nsec + SETTLED : OVERDUE);
	if (s->state != small->state && s->state == TCP_STATE_FIN_WAIT2)
		small->look_nsec = now + SETTLED; /* its FIN may be in the kernel's hands */
	if (s->state != small->state)
		step(node, s->state, time_of(small, s->state, now));
	node->trial->changed = true;
}

/* A TIME_WAIT that a reset ended before it could be looked at (tcp_timewait_state_process(); RFC
 * 1337): the full socket, or the small one in FIN_WAIT2, took the FIN and no reset, and a reset
 * came after the FIN. */
static bool cut_short(const struct trial_node *node)
{
	const struct endpoint *endpoint = &node->view[node->believed];
	const struct minisocket *small = &node->small;
	bool full = small->state == TCP_STATE_CLOSE && endpoint->reset_received_nsec == NSEC_NONE &&
		    (endpoint->end_from == TCP_STATE_FIN_WAIT2 ||
		     endpoint->end_from == TCP_STATE_CLOSING);

	return (full || small->state == TCP_STATE_FIN_WAIT2) && !endpoint->time_wait &&
	       small->fin_nsec != NSEC_NONE && small->reset_nsec != NSEC_NONE &&
	       small->reset_nsec >= small->fin_nsec;
}

/* Nothing of it is left, or another connection has its ports. */
static void vanished(struct minisocket *small, struct trial_node *node, nsec_t now)
{
	small->look_nsec = NSEC_NEVER;
	if (cut_short(node)) {
		step(node, TCP_STATE_TIME_WAIT, small->fin_nsec);
		small->cause = MINISOCKET_CAUSE_RESET;
		small->cause_nsec = small->reset_nsec;
		small->cause_sent = false;
	}
	if (is_live(small))
		step(node, TCP_STATE_CLOSE, time_of(small, TCP_STATE_CLOSE, now));
}

/* The request socket has become a full one, or never was looked for in time. */
static void became_full(struct minisocket *small)
{
	small->state = TCP_STATE_NONE;
	small->look_nsec = NSEC_NEVER;
}

static void look(struct trial_node *node)
{
	struct minisocket *small = &node->small;
	bool full = trial_endpoint(node)->socket;
	bool request = small->state == TCP_STATE_NONE || small->state == TCP_STATE_SYN_RECV;
	nsec_t now = nsec_now();
	struct sockdiag_socket s;
	int rc;

	if (!node->follows || (request && full)) {
		became_full(small);
		return;
	}
	rc = ask(node, &small->socket, &s);
	if (rc > 0 && is_small(&s) && (s.state == TCP_STATE_SYN_RECV) == request)
		found(node, &s, now);
	else if (rc > 0 && request)
		became_full(small);
	else if (rc > 0 && small->state == TCP_STATE_CLOSE && now < small->closed_nsec + SETTLING)
		small->look_nsec = now + SETTLED; /* the kernel has yet to see the packet */
	else
		vanished(small, node, now);
	small->cause = MINISOCKET_CAUSE_NONE;
}

bool minisocket_look(struct trial_node *node)
{
	if (nsec_now() < node->small.look_nsec || trial_past_horizon(node->trial, nsec_now()))
		return false;
	look(node);
	return true;
}

bool minisocket_pending(const struct trial_node *node)
{
	return node->small.state == TCP_STATE_CLOSE && node->small.look_nsec != NSEC_NEVER;
}

/* The full socket is gone: there may be a small one in its place. */
static bool may_be_small(const struct observation *o)
{
	return o->state.to == TCP_STATE_CLOSE &&
	       (o->state.from == TCP_STATE_FIN_WAIT1 || o->state.from == TCP_STATE_FIN_WAIT2 ||
		o->state.from == TCP_STATE_CLOSING);
}

/* What the scenario's plan says of it, where no packet has come by since the ports are known. */
static void note_ports(struct trial_node *node)
{
	const struct endpoint *endpoint = trial_endpoint(node);
	const struct testbed_node *host = node->trial->stage.testbed->node;
	struct sockdiag_socket *socket = &node->small.socket;

	if (!endpoint->socket || !endpoint->local_port || !endpoint->peer_port ||
	    (socket->local_port == endpoint->local_port &&
	     socket->peer_port == endpoint->peer_port))
		return;
	socket->local = host[node->id].address;
	socket->peer = host[testbed_peer(node->id)].address;
	socket->local_port = endpoint->local_port;
	socket->peer_port = endpoint->peer_port;
}

bool minisocket_contradicts(const struct trial_node *node, const struct observation *o)
{
	const struct minisocket *small = &node->small;

	return o->kind == OBSERVATION_STATE && !node->view[WITNESS_DERIVED].socket &&
	       small->state == TCP_STATE_CLOSE && small->look_nsec == NSEC_NEVER;
}

/* Packets are seen on their way in, before the kernel's TCP has them: what is derived from one is
 * true a moment later, until when there still is a full socket, or neither it nor a small one
 * (inet_twsk_hashdance() counts the first reference last). */
void minisocket_state(struct trial_node *node, const struct observation *o)
{
	const struct endpoint *endpoint = trial_endpoint(node);
	const struct endpoint *witness =
		&node->view[o->derived ? WITNESS_DERIVED : WITNESS_TRACEPOINT];
	bool followed = o->socket == witness->socket && !witness->replaced;
	struct minisocket *small = &node->small;
	bool early = small->state == TCP_STATE_NONE || small->state == TCP_STATE_SYN_RECV;

	note_ports(node);
	if (followed && may_be_small(o) && endpoint->state == TCP_STATE_CLOSE && early &&
	    small->socket.local_port) {
		small->state = TCP_STATE_CLOSE;
		small->closed_nsec = nsec_now();
		if (!o->derived) {
			look(node);
		} else {
			small->look_nsec = small->closed_nsec + SETTLED;
			node->trial->changed = true;
		}
	}
	pass_on(node);
}

/* The connection as its packets have it: a socket that is closing may have lost its ports. */
static void note_tuple(struct minisocket *small, const struct tcp_packet *p)
{
	small->socket.local = p->outgoing ? p->source : p->destination;
	small->socket.peer = p->outgoing ? p->destination : p->source;
	small->socket.local_port = p->outgoing ? p->source_port : p->destination_port;
	small->socket.peer_port = p->outgoing ? p->destination_port : p->source_port;
}

static bool is_same(const struct minisocket *small, const struct tcp_packet *p)
{
	uint16_t local = p->outgoing ? p->source_port : p->destination_port;
	uint16_t peer = p->outgoing ? p->destination_port : p->source_port;

	return local == small->socket.local_port && peer == small->socket.peer_port;
}

static void expect_change(struct trial_node *node, const struct observation *o, nsec_t wait)
{
	struct minisocket *small = &node->small;

	small->cause =
		o->packet.flags & PACKET_RST ? MINISOCKET_CAUSE_RESET : MINISOCKET_CAUSE_PACKET;
	small->cause_sent = o->packet.outgoing;
	small->cause_nsec = o->time_nsec;
	small->look_nsec = nsec_now() + wait;
	node->trial->changed = true;
}

void minisocket_packet(struct trial_node *node, const struct observation *o)
{
	const struct endpoint *endpoint = trial_endpoint(node);
	const struct tcp_packet *p = &o->packet;
	struct minisocket *small = &node->small;
	bool live = is_live(small);
	bool asked = !p->outgoing && (p->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;

	if (!p->outgoing && p->flags & PACKET_FIN && is_same(small, p))
		small->fin_nsec = o->time_nsec;
	if (!p->outgoing && p->flags & PACKET_RST && is_same(small, p))
		small->reset_nsec = o->time_nsec;
	if (small->look_nsec == NSEC_NEVER && cut_short(node))
		vanished(small, node, nsec_now());
	if (live && is_same(small, p) && p->flags & (PACKET_FIN | PACKET_RST | PACKET_SYN)) {
		expect_change(node, o, SETTLED);
	} else if (asked && !live && node->id == NODE_SERVER && !endpoint->socket &&
		   small->look_nsec == NSEC_NEVER && endpoint_fits_packet(endpoint, p)) {
		note_tuple(small, p);
		expect_change(node, o, COMPLETE);
	} else if (!live && endpoint->socket && endpoint->local_port && !is_same(small, p) &&
		   endpoint_fits_packet(endpoint, p)) {
		note_tuple(small, p);
	}
}

void minisocket_finish(struct trial_node *node)
{
	if (node->small.cause != MINISOCKET_CAUSE_NONE || minisocket_pending(node))
		look(node);
}
