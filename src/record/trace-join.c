/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds for each packet of one end what the other end saw of it. */
#include <errno.h>
#include <stdlib.h>

#include "src/record/trace-work.h"

/*
 * Theory of operation: two sightings are the same packet if all is equal that a network does not
 * change: numbers, flags, window, length, the timestamps option and IPv4's identification, but not
 * addresses and ports, which a NAT rewrites. If several packets are equal in that, as
 * retransmissions without timestamps are over IPv6, the one is taken whose delay is nearest to that
 * of the last packet. Packets that are left over may have been cut up or put together on the way,
 * by segmentation or receive offload: then their bytes are found in others.
 */

#define CLOCKS_APART (2 * NSEC_PER_MSEC) /* by which the two ends' times may differ, at most */
#define PIECES_APART (5 * NSEC_PER_SEC)	 /* between a packet and its pieces */

static int compare_content(const struct sighting_packet *a, const struct sighting_packet *b)
{
	const uint32_t x[] = { a->seq, a->ack, a->payload, a->flags, a->window, a->stamp, a->id };
	const uint32_t y[] = { b->seq, b->ack, b->payload, b->flags, b->window, b->stamp, b->id };

	for (size_t i = 0; i < ARRAY_SIZE(x); i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

static int compare_sent(const void *a, const void *b)
{
	const struct trace_seen *x = *(struct trace_seen *const *)a;
	const struct trace_seen *y = *(struct trace_seen *const *)b;
	int rc = compare_content(x->packet, y->packet);

	return rc ? rc : (x->time_nsec > y->time_nsec) - (x->time_nsec < y->time_nsec);
}

/* One end's sent packets, to be found by what the other end received. */
struct direction_join {
	struct trace_seen **sent; /* sorted by content, then time; owned */
	size_t n_sent;
	nsec_t delay_nsec; /* of the last packet that arrived */
};

static size_t first_like(const struct direction_join *d, const struct sighting_packet *p)
{
	size_t low = 0, high = d->n_sent;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_content(d->sent[middle]->packet, p) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void find_same(struct direction_join *d, struct trace_seen *p)
{
	struct trace_seen *best = NULL;
	nsec_t best_off = NSEC_NEVER;

	for (size_t i = first_like(d, p->packet);
	     i < d->n_sent && !compare_content(d->sent[i]->packet, p->packet); i++) {
		nsec_t delay = p->time_nsec - d->sent[i]->time_nsec;
		nsec_t off = llabs(delay - d->delay_nsec);

		if (d->sent[i]->other || delay < -CLOCKS_APART || off >= best_off)
			continue;
		best = d->sent[i];
		best_off = off;
	}
	if (!best)
		return;
	best->other = p;
	p->other = best;
	if (p->time_nsec < best->time_nsec) /* by no more than CLOCKS_APART */
		p->time_nsec = best->time_nsec;
	d->delay_nsec = p->time_nsec - best->time_nsec;
}

static bool overlaps(const struct sighting_packet *a, const struct sighting_packet *b)
{
	return (int32_t)(a->seq - (b->seq + b->payload)) < 0 &&
	       (int32_t)(b->seq - (a->seq + a->payload)) < 0;
}

static bool may_be_piece(const struct trace_seen *p, bool sent)
{
	return p->packet->sent == sent && !p->other && p->packet->payload;
}

static void find_pieces(struct trace_seen *from, size_t n_from, struct trace_seen *to, size_t n_to)
{
	size_t first = 0;

	for (size_t i = 0; i < n_to; i++) {
		if (!may_be_piece(&to[i], false))
			continue;
		while (first < n_from && (!may_be_piece(&from[first], true) ||
					  from[first].time_nsec < to[i].time_nsec - PIECES_APART))
			first++;
		for (size_t k = first;
		     k < n_from && from[k].time_nsec < to[i].time_nsec + CLOCKS_APART; k++)
			if (may_be_piece(&from[k], true) && overlaps(from[k].packet, to[i].packet))
				from[k].in_pieces = to[i].in_pieces = true;
	}
}

static int join(struct trace_seen *from, size_t n_from, struct trace_seen *to, size_t n_to)
{
	struct direction_join d = { 0 };

	d.sent = calloc(n_from + 1, sizeof(struct trace_seen *));
	if (!d.sent)
		return -ENOMEM;
	for (size_t i = 0; i < n_from; i++)
		if (from[i].packet->sent)
			d.sent[d.n_sent++] = &from[i];
	qsort(d.sent, d.n_sent, sizeof(struct trace_seen *), compare_sent);
	for (size_t i = 0; i < n_to; i++)
		if (!to[i].packet->sent)
			find_same(&d, &to[i]);
	free(d.sent);
	find_pieces(from, n_from, to, n_to);
	return 0;
}

int trace_join(struct trace_work *work)
{
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		enum node_id peer = n == NODE_CLIENT ? NODE_SERVER : NODE_CLIENT;

		if (join(work->seen[n], work->sightings->n_packets[n], work->seen[peer],
			 work->sightings->n_packets[peer]) < 0)
			return -ENOMEM;
	}
	return 0;
}
