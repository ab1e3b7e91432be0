/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/trace-build.h"

#include <errno.h>
#include <stdlib.h>

#include "src/record/trace-work.h"
#include "src/util/array.h"

/* The times of a retransmission in the record and of its packet differ by less than this. */
#define SAME_EVENT (2 * NSEC_PER_MSEC)

/* Whether one sequence number comes before another. Sequence numbers wrap. */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static bool is_syn(const struct sighting_packet *p)
{
	return (p->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
}

/* Returns the index of the latest connection that `end` knows by the ports of a packet; -1 if
 * there is none. */
static ssize_t find_flow(const struct trace_work *work, enum end_id end,
			 const struct sighting_packet *p)
{
	for (size_t i = work->n_flows; i-- > 0;)
		if (work->flows[i].followed == end_connection(end) &&
		    work->flows[i].port[end][0] == p->local_port &&
		    work->flows[i].port[end][1] == p->peer_port)
			return (ssize_t)i;
	return -1;
}

static unsigned int count_flows(const struct trace_work *work, size_t followed)
{
	unsigned int n = 0;

	for (size_t i = 0; i < work->n_flows; i++)
		n += work->flows[i].followed == followed;
	return n;
}

/* Returns the connection of a packet that `end` saw first, or NULL without memory. A SYN with
 * another sequence number begins the next connection. The other end's ports are noted too, because
 * behind a NAT they are not the same. */
static struct trace_flow *flow_of(struct trace_work *work, enum end_id end, struct trace_seen *seen)
{
	const struct sighting_packet *p = seen->packet;
	enum end_id sender = p->sent ? end : end_peer(end);
	ssize_t i = find_flow(work, end, p);
	struct trace_flow *f = i < 0 ? NULL : &work->flows[i];

	if (!f || (is_syn(p) && f->end[sender].known && f->end[sender].base != p->seq)) {
		unsigned int number = count_flows(work, end_connection(end));

		f = array_append(&work->flows, &work->n_flows, sizeof(*f));
		if (!f)
			return NULL;
		i = (ssize_t)work->n_flows - 1;
		f->followed = end_connection(end);
		f->number = number;
	}
	f->port[end][0] = p->local_port;
	f->port[end][1] = p->peer_port;
	if (seen->other) {
		f->port[end_peer(end)][0] = seen->other->packet->local_port;
		f->port[end_peer(end)][1] = seen->other->packet->peer_port;
		seen->other->flow = (size_t)i;
	}
	seen->flow = (size_t)i;
	return f;
}

/* Writes sequence numbers as tcpdump does (print-tcp.c: tcp_print()): relative to the SYN, or to
 * the first packet where no SYN was seen. The first packet, a SYN and a packet without the ACK flag
 * have their absolute numbers. */
static void write_numbers(struct trace_flow *f, enum end_id sender, const struct sighting_packet *p,
			  struct trace_packet *out)
{
	bool ack = p->flags & PACKET_ACK, syn = p->flags & PACKET_SYN;
	bool plain = !ack || syn || !f->end[sender].known;
	enum end_id peer = end_peer(sender);

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

/* Returns the record's retransmission that a packet of `end` shows, which is the nearest in time
 * of those that no other packet shows; NULL if none is near. */
static const struct record_retransmission *find_retransmission(struct trace_work *work,
							       enum end_id end, nsec_t at_nsec)
{
	const struct record_endpoint *e = &work->record->endpoint[end];
	size_t best = SIZE_MAX;
	nsec_t best_off_nsec = SAME_EVENT;

	for (size_t i = 0; i < e->n_retransmissions; i++) {
		nsec_t off_nsec = llabs(e->retransmissions[i].time_nsec - at_nsec);

		if (work->shown[end][i] || off_nsec >= best_off_nsec)
			continue;
		best = i;
		best_off_nsec = off_nsec;
	}
	if (best == SIZE_MAX)
		return NULL;
	work->shown[end][best] = true;
	return &e->retransmissions[best];
}

/* Whether a packet is a keepalive or window probe. A probe has no data, and its sequence number is
 * the one before the oldest unacknowledged byte (net/ipv4/tcp_output.c: tcp_xmit_probe_skb()). */
static bool is_probe(const struct trace_flow *f, enum end_id sender,
		     const struct sighting_packet *p)
{
	return p->flags == PACKET_ACK && !p->payload && f->end[sender].heard &&
	       p->seq == f->end[sender].acked - 1;
}

/* Counts how often the segment at `seq` has been sent again without an answer. */
static unsigned int count_again(struct trace_flow *f, enum end_id end, uint32_t seq)
{
	if (f->end[end].repeated != seq)
		f->end[end].times = 0;
	f->end[end].repeated = seq;
	return ++f->end[end].times;
}

/* Finds out whether a packet is a probe or was sent before, and notes this in its entry. */
static void recognise(struct trace_work *work, struct trace_flow *f,
		      const struct sighting_packet *p, struct trace_entry *e)
{
	bool control = p->flags & (PACKET_SYN | PACKET_FIN);
	uint32_t end = p->seq + p->payload + !!(p->flags & PACKET_SYN) + !!(p->flags & PACKET_FIN);

	if (is_probe(f, e->end, p)) {
		e->again = f->end[e->end].shut ? TRACE_WINDOW : TRACE_KEEPALIVE;
		e->number = ++f->end[e->end].probes;
		return;
	}
	if ((p->payload || control) && !(p->flags & PACKET_RST) &&
	    before(p->seq, f->end[e->end].top)) {
		trace_note_again(e, find_retransmission(work, e->end, e->time_nsec));
		if (e->again == TRACE_TIMEOUT || e->again == TRACE_AGAIN)
			e->number = count_again(f, e->end, p->seq);
	}
	if (before(f->end[e->end].top, end))
		f->end[e->end].top = end;
}

/* Takes from a packet that `end` received how much of the end's data has arrived, and whether the
 * other end's window is closed. */
static void hear(struct trace_flow *f, enum end_id end, const struct sighting_packet *p)
{
	f->end[end].probes = 0;
	if (!(p->flags & PACKET_ACK))
		return;
	f->end[end].shut = !p->window && !(p->flags & PACKET_RST);
	if (!f->end[end].heard || before(f->end[end].acked, p->ack)) {
		f->end[end].acked = p->ack;
		f->end[end].times = 0;
	}
	f->end[end].heard = true;
}

/* Writes when a packet was sent and arrived, and what became of it. */
static void tell_fate(struct trace_work *work, const struct trace_seen *p, struct trace_packet *out)
{
	out->sent_nsec = p->time_nsec - work->sightings->origin_nsec;
	out->arrived_nsec = NSEC_NONE;
	out->fate = p->in_pieces ? TRACE_IN_PIECES : TRACE_LOST;
	if (!p->other)
		return;
	out->fate = TRACE_ARRIVED;
	out->arrived_nsec = p->other->time_nsec - work->sightings->origin_nsec;
	if (out->arrived_nsec - out->sent_nsec > work->slowest_nsec)
		work->slowest_nsec = out->arrived_nsec - out->sent_nsec;
}

/* Adds an entry for a packet that was sent, or that was received but not seen when it was sent. */
static int add_packet(struct trace_work *work, struct trace_flow *f, enum end_id end,
		      const struct trace_seen *seen)
{
	const struct sighting_packet *p = seen->packet;
	enum end_id sender = p->sent ? end : end_peer(end);
	struct trace_entry *e = trace_add_entry(
		work, TRACE_PACKET, seen->time_nsec - work->sightings->origin_nsec, sender);

	if (!e)
		return -ENOMEM;
	e->connection = f->number;
	e->packet = (struct trace_packet){ .flags = p->flags,
					   .window = p->window,
					   .length = p->payload };
	write_numbers(f, sender, p, &e->packet);
	tell_fate(work, seen, &e->packet);
	if (p->sent) {
		recognise(work, f, p, e);
		return 0;
	}
	e->packet.fate = TRACE_ARRIVED;
	e->packet.arrived_nsec = e->time_nsec;
	e->packet.sent_nsec = NSEC_NONE;
	e->packet.foreign = !seen->in_pieces;
	e->end = e->packet.foreign ? end : sender;
	return 0;
}

static int take_packet(struct trace_work *work, enum end_id end, struct trace_seen *seen)
{
	bool sent = seen->packet->sent;
	/* A packet that was seen when it was sent has had its entry and its flow since then. */
	bool told = !sent && seen->other && seen->flow != TRACE_NO_FLOW;
	struct trace_flow *f = told ? &work->flows[seen->flow] : flow_of(work, end, seen);

	if (!f)
		return -ENOMEM;
	if ((sent || !seen->other) && add_packet(work, f, end, seen) < 0)
		return -ENOMEM;
	if (!sent)
		hear(f, end, seen->packet);
	return 0;
}

/* Returns the next packet of both ends in the order of time, NULL after the last one. At the same
 * moment, a packet that is sent comes before one that is received. */
static struct trace_seen *next_packet(struct trace_work *work, enum end_id *ret_end)
{
	struct trace_seen *next = NULL;

	for (enum end_id n = 0; n < work->record->n_ends; n++) {
		struct trace_seen *p;

		if (work->next_packet[n] == work->sightings->n_packets[n])
			continue;
		p = &work->seen[n][work->next_packet[n]];
		if (next && (p->time_nsec > next->time_nsec ||
			     (p->time_nsec == next->time_nsec && !p->packet->sent)))
			continue;
		next = p;
		*ret_end = n;
	}
	if (next)
		work->next_packet[*ret_end]++;
	return next;
}

static int take_packets(struct trace_work *work)
{
	struct trace_seen *p;
	enum end_id end = END_CLIENT;

	while ((p = next_packet(work, &end)))
		if (take_packet(work, end, p) < 0)
			return -ENOMEM;
	return 0;
}

/* Corrects the fate of packets that did not arrive but were sent less than the longest delay before
 * the end of the trial: such a packet may still be under way. */
static void find_under_way(struct trace_work *work)
{
	struct trace *trace = &work->record->trace;
	nsec_t late_nsec = work->record->span_nsec - work->slowest_nsec - SAME_EVENT;

	for (size_t i = 0; i < trace->count; i++) {
		struct trace_entry *e = &trace->entries[i];

		if (e->kind == TRACE_PACKET && e->packet.fate == TRACE_LOST &&
		    e->time_nsec > late_nsec)
			e->packet.fate = TRACE_UNDER_WAY;
	}
}

/* Orders entries by time. At the same moment, kinds that cause others come first. */
static int compare_entries(const void *a, const void *b)
{
	static const int rank[_TRACE_KIND_MAX] = {
		[TRACE_EVENT] = 0,  [TRACE_STATE] = 1,	[TRACE_RETRANSMISSION] = 2,
		[TRACE_PACKET] = 3, [TRACE_CALL] = 4,	[TRACE_TIMER] = 5,
		[TRACE_SAMPLE] = 6, [TRACE_OUTPUT] = 7,
	};
	const struct trace_entry *x = a, *y = b;

	if (x->time_nsec != y->time_nsec)
		return x->time_nsec < y->time_nsec ? -1 : 1;
	if (x->kind != y->kind)
		return rank[x->kind] - rank[y->kind];
	if (x->end != y->end)
		return (int)x->end - (int)y->end;
	return x->kind == TRACE_OUTPUT ? (int)x->number - (int)y->number : 0;
}

static int build_all(struct trace_work *work)
{
	int rc = trace_join(work);

	if (rc >= 0)
		rc = take_packets(work);
	if (rc >= 0)
		rc = trace_take_lists(work);
	if (rc < 0)
		return rc;
	find_under_way(work);
	if (work->record->trace.count)
		qsort(work->record->trace.entries, work->record->trace.count,
		      sizeof(*work->record->trace.entries), compare_entries);
	return 0;
}

static int prepare(struct trace_work *work, enum end_id n)
{
	const struct sighting_log *sightings = work->sightings;

	work->shown[n] = calloc(work->record->endpoint[n].n_retransmissions + 1, sizeof(bool));
	work->seen[n] = calloc(sightings->n_packets[n] + 1, sizeof(*work->seen[n]));
	if (!work->shown[n] || !work->seen[n])
		return -ENOMEM;
	for (size_t i = 0; i < sightings->n_packets[n]; i++)
		work->seen[n][i] =
			(struct trace_seen){ .packet = &sightings->packets[n][i],
					     .time_nsec = sightings->packets[n][i].time_nsec,
					     .flow = TRACE_NO_FLOW };
	return 0;
}

static int build(struct record *record)
{
	struct trace_work work = { .record = record, .sightings = record->sightings };
	int rc = 0;

	for (enum end_id n = 0; rc >= 0 && n < record->n_ends; n++)
		rc = prepare(&work, n);
	if (rc >= 0)
		rc = build_all(&work);
	for (enum end_id n = 0; n < record->n_ends; n++) {
		free(work.shown[n]);
		free(work.seen[n]);
	}
	free(work.flows);
	return rc;
}

int trace_build(struct record *record)
{
	int rc;

	if (!record->sightings)
		return 0;
	rc = build(record);
	if (rc < 0)
		trace_deinit(&record->trace);
	record->trace.present = rc >= 0;
	record->sightings = sighting_log_free(record->sightings);
	return rc;
}
