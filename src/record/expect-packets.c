/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the packets with those that the scenario expects in an order, and those it excludes. */
#include <stdio.h>

#include "src/record/expect-parts.h"

static bool matches(const struct packet_pattern *pattern, const struct record_packet *packet)
{
	return packet->flags == pattern->flags &&
	       (pattern->any_direction || packet->sent == pattern->sent);
}

/* Adds a failure if a packet came that must not come after the first event. The time until that
 * event had taken effect does not count, because a packet that was under way then may arrive. */
static void check_absent(struct check *c, const char *text, const struct packet_pattern *pattern)
{
	nsec_t done_nsec = c->record->n_faults ? c->record->faults[0].took_nsec : 0;

	for (size_t i = 0; i < c->got->n_packets; i++) {
		const struct record_packet *p = &c->got->packets[i];
		char when[64];

		if (p->time_nsec < done_nsec || !matches(pattern, p))
			continue;
		expect_fail(c, "expected no packet %s, got one %s %s after the first event",
			    text + 1, p->sent ? "sent" : "received",
			    nsec_format(when, sizeof(when), p->time_nsec));
		return;
	}
}

/* Returns the index of the first packet to be compared with a list of expected ones that begins
 * with `first`. A list that begins with a SYN is about the whole connection. Any other list is
 * about the packets after the first event, because the many packets before that event would match
 * too easily. */
static size_t first_packet(const struct check *c, const struct packet_pattern *first)
{
	size_t i = 0;

	while (!(first->flags & PACKET_SYN) && i < c->got->n_packets &&
	       c->got->packets[i].time_nsec < 0)
		i++;
	return i;
}

/* Adds a failure if any other packet of the list comes before the list's first one. Without this
 * check, traffic that goes to and fro would match a list in the wrong order from its second packet
 * on. */
static void check_first(struct check *c, size_t at, const struct packet_pattern *first,
			const char *first_text)
{
	for (; at < c->got->n_packets && !matches(first, &c->got->packets[at]); at++)
		for (size_t i = 0; c->want->packet_texts[i]; i++) {
			if (c->want->packets[i].absent ||
			    !matches(&c->want->packets[i], &c->got->packets[at]))
				continue;
			expect_fail(c, "expected packet %s before any %s, got the other order",
				    first_text, c->want->packet_texts[i]);
			return;
		}
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

void expect_check_packets(struct check *c)
{
	bool begun = false;
	size_t at = 0;
	char got[128];

	for (size_t i = 0; c->want->packet_texts && c->want->packet_texts[i]; i++) {
		const struct packet_pattern *pattern = &c->want->packets[i];
		const char *text = c->want->packet_texts[i];
		size_t first;

		if (pattern->absent) {
			check_absent(c, text, pattern);
			continue;
		}
		if (!begun) {
			begun = true;
			at = first_packet(c, pattern);
			check_first(c, at, pattern, text);
		}
		for (first = at; at < c->got->n_packets; at++)
			if (matches(pattern, &c->got->packets[at]))
				break;
		if (at++ < c->got->n_packets)
			continue;
		expect_fail(c,
			    "expected packet %s in its place in the order, got from there on: %s",
			    text, list_packets(c->got, first, got, sizeof(got)));
		return;
	}
}
