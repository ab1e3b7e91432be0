/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/history.h"

#include <stdlib.h>

#include "src/tcp/packet.h"
#include "src/util/array.h"

/* tcp_probe0_base(): a closed window is not probed sooner. */
#define PROBE_MIN (200 * NSEC_PER_MSEC)

struct sent {
	uint32_t end; /* the sequence number behind it */
	nsec_t time_nsec;
	uint32_t size;
	bool data;   /* not only a SYN or a FIN */
	bool lonely; /* nothing was in flight, and nothing had come for PROBE_MIN */
};

struct reading {
	struct sent *sent; /* what is in flight, oldest first, from `first` on; owned */
	size_t n_sent, first;
	bool any; /* something was sent */
	uint32_t next;
	nsec_t armed_nsec, closed_nsec, syn_nsec, first_probe_nsec, last_probe_nsec;
	unsigned int probes; /* into a closed window; those by closed_nsec in the next */
	unsigned int probes_then;
	nsec_t last_probe_then_nsec;
	uint32_t heard_next; /* the sequence number that is to come next from the peer */
	bool any_heard;
	nsec_t answered_nsec; /* NSEC_NONE: nothing was, so far */
	nsec_t reset_nsec;
	nsec_t heard_nsec; /* the latest packet came */
	uint64_t read;	   /* bytes */
};

static bool is_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static void read_sent(struct reading *r, const struct record_packet *p)
{
	uint32_t size = p->payload + !!(p->flags & PACKET_SYN) + !!(p->flags & PACKET_FIN);
	uint32_t end = p->seq + size;
	struct sent *slot;

	if ((p->flags & PACKET_SYN) && r->syn_nsec == NSEC_NONE)
		r->syn_nsec = p->time_nsec;
	if (!size && r->closed_nsec != NSEC_NONE && p->seq + 1 == r->next) {
		if (!r->probes++)
			r->first_probe_nsec = p->time_nsec;
		r->last_probe_nsec = p->time_nsec;
		return;
	}
	/* Keepalive probes and retransmissions bring nothing new. */
	if ((p->flags & PACKET_RST) || !size || (r->any && !is_after(end, r->next)))
		return;
	r->any = true;
	r->next = end;

	slot = array_append(&r->sent, &r->n_sent, sizeof(*slot));
	if (slot)
		*slot = (struct sent){
			.end = end,
			.time_nsec = p->time_nsec,
			.size = size,
			.data = p->payload > 0,
			.lonely = r->first == r->n_sent - 1 &&
				  p->time_nsec - r->heard_nsec >= PROBE_MIN,
		};
}

static void take_rtt(struct history_rtt *rtt, const struct sent *sent, nsec_t now_nsec)
{
	if (rtt->rtt_nsec && now_nsec > rtt->sampled_nsec)
		rtt->rtt_nsec += (now_nsec - sent->time_nsec - rtt->rtt_nsec) / 8;
}

static void read_received(struct reading *r, const struct record_packet *p, struct history_rtt *rtt)
{
	size_t before = r->first;

	r->heard_nsec = p->time_nsec;

	if ((p->flags & PACKET_SYN) && r->syn_nsec == NSEC_NONE)
		r->syn_nsec = p->time_nsec;
	if ((p->flags & PACKET_RST) && r->reset_nsec == NSEC_NONE)
		r->reset_nsec = p->time_nsec;
	if (!(p->flags & PACKET_ACK) || (p->flags & PACKET_RST))
		return;

	while (r->first < r->n_sent && !is_after(r->sent[r->first].end, p->ack))
		r->first++;
	if (r->first > before) {
		nsec_t took_nsec = p->time_nsec - r->sent[before].time_nsec;

		if (r->answered_nsec == NSEC_NONE || took_nsec < r->answered_nsec)
			r->answered_nsec = took_nsec;
		r->armed_nsec = p->time_nsec;
		take_rtt(rtt, &r->sent[before], p->time_nsec);
	}
	if (p->window) {
		r->closed_nsec = NSEC_NONE;
		r->probes = 0;
	} else if (r->first == r->n_sent) {
		r->closed_nsec = p->time_nsec;
		r->probes_then = r->probes;
		r->last_probe_then_nsec = r->last_probe_nsec;
	}
}

/* tcp_sequence(): whether a packet is taken in at all, and so counts as heard. Probes and what
 * comes a second time do not. */
static bool is_taken(struct reading *r, const struct record_packet *p)
{
	uint32_t end = p->seq + p->payload + !!(p->flags & PACKET_SYN) + !!(p->flags & PACKET_FIN);

	if (r->any_heard && ((p->flags & PACKET_SYN) || is_after(r->heard_next, end)))
		return false;
	if (r->any_heard && is_after(end, r->heard_next))
		r->read += p->payload;
	r->heard_next = end;
	r->any_heard = true;
	return true;
}

static nsec_t since(nsec_t time_nsec, nsec_t origin_nsec)
{
	return time_nsec == NSEC_NONE ? NSEC_NONE : time_nsec - origin_nsec;
}

/* When the first data was sent; NSEC_NONE: none was. */
static nsec_t began(const struct reading *r, nsec_t origin_nsec)
{
	for (size_t i = 0; i < r->n_sent; i++)
		if (r->sent[i].data)
			return since(r->sent[i].time_nsec, origin_nsec);
	return NSEC_NONE;
}

struct model_history history_read(const struct record_packet *packets, size_t n_packets,
				  nsec_t established_nsec, nsec_t origin_nsec,
				  struct history_rtt *rtt, struct history_lists *ret_lists)
{
	struct reading r = { .armed_nsec = NSEC_NONE,
			     .closed_nsec = NSEC_NONE,
			     .syn_nsec = NSEC_NONE,
			     .answered_nsec = NSEC_NONE,
			     .reset_nsec = NSEC_NONE };
	struct model_history h = { .sent_nsec = NSEC_NONE, .armed_nsec = NSEC_NONE };
	struct model_segment *segments;
	nsec_t *heard = calloc(n_packets + 1, sizeof(*heard));
	nsec_t *acks = calloc(n_packets + 1, sizeof(*acks));
	nsec_t *syns = calloc(n_packets + 1, sizeof(*syns));

	for (size_t i = 0; i < n_packets; i++) {
		if (packets[i].sent) {
			read_sent(&r, &packets[i]);
			if (acks && !packets[i].payload && !(packets[i].flags & PACKET_FIN))
				acks[h.n_acks++] = packets[i].time_nsec - origin_nsec;
			continue;
		}
		read_received(&r, &packets[i], rtt);
		if (syns && (packets[i].flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN)
			syns[h.n_syns++] = packets[i].time_nsec - origin_nsec;
		if (is_taken(&r, &packets[i]) && heard)
			heard[h.n_heard++] = packets[i].time_nsec - origin_nsec;
	}
	h.heard = heard;
	h.acks = acks;
	h.syns = syns;
	h.reset_nsec = since(r.reset_nsec, origin_nsec);
	h.began_nsec = began(&r, origin_nsec);
	h.read = r.read;
	h.probed = r.first < r.n_sent && r.sent[r.first].lonely;
	h.connect_nsec = since(r.syn_nsec, origin_nsec);
	h.established_nsec = since(established_nsec, origin_nsec);
	h.answered_nsec = r.answered_nsec;
	h.probes = r.probes_then;
	h.first_probe_nsec = r.probes_then ? since(r.first_probe_nsec, origin_nsec) : NSEC_NONE;
	h.last_probe_nsec = r.probes_then ? since(r.last_probe_then_nsec, origin_nsec) : NSEC_NONE;
	h.closed_nsec = since(r.closed_nsec, origin_nsec);
	if (r.first < r.n_sent) {
		nsec_t armed_nsec = r.sent[r.first].time_nsec;

		if (r.armed_nsec != NSEC_NONE)
			armed_nsec = nsec_max(armed_nsec, r.armed_nsec);
		h.sent_nsec = since(r.sent[r.first].time_nsec, origin_nsec);
		h.armed_nsec = since(armed_nsec, origin_nsec);
		h.n_segments = r.n_sent - r.first;
	}
	segments = calloc(h.n_segments + 1, sizeof(*segments));
	for (size_t i = 0; segments && i < h.n_segments; i++)
		segments[i] = (struct model_segment){
			since(r.sent[r.first + i].time_nsec, origin_nsec),
			r.sent[r.first + i].size,
		};
	h.segments = segments;
	*ret_lists = (struct history_lists){ heard, acks, syns, segments };
	free(r.sent);
	return h;
}

void history_lists_deinit(struct history_lists *lists)
{
	free(lists->heard);
	free(lists->acks);
	free(lists->syns);
	free(lists->segments);
}
