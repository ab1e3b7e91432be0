/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "src/record/trace-entry.h"
#include "src/tcp/packet.h"
#include "src/util/array.h"

#define SAME_EVENT  (2 * NSEC_PER_MSEC) /* a retransmission and its packet */
#define NO_FLOW	    SIZE_MAX
#define SAME_EXPIRY (20 * NSEC_PER_MSEC) /* or a fiftieth of what is left: the same moment */

struct tracer *tracer_free(struct tracer *tracer)
{
	if (!tracer)
		return NULL;
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		free(tracer->packets[n]);
	free(tracer->timers);
	free(tracer);
	return NULL;
}

int tracer_add_packet(struct tracer *tracer, enum node_id node, nsec_t at,
		      const struct tcp_packet *packet)
{
	struct tracer_packet *p =
		array_append(&tracer->packets[node], &tracer->n_packets[node], sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct tracer_packet){
		.time_nsec = at,
		.sent = packet->outgoing,
		.flags = packet->flags,
		.window = packet->window,
		.id = packet->id,
		.local_port = packet->outgoing ? packet->source_port : packet->destination_port,
		.peer_port = packet->outgoing ? packet->destination_port : packet->source_port,
		.seq = packet->seq,
		.ack = packet->ack,
		.payload = packet->payload,
		.stamp = packet->stamp,
		.flow = NO_FLOW,
	};
	return 0;
}

/* A timer that was set again for the same moment, or nearly, says nothing new. */
static bool says_the_same(const struct tracer_timer *last, nsec_t at,
			  const struct trace_timer *timer)
{
	nsec_t moved = at + timer->expires_nsec - last->time_nsec - last->timer.expires_nsec;

	if (last->timer.kind != timer->kind)
		return false;
	if (timer->kind == TCP_TIMER_OFF)
		return true;
	return last->timer.count == timer->count &&
	       llabs(moved) < SAME_EXPIRY + timer->expires_nsec / 50;
}

int tracer_add_timer(struct tracer *tracer, enum node_id node, nsec_t at,
		     const struct trace_timer *timer)
{
	static const struct tracer_timer none = { .timer.kind = TCP_TIMER_OFF };
	const struct tracer_timer *last = &none;
	struct tracer_timer *slot;

	for (size_t i = tracer->n_timers; i-- > 0 && last == &none;)
		if (tracer->timers[i].node == node)
			last = &tracer->timers[i];
	if (says_the_same(last, at, timer))
		return 0;
	slot = array_append(&tracer->timers, &tracer->n_timers, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = (struct tracer_timer){ at, node, *timer };
	return 0;
}

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static enum node_id peer_of(enum node_id node)
{
	return node == NODE_CLIENT ? NODE_SERVER : NODE_CLIENT;
}

struct trace_entry *tracer_add_entry(struct tracer_build *b, enum trace_kind kind, nsec_t at,
				     enum node_id node)
{
	struct trace *trace = &b->record->trace;
	struct trace_entry *e = array_append(&trace->entries, &trace->count, sizeof(*e));

	if (!e)
		return NULL;
	e->kind = kind;
	e->time_nsec = at;
	e->node = node;
	e->rto_nsec = NSEC_NONE;
	return e;
}

static bool is_syn(const struct tracer_packet *p)
{
	return (p->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
}

/* The latest connection that this end knows by these ports. */
static ssize_t find_flow(const struct tracer_build *b, enum node_id node,
			 const struct tracer_packet *p)
{
	for (size_t i = b->n_flows; i-- > 0;)
		if (b->flows[i].port[node][0] == p->local_port &&
		    b->flows[i].port[node][1] == p->peer_port)
			return (ssize_t)i;
	return -1;
}

/* Which connection a packet belongs to that `node` saw first: a SYN with another number begins
 * the next. The other end may know it by other ports (NAT). */
static struct tracer_flow *flow_of(struct tracer_build *b, enum node_id node,
				   struct tracer_packet *p)
{
	enum node_id sender = p->sent ? node : peer_of(node);
	ssize_t i = find_flow(b, node, p);
	struct tracer_flow *f = i < 0 ? NULL : &b->flows[i];

	if (!f || (is_syn(p) && f->end[sender].known && f->end[sender].base != p->seq)) {
		f = array_append(&b->flows, &b->n_flows, sizeof(*f));
		if (!f)
			return NULL;
		i = (ssize_t)b->n_flows - 1;
	}
	f->port[node][0] = p->local_port;
	f->port[node][1] = p->peer_port;
	if (p->other) {
		f->port[peer_of(node)][0] = p->other->local_port;
		f->port[peer_of(node)][1] = p->other->peer_port;
		p->other->flow = (size_t)i;
	}
	p->flow = (size_t)i;
	return f;
}

/* tcpdump's way (print-tcp.c: tcp_print): relative to the SYN; where there was none, to the first
 * packet; that one, a SYN and what acknowledges nothing are written as they are. */
static void write_numbers(struct tracer_flow *f, enum node_id sender, const struct tracer_packet *p,
			  struct trace_packet *out)
{
	bool ack = p->flags & PACKET_ACK, syn = p->flags & PACKET_SYN;
	bool plain = !ack || syn || !f->end[sender].known;
	enum node_id peer = peer_of(sender);

	if (!f->end[sender].known || (syn && f->end[sender].base != p->seq)) {
		f->end[sender].base = f->end[sender].top = p->seq;
		f->end[sender].known = true;
	}
	if (ack && !f->end[peer].known) {
		f->end[peer].base = p->ack - 1;
		f->end[peer].known = true;
	}
	out->seq = plain ? p->seq : p->seq - f->end[sender].base;
	out->ack = !ack ? 0 : plain ? p->ack : p->ack - f->end[peer].base;
}

/* The record's retransmission that this packet is: the nearest that has none yet. */
static const struct record_retransmission *find_retransmission(struct tracer_build *b,
							       enum node_id node, nsec_t at)
{
	const struct record_endpoint *e = &b->record->endpoint[node];
	size_t best = SIZE_MAX;
	nsec_t best_off = SAME_EVENT;

	for (size_t i = 0; i < e->n_retransmissions; i++) {
		nsec_t off = llabs(e->retransmissions[i].time_nsec - at);

		if (b->shown[node][i] || off >= best_off)
			continue;
		best = i;
		best_off = off;
	}
	if (best == SIZE_MAX)
		return NULL;
	b->shown[node][best] = true;
	return &e->retransmissions[best];
}

static const enum trace_again again_of[] = {
	[RETRANSMIT_UNKNOWN] = TRACE_AGAIN,
	[RETRANSMIT_RTO] = TRACE_TIMEOUT,
	[RETRANSMIT_LOSS_PROBE] = TRACE_LOSS_PROBE,
	[RETRANSMIT_FAST] = TRACE_FAST,
};
static_assert(ARRAY_SIZE(again_of) == _RETRANSMIT_REASON_MAX, "a trace has a word for each");

void tracer_note_again(struct trace_entry *e, const struct record_retransmission *r)
{
	e->again = again_of[r ? r->reason : RETRANSMIT_UNKNOWN];
	e->rto_nsec = r ? r->rto_nsec : NSEC_NONE;
}

/* net/ipv4/tcp_output.c: tcp_xmit_probe_skb() sends nothing, from before the oldest byte that is
 * not acknowledged. */
static bool is_probe(const struct tracer_flow *f, enum node_id sender,
		     const struct tracer_packet *p)
{
	return p->flags == PACKET_ACK && !p->payload && f->end[sender].heard &&
	       p->seq == f->end[sender].acked - 1;
}

/* How often this has been sent again without an answer. */
static unsigned int count_again(struct tracer_flow *f, enum node_id node, uint32_t seq)
{
	if (f->end[node].repeated != seq)
		f->end[node].times = 0;
	f->end[node].repeated = seq;
	return ++f->end[node].times;
}

static void recognise(struct tracer_build *b, struct tracer_flow *f, const struct tracer_packet *p,
		      struct trace_entry *e)
{
	bool control = p->flags & (PACKET_SYN | PACKET_FIN);
	uint32_t end = p->seq + p->payload + !!(p->flags & PACKET_SYN) + !!(p->flags & PACKET_FIN);

	if (is_probe(f, e->node, p)) {
		e->again = f->end[e->node].shut ? TRACE_WINDOW : TRACE_KEEPALIVE;
		e->number = ++f->end[e->node].probes;
		return;
	}
	if ((p->payload || control) && !(p->flags & PACKET_RST) &&
	    before(p->seq, f->end[e->node].top)) {
		tracer_note_again(e, find_retransmission(b, e->node, e->time_nsec));
		if (e->again == TRACE_TIMEOUT || e->again == TRACE_AGAIN)
			e->number = count_again(f, e->node, p->seq);
	}
	if (before(f->end[e->node].top, end))
		f->end[e->node].top = end;
}

/* What came in tells the end that got it how far it was heard. */
static void hear(struct tracer_flow *f, enum node_id node, const struct tracer_packet *p)
{
	f->end[node].probes = 0;
	if (!(p->flags & PACKET_ACK))
		return;
	f->end[node].shut = !p->window && !(p->flags & PACKET_RST);
	if (!f->end[node].heard || before(f->end[node].acked, p->ack)) {
		f->end[node].acked = p->ack;
		f->end[node].times = 0;
	}
	f->end[node].heard = true;
}

static void tell_fate(struct tracer_build *b, const struct tracer_packet *p,
		      struct trace_packet *out)
{
	out->sent_nsec = p->time_nsec - b->origin_nsec;
	out->arrived_nsec = NSEC_NONE;
	out->fate = p->in_pieces ? TRACE_IN_PIECES : TRACE_LOST;
	if (!p->other)
		return;
	out->fate = TRACE_ARRIVED;
	out->arrived_nsec = p->other->time_nsec - b->origin_nsec;
	if (out->arrived_nsec - out->sent_nsec > b->slowest_nsec)
		b->slowest_nsec = out->arrived_nsec - out->sent_nsec;
}

/* An entry for what was sent, and for what came in that nobody was seen to send. */
static int take_packet(struct tracer_build *b, enum node_id node, struct tracer_packet *p)
{
	bool told = !p->sent && p->other && p->flow != NO_FLOW; /* when it was sent */
	struct tracer_flow *f = told ? &b->flows[p->flow] : flow_of(b, node, p);
	enum node_id sender = p->sent ? node : peer_of(node);
	struct trace_entry *e;

	if (!f)
		return -ENOMEM;
	if (p->sent || !p->other) {
		e = tracer_add_entry(b, TRACE_PACKET, p->time_nsec - b->origin_nsec, sender);
		if (!e)
			return -ENOMEM;
		e->connection = (unsigned int)p->flow;
		e->packet = (struct trace_packet){ .flags = p->flags,
						   .window = p->window,
						   .length = p->payload };
		write_numbers(f, sender, p, &e->packet);
		tell_fate(b, p, &e->packet);
		if (p->sent) {
			recognise(b, f, p, e);
		} else {
			e->packet.fate = TRACE_ARRIVED;
			e->packet.arrived_nsec = e->time_nsec;
			e->packet.sent_nsec = NSEC_NONE;
			e->packet.foreign = !p->in_pieces;
			e->node = e->packet.foreign ? node : sender;
		}
	}
	if (!p->sent)
		hear(f, node, p);
	return 0;
}

/* Of both ends' packets the next in time; what was sent before what was received. */
static struct tracer_packet *next_packet(struct tracer_build *b, enum node_id *ret_node)
{
	struct tracer_packet *next = NULL;

	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		struct tracer_packet *p;

		if (b->next_packet[n] == b->tracer->n_packets[n])
			continue;
		p = &b->tracer->packets[n][b->next_packet[n]];
		if (next && (p->time_nsec > next->time_nsec ||
			     (p->time_nsec == next->time_nsec && !p->sent)))
			continue;
		next = p;
		*ret_node = n;
	}
	if (next)
		b->next_packet[*ret_node]++;
	return next;
}

static int take_packets(struct tracer_build *b)
{
	struct tracer_packet *p;
	enum node_id node = NODE_CLIENT;

	while ((p = next_packet(b, &node)))
		if (take_packet(b, node, p) < 0)
			return -ENOMEM;
	return 0;
}

/* What took no longer than others did and has not arrived may be on its way yet. */
static void find_under_way(struct tracer_build *b)
{
	struct trace *trace = &b->record->trace;
	nsec_t late = b->record->span_nsec - b->slowest_nsec - SAME_EVENT;

	for (size_t i = 0; i < trace->count; i++) {
		struct trace_entry *e = &trace->entries[i];

		if (e->kind == TRACE_PACKET && e->packet.fate == TRACE_LOST && e->time_nsec > late)
			e->packet.fate = TRACE_UNDER_WAY;
	}
}

/* At the same moment: what was done before what it did. */
static int compare_entries(const void *a, const void *b)
{
	static const int rank[_TRACE_KIND_MAX] = {
		[TRACE_EVENT] = 0,  [TRACE_STATE] = 1, [TRACE_RETRANSMISSION] = 2,
		[TRACE_PACKET] = 3, [TRACE_CALL] = 4,  [TRACE_TIMER] = 5,
		[TRACE_SAMPLE] = 6,
	};
	const struct trace_entry *x = a, *y = b;

	if (x->time_nsec != y->time_nsec)
		return x->time_nsec < y->time_nsec ? -1 : 1;
	if (x->kind != y->kind)
		return rank[x->kind] - rank[y->kind];
	return (int)x->node - (int)y->node;
}

static int build_all(struct tracer_build *b)
{
	int rc = tracer_join(b->tracer);

	if (rc >= 0)
		rc = take_packets(b);
	if (rc >= 0)
		rc = tracer_take_lists(b);
	if (rc < 0)
		return rc;
	find_under_way(b);
	if (b->record->trace.count)
		qsort(b->record->trace.entries, b->record->trace.count,
		      sizeof(*b->record->trace.entries), compare_entries);
	return 0;
}

static int build(struct tracer *tracer, struct record *record)
{
	struct tracer_build b = { .tracer = tracer,
				  .record = record,
				  .origin_nsec = tracer->origin_nsec };
	int rc = 0;

	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		b.shown[n] = calloc(record->endpoint[n].n_retransmissions + 1, sizeof(bool));
		if (!b.shown[n])
			rc = -ENOMEM;
	}
	if (rc >= 0)
		rc = build_all(&b);
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		free(b.shown[n]);
	free(b.flows);
	return rc;
}

int tracer_finish(struct record *record)
{
	int rc;

	if (!record->tracer)
		return 0;
	rc = build(record->tracer, record);
	if (rc < 0)
		trace_deinit(&record->trace);
	record->trace.present = rc >= 0;
	record->tracer = tracer_free(record->tracer);
	return rc;
}
