/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/expect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/record/expect-check.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"

static const char *or_none(const char *name)
{
	return name ? name : "none";
}

void expect_fail(struct check *c, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || record_fail(c->record, "%s: %s", c->who, text) < 0)
		c->failed = -ENOMEM;
}

static void check_mask(struct check *c, const char *what, const struct names *names, uint32_t mask,
		       int got)
{
	char list[256];
	size_t n = 0;

	if (!mask || mask & (UINT32_C(1) << got))
		return;
	for (int i = 0; i < names->count && n < sizeof(list); i++)
		if (mask & (UINT32_C(1) << i))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? " or " : "",
					      or_none(names_text(names, i)));
	expect_fail(c, "expected %s %s, got %s", what, list, or_none(names_text(names, got)));
}

static void check_errors(struct check *c)
{
	char list[256];
	size_t n = 0;

	for (size_t i = 0; i < c->want->n_errors; i++)
		if (c->want->errors[i] == c->got->error)
			return;
	for (size_t i = 0; i < c->want->n_errors && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? " or " : "",
				      or_none(errno_name(c->want->errors[i])));
	if (c->want->n_errors)
		expect_fail(c, "expected error %s, got %s", list,
			    or_none(errno_name(c->got->error)));
}

/* The kernel's clock, or the program's where the kernel saw no end (a heartbeat). */
static nsec_t detection(const struct record_endpoint *e)
{
	return e->kernel_nsec != NSEC_NONE ? e->kernel_nsec : e->application_nsec;
}

/* One bound of one time. */
struct bound {
	const char *what, *word; /* "an end", "after" */
	const struct expect_time *time;
	nsec_t predicted;
	int sign;  /* 1: not before it */
	bool said; /* that nothing is predicted */
};

static void check_time(struct check *c, const struct bound *b, nsec_t got)
{
	const struct expect_time *bound = b->time;
	nsec_t limit = bound->predicted ? b->predicted : bound->nsec;
	char want_text[64], got_text[64];

	if (!bound->present)
		return;
	if (limit == NSEC_NONE && b->said)
		return;
	if (limit == NSEC_NONE) {
		expect_fail(c,
			    "expected %s %s what is predicted, but nothing is predicted for this "
			    "scenario and settings",
			    b->what, b->word);
		return;
	}
	nsec_format(want_text, sizeof(want_text), limit);
	if (got == NSEC_NONE)
		expect_fail(c, "expected %s %s %s%s, got none", b->what, b->word, want_text,
			    bound->predicted ? " (predicted)" : "");
	else if ((got - limit) * b->sign < 0)
		expect_fail(c, "expected %s %s %s%s, got %s", b->what, b->word, want_text,
			    bound->predicted ? " (predicted)" : "",
			    nsec_format(got_text, sizeof(got_text), got));
}

static void check_interval(struct check *c, const char *what, const struct expect_time *after,
			   const struct expect_time *before, nsec_t earliest, nsec_t latest,
			   nsec_t got)
{
	struct bound a = { what, "after", after, earliest, 1, false };
	struct bound b = { what, "before", before, latest, -1, after->predicted };

	check_time(c, &a, got);
	check_time(c, &b, got);
}

static void check_gone(struct check *c)
{
	char text[64];

	if (c->want->gone_never && c->got->gone_nsec != NSEC_NONE)
		expect_fail(c, "expected that the connection is never gone, got it gone after %s",
			    nsec_format(text, sizeof(text), c->got->gone_nsec));
	check_interval(c, "a connection gone", &c->want->gone_after, &c->want->gone_before,
		       c->got->gone_earliest_nsec, c->got->gone_latest_nsec, c->got->gone_nsec);
}

bool expect_awaits_gone(const struct expectation *e)
{
	bool time_wait = false;

	for (size_t i = 0; i < e->n_states; i++) {
		if (time_wait && e->states[i] == TCP_STATE_CLOSE)
			return true;
		time_wait = e->states[i] == TCP_STATE_TIME_WAIT;
	}
	return e->gone_never || e->gone_after.present || e->gone_before.present;
}

static size_t after_established(const struct record_endpoint *e)
{
	for (size_t i = 0; i < e->n_states; i++)
		if (e->states[i].to == TCP_STATE_ESTABLISHED)
			return i + 1;
	return 0;
}

/* How many states there were to compare with. A scenario that ends its walk with TIME_WAIT does
 * not ask whether that was over before the trial was: the CLOSE after it does not count then. */
static size_t walk_length(const struct check *c)
{
	size_t n = c->got->n_states, wanted = c->want->n_states;

	if (c->want->states[wanted - 1] == TCP_STATE_TIME_WAIT && n >= 2 &&
	    c->got->states[n - 1].to == TCP_STATE_CLOSE)
		n--;
	return n;
}

static void check_states(struct check *c)
{
	char got[512] = "", want[512] = "";
	size_t n = 0, first = after_established(c->got);
	bool equal = true;

	if (!c->want->n_states)
		return;
	for (size_t i = 0; i < c->want->n_states; i++) {
		int state = c->want->states[i];

		if (n < sizeof(want))
			n += (size_t)snprintf(want + n, sizeof(want) - n, " %s",
					      tcp_state_name(state));
		if (first + i >= c->got->n_states || state != c->got->states[first + i].to)
			equal = false;
	}
	if (equal && first + c->want->n_states == walk_length(c))
		return;
	n = 0;
	for (size_t i = first; i < c->got->n_states && n < sizeof(got); i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, " %s",
				      tcp_state_name(c->got->states[i].to));
	expect_fail(c, "expected the states ESTABLISHED%s, got ESTABLISHED%s", want, got);
}

static bool matches(const struct packet_pattern *pattern, const struct record_packet *packet)
{
	return packet->flags == pattern->flags &&
	       (pattern->any_direction || packet->sent == pattern->sent);
}

/* What was under way while the first event was carried out may still arrive. */
static void check_absent(struct check *c, const char *text, const struct packet_pattern *pattern)
{
	nsec_t done = c->record->n_faults ? c->record->faults[0].took_nsec : 0;

	for (size_t i = 0; i < c->got->n_packets; i++) {
		const struct record_packet *p = &c->got->packets[i];
		char when[64];

		if (p->time_nsec < done || !matches(pattern, p))
			continue;
		expect_fail(c, "expected no packet %s, got one %s %s after the first event",
			    text + 1, p->sent ? "sent" : "received",
			    nsec_format(when, sizeof(when), p->time_nsec));
		return;
	}
}

/* What is listed from a SYN on is about the whole connection, else about what followed the first
 * event: what went before it would fit too easily. */
static size_t first_packet(const struct check *c, const struct packet_pattern *first)
{
	size_t i = 0;

	while (!(first->flags & PACKET_SYN) && i < c->got->n_packets &&
	       c->got->packets[i].time_nsec < 0)
		i++;
	return i;
}

/* Of all that is listed, what is first in the list comes first: traffic that goes to and fro would
 * fit a wrong order from its second packet on. */
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

/* The packets from `first` on, as patterns are written, as many as fit. Returns `buffer`. */
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

static void check_packets(struct check *c)
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

/* What of a connection never gets as far as the wire, such as a FIN behind data that nobody takes,
 * only the tracepoints tell. */
static void say_what_was_not_seen(struct check *c, size_t failures_before)
{
	if (c->record->n_failures == failures_before || c->record->clock != RECORD_CLOCK_SOCK_DIAG)
		return;
	if (record_fail(c->record, "without the tracepoints (BPF) states, mechanisms and outcomes "
				   "are derived from packets and sock_diag, and may be others") < 0)
		c->failed = -ENOMEM;
}

int expect_check(const struct scenario *scenario, struct record *record, struct error *err)
{
	struct check c = { .record = record, .every = scenario->sample_nsec };
	size_t failures_before = record->n_failures;

	if (record->lost && record_fail(record, "expected every observation, got %" PRIu64 " lost",
					record->lost) < 0)
		c.failed = -ENOMEM;
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		c.want = &scenario->expect[record->family][n];
		c.got = &record->endpoint[n];
		c.who = node_name(n);
		if (!c.want->present)
			continue;
		check_mask(&c, "outcome", &outcome_names, c.want->outcomes, (int)c.got->outcome);
		check_errors(&c);
		check_mask(&c, "mechanism", &mechanism_names, c.want->mechanisms,
			   (int)c.got->mechanism);
		check_interval(&c, "an end", &c.want->after, &c.want->before, c.got->earliest_nsec,
			       c.got->latest_nsec, detection(c.got));
		check_gone(&c);
		check_states(&c);
		check_packets(&c);
		expect_check_samples(&c);
		expect_check_population(&c);
		expect_check_calls(&c);
		expect_check_bytes(&c);
	}
	say_what_was_not_seen(&c, failures_before);
	return c.failed < 0 ? error_errno(err, c.failed, "verdict") : 0;
}
