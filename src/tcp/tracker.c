/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tcp/tracker.h"

#include "src/tcp/packet.h"

/*
 * Theory of operation. The walk is the one Linux reports, so that it can stand in for the
 * tracepoint: a passive opener is seen as a socket only when its SYN-ACK is acknowledged
 * (net/ipv4/tcp_minisocks.c: tcp_check_req), and goes LISTEN, SYN_RECV, ESTABLISHED then. Where the
 * RFC says TIME_WAIT this says so too; the kernel's full socket is closed at that moment.
 *
 * rcv_nxt is what the node itself acknowledges, so that nothing needs to be reassembled: a FIN
 * counts as received when all before it is, or when the node has acknowledged it.
 */

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static bool between(uint32_t low, uint32_t x, uint32_t high)
{
	return !before(x, low) && !before(high, x);
}

static void emit(struct tracker_events *events, enum tracker_event_kind kind, int from, int to)
{
	if (events->count < TRACKER_EVENTS_MAX)
		events->event[events->count++] = (struct tracker_event){ kind, from, to };
}

static void go(struct tcp_tracker *t, int to, struct tracker_events *events)
{
	if (t->state == to)
		return;
	emit(events, TRACKER_STATE, t->state, to);
	t->state = to;
}

static void retransmitted(struct tcp_tracker *t, struct tracker_events *events)
{
	t->retransmits++;
	emit(events, TRACKER_RETRANSMIT, 0, 0);
}

bool tcp_tracker_closed(const struct tcp_tracker *t)
{
	return t->state == 0 || t->state == TCP_STATE_CLOSE || t->state == TCP_STATE_TIME_WAIT ||
	       t->state == TCP_STATE_NEW_SYN_RECV;
}

bool tcp_tracker_opens(const struct tcp_packet *packet)
{
	return (packet->flags & (PACKET_SYN | PACKET_ACK | PACKET_RST)) == PACKET_SYN;
}

static void sent_syn(struct tcp_tracker *t, const struct tcp_packet *p,
		     struct tracker_events *events)
{
	if (t->state == TCP_STATE_SYN_SENT && p->seq == t->snd_una) {
		retransmitted(t, events);
		return;
	}
	*t = (struct tcp_tracker){ .state = TCP_STATE_CLOSE, .snd_una = p->seq };
	t->snd_nxt = p->seq + 1 + p->payload;
	go(t, TCP_STATE_SYN_SENT, events);
}

static void sent_syn_ack(struct tcp_tracker *t, const struct tcp_packet *p,
			 struct tracker_events *events)
{
	if (t->answered && p->seq + 1 == t->snd_nxt) {
		retransmitted(t, events);
		return;
	}
	if (t->state != TCP_STATE_NEW_SYN_RECV && t->state != TCP_STATE_SYN_SENT)
		return;
	t->answered = true;
	t->rcv_nxt = p->ack;
	if (t->state == TCP_STATE_SYN_SENT) { /* both ends opened at once: the SYN is sent again */
		go(t, TCP_STATE_SYN_RECV, events);
		return;
	}
	t->snd_una = p->seq;
	t->snd_nxt = p->seq + 1;
}

static void sent_fin(struct tcp_tracker *t, uint32_t end, struct tracker_events *events)
{
	if (t->fin_sent)
		return;
	t->fin_sent = true;
	t->fin_end = end;
	if (t->state == TCP_STATE_ESTABLISHED || t->state == TCP_STATE_SYN_RECV)
		go(t, TCP_STATE_FIN_WAIT1, events);
	else if (t->state == TCP_STATE_CLOSE_WAIT)
		go(t, TCP_STATE_LAST_ACK, events);
}

/* net/ipv4/tcp_output.c: tcp_xmit_probe_skb() sends the byte before the oldest unacknowledged one,
 * empty; other stacks put one byte there, or probe a closed window with the next byte. */
static bool is_probe(const struct tcp_tracker *t, const struct tcp_packet *p)
{
	if (p->flags & PACKET_FIN || p->payload > 1)
		return false;
	if (p->seq == t->snd_una - 1)
		return true;
	return p->payload == 1 && t->peer_window_zero && before(p->seq, t->snd_nxt);
}

static void sent_data(struct tcp_tracker *t, const struct tcp_packet *p,
		      struct tracker_events *events)
{
	uint32_t end = p->seq + p->payload + !!(p->flags & PACKET_FIN);

	if (is_probe(t, p)) {
		t->probes++;
		t->keepalive_probed |= !t->peer_window_zero;
		return;
	}
	if (end != p->seq && before(p->seq, t->snd_nxt))
		retransmitted(t, events);
	if (before(t->snd_nxt, end))
		t->snd_nxt = end;
	if (p->flags & PACKET_FIN)
		sent_fin(t, end, events);
}

/* Only a reset that speaks for the connection ends it: the answer to a wrong SYN-ACK in SYN_SENT
 * carries the number the peer acknowledged, and the socket stays. */
static void sent_reset(struct tcp_tracker *t, const struct tcp_packet *p,
		       struct tracker_events *events)
{
	if (t->state == TCP_STATE_NEW_SYN_RECV)
		t->state = TCP_STATE_CLOSE;
	else if (!tcp_tracker_closed(t) && t->state != TCP_STATE_SYN_SENT &&
		 between(t->snd_una, p->seq, t->snd_nxt))
		go(t, TCP_STATE_CLOSE, events);
	emit(events, TRACKER_RESET_SENT, 0, 0);
}

static void fin_acknowledged(struct tcp_tracker *t, struct tracker_events *events)
{
	if (t->state == TCP_STATE_FIN_WAIT1)
		go(t, TCP_STATE_FIN_WAIT2, events);
	else if (t->state == TCP_STATE_CLOSING)
		go(t, TCP_STATE_TIME_WAIT, events);
	else if (t->state == TCP_STATE_LAST_ACK)
		go(t, TCP_STATE_CLOSE, events);
}

static void fin_received(struct tcp_tracker *t, struct tracker_events *events)
{
	t->fin_seen = false;
	if (t->state == TCP_STATE_ESTABLISHED || t->state == TCP_STATE_SYN_RECV)
		go(t, TCP_STATE_CLOSE_WAIT, events);
	else if (t->state == TCP_STATE_FIN_WAIT1)
		go(t, TCP_STATE_CLOSING, events);
	else if (t->state == TCP_STATE_FIN_WAIT2)
		go(t, TCP_STATE_TIME_WAIT, events);
}

static void advance_receive(struct tcp_tracker *t, uint32_t to, struct tracker_events *events)
{
	if (before(t->rcv_nxt, to))
		t->rcv_nxt = to;
	if (!t->fin_seen || before(t->rcv_nxt, t->peer_fin - 1))
		return;
	if (before(t->rcv_nxt, t->peer_fin))
		t->rcv_nxt = t->peer_fin;
	fin_received(t, events);
}

static void sent(struct tcp_tracker *t, const struct tcp_packet *p, struct tracker_events *events)
{
	if (p->flags & PACKET_RST) {
		sent_reset(t, p, events);
	} else if (tcp_tracker_opens(p)) {
		sent_syn(t, p, events);
	} else if (p->flags & PACKET_SYN) {
		sent_syn_ack(t, p, events);
	} else if (!tcp_tracker_closed(t) && t->state != TCP_STATE_SYN_SENT) {
		if (p->flags & PACKET_ACK)
			advance_receive(t, p->ack, events);
		sent_data(t, p, events);
	}
}

static void got_syn(struct tcp_tracker *t, const struct tcp_packet *p)
{
	if (!tcp_tracker_closed(t)) {
		if (t->state == TCP_STATE_SYN_SENT)
			t->rcv_nxt = p->seq + 1;
		return;
	}
	if (t->state == TCP_STATE_NEW_SYN_RECV && t->peer_isn == p->seq)
		return;
	*t = (struct tcp_tracker){ .state = TCP_STATE_NEW_SYN_RECV, .peer_isn = p->seq };
	t->rcv_nxt = p->seq + 1;
}

static void got_syn_ack(struct tcp_tracker *t, const struct tcp_packet *p,
			struct tracker_events *events)
{
	bool ok = p->ack != t->snd_una && between(t->snd_una, p->ack, t->snd_nxt);

	if (!ok || (t->state != TCP_STATE_SYN_SENT && t->state != TCP_STATE_SYN_RECV))
		return;
	t->rcv_nxt = p->seq + 1;
	t->snd_una = p->ack;
	t->retransmits = 0;
	go(t, TCP_STATE_ESTABLISHED, events);
}

/* net/ipv4/tcp_input.c: tcp_validate_incoming() takes a reset that is exactly next in sequence (RFC
 * 5961), tcp_rcv_synsent_state_process() one that acknowledges the SYN. */
static void got_reset(struct tcp_tracker *t, const struct tcp_packet *p,
		      struct tracker_events *events)
{
	bool ok = p->seq == t->rcv_nxt;

	if (t->state == TCP_STATE_SYN_SENT)
		ok = p->flags & PACKET_ACK && p->ack != t->snd_una &&
		     between(t->snd_una, p->ack, t->snd_nxt);
	if (!ok)
		return;
	if (t->state == TCP_STATE_NEW_SYN_RECV)
		t->state = TCP_STATE_CLOSE;
	if (tcp_tracker_closed(t))
		return;
	emit(events, TRACKER_RESET_RECEIVED, 0, 0);
	go(t, TCP_STATE_CLOSE, events);
}

static void got_ack(struct tcp_tracker *t, const struct tcp_packet *p,
		    struct tracker_events *events)
{
	if (!between(t->snd_una, p->ack, t->snd_nxt))
		return;
	t->probes = 0;
	t->peer_window_zero = p->window == 0;
	if (p->ack != t->snd_una)
		t->retransmits = 0;
	t->snd_una = p->ack;
	if (t->state == TCP_STATE_SYN_RECV && p->ack == t->snd_nxt)
		go(t, TCP_STATE_ESTABLISHED, events);
	if (t->fin_sent && !before(p->ack, t->fin_end))
		fin_acknowledged(t, events);
}

static void got_data(struct tcp_tracker *t, const struct tcp_packet *p,
		     struct tracker_events *events)
{
	uint32_t end = p->seq + p->payload;

	if (p->flags & PACKET_FIN) {
		t->fin_seen = true;
		t->peer_fin = ++end;
	}
	if (!before(t->rcv_nxt, p->seq))
		advance_receive(t, end, events);
}

/* The kernel makes the socket when it gets the third packet of the handshake. */
static void got_first_ack(struct tcp_tracker *t, const struct tcp_packet *p,
			  struct tracker_events *events)
{
	if (!t->answered || p->ack != t->snd_nxt)
		return;
	t->state = TCP_STATE_LISTEN;
	t->retransmits = 0;
	go(t, TCP_STATE_SYN_RECV, events);
}

static void got(struct tcp_tracker *t, const struct tcp_packet *p, struct tracker_events *events)
{
	if (p->flags & PACKET_RST) {
		got_reset(t, p, events);
	} else if (tcp_tracker_opens(p)) {
		got_syn(t, p);
	} else if (p->flags & PACKET_SYN) {
		got_syn_ack(t, p, events);
	} else if (p->flags & PACKET_ACK) {
		if (t->state == TCP_STATE_NEW_SYN_RECV)
			got_first_ack(t, p, events);
		if (tcp_tracker_closed(t) || t->state == TCP_STATE_SYN_SENT)
			return;
		got_ack(t, p, events);
		got_data(t, p, events);
	}
}

void tcp_tracker_packet(struct tcp_tracker *tracker, const struct tcp_packet *packet,
			struct tracker_events *ret_events)
{
	ret_events->count = 0;
	if (packet->outgoing)
		sent(tracker, packet, ret_events);
	else
		got(tracker, packet, ret_events);
}

void tcp_tracker_facts(const struct tcp_tracker *t, struct socket_facts *ret_facts)
{
	*ret_facts = (struct socket_facts){
		.present = true,
		.keepalive = t->keepalive_probed,
		.retransmits = t->retransmits,
		.probes = t->probes,
		.unacknowledged = t->snd_nxt - t->snd_una,
	};
}
