/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares the packets with those that the scenario expects in an order, and those it excludes.
 *
 * Both are about the packets that follow the first event, unless a list begins with a SYN: it is
 * about the whole connection. A packet follows the event if it was sent once the event had reached
 * the connection. One that was under way then may arrive later without following it.
 */
#include <stdio.h>

#include "src/record/expect-parts.h"

/* The most by which the times of the two ends may differ. */
#define CLOCKS_APART (2 * NSEC_PER_MSEC)
#define NONE	     SIZE_MAX

static bool matches(const struct packet_pattern *pattern, const struct record_packet *packet)
{
	return packet->flags == pattern->flags &&
	       (pattern->any_direction || packet->sent == pattern->sent);
}

/* Returns when the first event reached the connection. A fault does so when the kernel has carried
 * it out, because it stops nothing before. A crash and an action stop nothing at all, but send
 * something, such as a FIN, while they are carried out. */
static nsec_t reached_at(const struct check *c)
{
	const struct event *first = c->scenario->events;

	if (!c->scenario->n_events || !c->record->n_faults || first->kind != EVENT_FAULT ||
	    first->fault == FAULT_CRASH)
		return 0;
	return c->record->faults[0].took_nsec;
}

/* Whether a packet that was received is all or a part of one that the peer sent, or was put
 * together from several. Segmentation and offload change the length and where a PSH is. */
static bool same_bytes(const struct record_packet *received, const struct record_packet *sent)
{
	if (received->stamp != sent->stamp)
		return false;
	if (!received->payload || !sent->payload)
		return received->payload == sent->payload && received->flags == sent->flags &&
		       received->seq == sent->seq && received->ack == sent->ack;
	return (int32_t)(received->seq - (sent->seq + sent->payload)) < 0 &&
	       (int32_t)(sent->seq - (received->seq + received->payload)) < 0;
}

/* Returns when the peer sent a packet that this end received; NSEC_NONE if it did not, but somebody
 * on the way, or a host that has taken over its address. */
static nsec_t sent_by_peer(const struct check *c, const struct record_packet *received)
{
	for (size_t i = c->peer->n_packets; i-- > 0;) {
		const struct record_packet *p = &c->peer->packets[i];

		if (p->sent && p->time_nsec <= received->time_nsec + CLOCKS_APART &&
		    same_bytes(received, p))
			return p->time_nsec;
	}
	return NSEC_NONE;
}

static bool follows_event(const struct check *c, const struct record_packet *packet)
{
	nsec_t sent_nsec = packet->time_nsec;

	if (packet->time_nsec < 0)
		return false;
	if (!packet->sent)
		sent_nsec = sent_by_peer(c, packet);
	return sent_nsec == NSEC_NONE || sent_nsec >= reached_at(c);
}

/* Adds a failure if a packet came that must not come after the first event. */
static void check_absent(struct check *c, const char *text, const struct packet_pattern *pattern)
{
	for (size_t i = 0; i < c->got->n_packets; i++) {
		const struct record_packet *p = &c->got->packets[i];
		char when[64];

		if (!matches(pattern, p) || !follows_event(c, p))
			continue;
		expect_fail(c, "expected no packet %s, got one %s %s after the first event",
			    text + 1, p->sent ? "sent" : "received",
			    nsec_format(when, sizeof(when), p->time_nsec));
		return;
	}
}

/* A list of expected packets, and how far it has been found in the record. */
struct search {
	bool whole;  /* the list is about the whole connection */
	size_t last; /* index of the expected packet that was found last, or NONE */
	size_t at;   /* index of the packet in the record where the search goes on */
};

/* Whether the list has a packet, but elsewhere than at the place that was found last. */
static bool is_elsewhere(const struct check *c, size_t last, const struct record_packet *packet)
{
	const struct packet_pattern *p = c->want->packets;

	if (last != NONE && matches(&p[last], packet))
		return false;
	for (size_t i = 0; c->want->packet_texts[i]; i++)
		if (!p[i].absent && matches(&p[i], packet))
			return true;
	return false;
}

/* Looks for the expected packet with index `next`. Until it comes, only packets may come that the
 * list does not have, and the one that was found last again: else traffic that goes to and fro
 * would match a list in many orders. If another comes first, the search stands there. */
static bool find_packet(const struct check *c, struct search *s, size_t next)
{
	for (size_t i = s->at; i < c->got->n_packets; i++) {
		const struct record_packet *p = &c->got->packets[i];
		bool found = matches(&c->want->packets[next], p);

		if ((!found && !is_elsewhere(c, s->last, p)) || (!s->whole && !follows_event(c, p)))
			continue;
		s->at = found ? i + 1 : i;
		s->last = next;
		return found;
	}
	return false;
}

/* Writes the packets from index `first` on as patterns, as many as fit. Returns `buffer`. */
static char *list_packets(const struct record_endpoint *got, size_t first, char *buffer,
			  size_t size)
{
	size_t n = 0;

	snprintf(buffer, size, "none");
	for (size_t i = first; i < got->n_packets; i++) {
		const struct record_packet *p = &got->packets[i];
		char flags[16];
		int length = snprintf(buffer + n, size - n, "%s%c[%s]", n ? " " : "",
				      p->sent ? '>' : '<',
				      packet_format_flags(p->flags, flags, sizeof(flags)));

		n += (size_t)length;
		if (n + sizeof(" >[SFRPUEW.] ...") > size) {
			snprintf(buffer + n, size - n, "%s", i + 1 < got->n_packets ? " ..." : "");
			break;
		}
	}
	return buffer;
}

/* Begins with the first packet that the list is about. */
static void begin_search(const struct check *c, struct search *s,
			 const struct packet_pattern *first)
{
	s->whole = first->flags & PACKET_SYN;
	while (!s->whole && s->at < c->got->n_packets && !follows_event(c, &c->got->packets[s->at]))
		s->at++;
}

void expect_check_packets(struct check *c)
{
	struct search s = { .last = NONE };
	char got[128];

	for (size_t i = 0; c->want->packet_texts && c->want->packet_texts[i]; i++) {
		const char *text = c->want->packet_texts[i];

		if (c->want->packets[i].absent) {
			check_absent(c, text, &c->want->packets[i]);
			continue;
		}
		if (s.last == NONE)
			begin_search(c, &s, &c->want->packets[i]);
		if (find_packet(c, &s, i))
			continue;
		expect_fail(c,
			    "expected packet %s in its place in the order, got from there on: %s",
			    text, list_packets(c->got, s.at, got, sizeof(got)));
		return;
	}
}
