/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds for each packet of one end the same packet at the other end. */
#include <errno.h>
#include <stdlib.h>

#include "src/record/trace-work.h"

/*
 * Theory of operation: two sightings are the same packet if they agree in all fields that a network
 * does not change: sequence numbers, flags, window, length, the timestamps option and IPv4's
 * identification. Addresses and ports are not compared, because a NAT rewrites them. If several
 * packets agree, as retransmissions without timestamps do over IPv6, the one is taken whose delay
 * is nearest to the delay of the last packet. A packet that is left over may have been cut up or
 * put together on the way, by segmentation or receive offload: then its bytes are found in others.
 */

#define CLOCKS_APART (2 * NSEC_PER_MSEC) /* the most by which the two ends' times may differ */
#define PIECES_APART (5 * NSEC_PER_SEC)	 /* the longest time between a packet and its pieces */

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

/* The packets that one end sent, among which those are found that the other end received. */
struct direction_join {
	struct trace_seen **sent; /* sorted by content, then time; the array is owned */
	size_t n_sent;
	nsec_t delay_nsec; /* the delay of the last packet that arrived */
};

/* Returns the index in `sent` of the first packet whose content is not before that of `p`. */
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

/* Links a received packet and the sent one that is the same, if there is one. */
static void find_same(struct direction_join *d, struct trace_seen *p)
{
	struct trace_seen *best = NULL;
	nsec_t best_off_nsec = NSEC_NEVER;

	for (size_t i = first_like(d, p->packet);
	     i < d->n_sent && !compare_content(d->sent[i]->packet, p->packet); i++) {
		nsec_t delay_nsec = p->time_nsec - d->sent[i]->time_nsec;
		nsec_t off_nsec = llabs(delay_nsec - d->delay_nsec);

		if (d->sent[i]->other || delay_nsec < -CLOCKS_APART || off_nsec >= best_off_nsec)
			continue;
		best = d->sent[i];
		best_off_nsec = off_nsec;
	}
	if (!best)
		return;
	best->other = p;
	p->other = best;
	if (p->time_nsec < best->time_nsec) /* the clocks differ, by at most CLOCKS_APART */
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

/* Marks the packets that have no counterpart at the other end but whose bytes overlap with those of
 * other such packets there. */
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
	for (enum end_id n = 0; n < work->record->n_ends; n++) {
		enum end_id peer = end_peer(n);

		if (join(work->seen[n], work->sightings->n_packets[n], work->seen[peer],
			 work->sightings->n_packets[peer]) < 0)
			return -ENOMEM;
	}
	return 0;
}
