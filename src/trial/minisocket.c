/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/minisocket.h"

#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/testbed/testbed.h"
#include "src/trial/look.h"
#include "src/util/array.h"

/*
 * The sockets that no tracepoint tells of (net/ipv4/tcp_minisocks.c, inet_timewait_sock.c): a
 * request socket in SYN_RECV, which has no full socket yet, and what tcp_time_wait() leaves in
 * place of one. Theory of operation: sock_diag is asked when something may have changed - a packet
 * that can make or end such a socket, the CLOSE of a full socket - and when the minisocket's own
 * timer says so. A timer may be late by a granule of the timer wheel, which sock_diag does not
 * know: from just before its time the socket is looked for every four milliseconds. Where a look
 * came late, the record says how long nobody had looked.
 */

/* So long after a packet or a timer the kernel has dealt with it. */
#define SETTLED (5 * NSEC_PER_MSEC)
/* On a busy machine it may take this long. */
#define SETTLING NSEC_PER_SEC
#define COMPLETE                                                                                   \
	(20 * NSEC_PER_MSEC) /* after a SYN: a handshake that is not over by then tarries */
#define OVERDUE	   (4 * NSEC_PER_MSEC)	 /* between two looks at a timer that is late */
#define LONG_AFTER (100 * NSEC_PER_MSEC) /* a timer may have gone off since the packet */

/* Whether what a look has found is the doing of the packet before it. A look that came long after
 * one that was no reset may have found what a timer did since. */
static bool is_caused(const struct minisocket *mini, nsec_t now_nsec)
{
	return mini->cause == MINISOCKET_CAUSE_RESET ||
	       (mini->cause == MINISOCKET_CAUSE_PACKET && now_nsec - mini->cause_nsec < LONG_AFTER);
}

/* Gives each witness the steps that it can take in already. */
static void pass_on(struct trial_end *end)
{
	const struct minisocket *mini = &end->minisocket;

	for (int w = 0; w < _WITNESS_MAX; w++) {
		struct endpoint *view = &end->view[w];

		while (view->n_minisocket_steps < mini->n_steps &&
		       endpoint_takes_minisocket(view, &mini->steps[view->n_minisocket_steps]))
			end->trial->lost +=
				endpoint_take_minisocket(
					view, &mini->steps[view->n_minisocket_steps]) < 0;
	}
}

/* How long it may have been gone when a look found that it is, if that is longer than usual. Where
 * no packet ends it, its timer does, which a packet may have armed anew; a request socket may also
 * go with its listener. */
static nsec_t blind(const struct minisocket *mini, bool request, nsec_t at_nsec)
{
	bool by_timer = !request || mini->listener;
	bool armed_anew = mini->cause != MINISOCKET_CAUSE_NONE;
	nsec_t since_nsec = nsec_max(mini->seen_nsec, armed_anew ? mini->cause_nsec : 0);

	if (by_timer && !armed_anew)
		since_nsec += mini->socket.expires_nsec;
	return at_nsec - since_nsec > MINISOCKET_RESOLUTION ? at_nsec - since_nsec : 0;
}

static void step(struct trial_end *end, int state, nsec_t at_nsec)
{
	struct minisocket *mini = &end->minisocket;
	struct minisocket_step *s = array_append(&mini->steps, &mini->n_steps, sizeof(*s));

	if (!s) {
		end->trial->lost++;
		return;
	}
	*s = (struct minisocket_step){
		.time_nsec = at_nsec,
		.state = state,
		.by_fin = state == TCP_STATE_TIME_WAIT && at_nsec == mini->fin_nsec,
		.request = state == TCP_STATE_SYN_RECV || mini->state == TCP_STATE_SYN_RECV,
		.local_port = mini->socket.local_port,
		.peer_port = mini->socket.peer_port
	};
	if (state == TCP_STATE_CLOSE && !is_caused(mini, nsec_now()))
		s->blind_nsec = blind(mini, s->request, at_nsec);
	if (state == TCP_STATE_CLOSE && mini->cause == MINISOCKET_CAUSE_RESET) {
		s->reset = true;
		s->reset_sent = mini->cause_sent;
	}
	mini->state = state;
	pass_on(end);
}

/* A step has the time of the packet that caused it, or else of the look that found it. */
static nsec_t time_of(const struct minisocket *mini, int state, nsec_t now_nsec)
{
	if (state == TCP_STATE_TIME_WAIT && mini->fin_nsec != NSEC_NONE)
		return mini->fin_nsec;
	return is_caused(mini, now_nsec) ? mini->cause_nsec : now_nsec;
}

static bool is_minisocket(const struct sockdiag_socket *s)
{
	return s->state == TCP_STATE_TIME_WAIT || s->state == TCP_STATE_SYN_RECV ||
	       (s->state == TCP_STATE_FIN_WAIT2 && s->timer == TCP_TIMER_TIMEWAIT);
}

static bool is_live(const struct minisocket *mini)
{
	return mini->state == TCP_STATE_SYN_RECV || mini->state == TCP_STATE_FIN_WAIT2 ||
	       mini->state == TCP_STATE_TIME_WAIT;
}

static void found(struct trial_end *end, const struct sockdiag_socket *s, nsec_t now_nsec)
{
	struct minisocket *mini = &end->minisocket;

	/* The kernel has given up one request, and the next SYN has made another. */
	if (mini->state == TCP_STATE_SYN_RECV && s->state == TCP_STATE_SYN_RECV &&
	    mini->socket.cookie != s->cookie)
		step(end, TCP_STATE_CLOSE, time_of(mini, TCP_STATE_CLOSE, now_nsec));
	mini->socket = *s;
	mini->seen_nsec = now_nsec;
	mini->look_nsec = now_nsec + nsec_max(s->expires_nsec - OVERDUE, OVERDUE);
	if (s->state != mini->state && s->state == TCP_STATE_FIN_WAIT2)
		mini->look_nsec =
			now_nsec + SETTLED; /* the kernel may be dealing with the peer's FIN */
	if (s->state != mini->state)
		step(end, s->state, time_of(mini, s->state, now_nsec));
	end->trial->changed = true;
}

/* Whether a reset has ended TIME_WAIT before anybody could look at it (RFC 1337,
 * tcp_timewait_state_process()). It has if the full socket, or the minisocket in FIN_WAIT2,
 * received the FIN and no reset, and a reset came after the FIN. */
static bool cut_short(const struct trial_end *end)
{
	const struct endpoint *endpoint = &end->view[end->believed];
	const struct minisocket *mini = &end->minisocket;
	bool full = mini->state == TCP_STATE_CLOSE && endpoint->reset_received_nsec == NSEC_NONE &&
		    (endpoint->end_from == TCP_STATE_FIN_WAIT2 ||
		     endpoint->end_from == TCP_STATE_CLOSING);

	return (full || mini->state == TCP_STATE_FIN_WAIT2) && !endpoint->time_wait &&
	       mini->fin_nsec != NSEC_NONE && mini->reset_nsec != NSEC_NONE &&
	       mini->reset_nsec >= mini->fin_nsec;
}

/* The minisocket has ended: nothing of it is left, or another connection has its ports. */
static void vanished(struct minisocket *mini, struct trial_end *end, nsec_t now_nsec)
{
	mini->look_nsec = NSEC_NEVER;
	if (cut_short(end)) {
		step(end, TCP_STATE_TIME_WAIT, mini->fin_nsec);
		mini->cause = MINISOCKET_CAUSE_RESET;
		mini->cause_nsec = mini->reset_nsec;
		mini->cause_sent = false;
	}
	if (is_live(mini))
		step(end, TCP_STATE_CLOSE, time_of(mini, TCP_STATE_CLOSE, now_nsec));
}

/* The request socket has become a full one, perhaps before anybody looked for it. */
static void became_full(struct minisocket *mini)
{
	mini->state = TCP_STATE_NONE;
	mini->look_nsec = NSEC_NEVER;
}

static void look(struct trial_end *end)
{
	struct minisocket *mini = &end->minisocket;
	bool full = trial_endpoint(end)->socket;
	bool request = mini->state == TCP_STATE_NONE || mini->state == TCP_STATE_SYN_RECV;
	nsec_t now_nsec = nsec_now();
	struct sockdiag_socket s;
	int rc;

	if (!end->host->powered || (request && full)) {
		became_full(mini);
		return;
	}
	rc = look_up_like(end, &mini->socket, &s);
	mini->listener = !rc && s.state == TCP_STATE_LISTEN;
	if (rc < 0) { /* nothing is known, so it is asked again */
		mini->look_nsec = now_nsec + OVERDUE;
		end->trial->changed = true;
		return;
	}
	if (rc > 0 && is_minisocket(&s) && (s.state == TCP_STATE_SYN_RECV) == request)
		found(end, &s, now_nsec);
	else if (rc > 0 && request)
		became_full(mini);
	else if (rc > 0 && mini->state == TCP_STATE_CLOSE &&
		 now_nsec < mini->closed_nsec + SETTLING)
		mini->look_nsec = now_nsec + SETTLED; /* the kernel has yet to see the packet */
	else
		vanished(mini, end, now_nsec);
	mini->cause = MINISOCKET_CAUSE_NONE;
}

bool minisocket_look(struct trial_end *end)
{
	if (nsec_now() < end->minisocket.look_nsec || trial_past_horizon(end->trial, nsec_now()))
		return false;
	look(end);
	return true;
}

bool minisocket_pending(const struct trial_end *end)
{
	return end->minisocket.state == TCP_STATE_CLOSE && end->minisocket.look_nsec != NSEC_NEVER;
}

/* Whether a full socket is gone in a way that may leave a minisocket in its place. */
static bool may_leave_minisocket(const struct observation *o)
{
	return o->state.to == TCP_STATE_CLOSE &&
	       (o->state.from == TCP_STATE_FIN_WAIT1 || o->state.from == TCP_STATE_FIN_WAIT2 ||
		o->state.from == TCP_STATE_CLOSING);
}

/* Until a look has found a minisocket, its addresses and ports are those of the connection. */
static void note_tuple(struct trial_end *end)
{
	const struct endpoint_tuple *tuple = &end->followed.tuple;
	struct sockdiag_socket *socket = &end->minisocket.socket;

	if (!tuple->known)
		return;
	socket->local = tuple->local;
	socket->peer = tuple->peer;
	socket->local_port = tuple->local_port;
	socket->peer_port = tuple->peer_port;
}

bool minisocket_contradicts(const struct trial_end *end, const struct observation *o)
{
	const struct minisocket *mini = &end->minisocket;

	return o->kind == OBSERVATION_STATE && !end->view[WITNESS_DERIVED].socket &&
	       mini->state == TCP_STATE_CLOSE && mini->look_nsec == NSEC_NEVER;
}

/* A packet is seen before the kernel's TCP has it, so what is derived from it is true only a moment
 * later. Until then there may still be a full socket, or neither that nor a minisocket
 * (inet_twsk_hashdance() counts the first reference last). */
void minisocket_state(struct trial_end *end, const struct observation *o)
{
	const struct endpoint *endpoint = trial_endpoint(end);
	const struct endpoint *witness =
		&end->view[o->derived ? WITNESS_DERIVED : WITNESS_TRACEPOINT];
	bool followed = o->socket == witness->socket && !witness->replaced;
	struct minisocket *mini = &end->minisocket;
	bool early = mini->state == TCP_STATE_NONE || mini->state == TCP_STATE_SYN_RECV;

	note_tuple(end);
	if (followed && may_leave_minisocket(o) && endpoint->state == TCP_STATE_CLOSE && early &&
	    mini->socket.local_port) {
		mini->state = TCP_STATE_CLOSE;
		mini->closed_nsec = nsec_now();
		if (!o->derived) {
			look(end);
		} else {
			mini->look_nsec = mini->closed_nsec + SETTLED;
			end->trial->changed = true;
		}
	}
	pass_on(end);
}

static void expect_change(struct trial_end *end, const struct observation *o, nsec_t wait_nsec)
{
	struct minisocket *mini = &end->minisocket;

	mini->look_nsec = nsec_now() + wait_nsec;
	end->trial->changed = true;
	/* What it sends itself ends nothing, and shows that it is there. */
	if (o->packet.outgoing && !(o->packet.flags & PACKET_RST)) {
		mini->seen_nsec = o->time_nsec;
		mini->socket.expires_nsec = 0;
		return;
	}
	mini->cause =
		o->packet.flags & PACKET_RST ? MINISOCKET_CAUSE_RESET : MINISOCKET_CAUSE_PACKET;
	mini->cause_sent = o->packet.outgoing;
	mini->cause_nsec = o->time_nsec;
}

void minisocket_packet(struct trial_end *end, const struct observation *o)
{
	const struct tcp_packet *p = &o->packet;
	struct minisocket *mini = &end->minisocket;
	bool asked = !p->outgoing && (p->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;

	note_tuple(end);
	if (!p->outgoing && p->flags & PACKET_FIN)
		mini->fin_nsec = o->time_nsec;
	if (!p->outgoing && p->flags & PACKET_RST)
		mini->reset_nsec = o->time_nsec;
	if (mini->look_nsec == NSEC_NEVER && cut_short(end))
		vanished(mini, end, nsec_now());
	if (is_live(mini) && p->flags & (PACKET_FIN | PACKET_RST | PACKET_SYN))
		expect_change(end, o, SETTLED);
	else if (asked && !is_live(mini) && !end_connects(end->id) &&
		 !trial_endpoint(end)->socket && mini->look_nsec == NSEC_NEVER)
		expect_change(end, o, COMPLETE);
}

void minisocket_finish(struct trial_end *end)
{
	if (end->minisocket.cause != MINISOCKET_CAUSE_NONE || minisocket_pending(end))
		look(end);
}
