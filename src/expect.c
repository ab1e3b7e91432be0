/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/expect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netns/sockdiag.h"
#include "netns/tcp-state.h"

/* Letters in tcpdump's order (print-tcp.c: tcp_flag_values). */
static const struct {
	char letter;
	uint8_t bit;
} flag_letters[] = { { 'F', 1 },  { 'S', 2 },  { 'R', 4 },  { 'P', 8 },
		     { '.', 16 }, { 'U', 32 }, { 'E', 64 }, { 'W', 128 } };

char *expect_format_flags(uint8_t flags, char *buffer, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flag_letters) && n + 1 < size; i++)
		if (flags & flag_letters[i].bit)
			buffer[n++] = flag_letters[i].letter;
	buffer[n] = '\0';
	return buffer;
}

static int parse_flags(const char **p, uint8_t *ret_flags)
{
	uint8_t flags = 0;

	for (; **p && **p != ']'; (*p)++) {
		size_t i = 0;

		while (i < ARRAY_SIZE(flag_letters) && flag_letters[i].letter != **p)
			i++;
		if (i == ARRAY_SIZE(flag_letters))
			return -EINVAL;
		flags |= flag_letters[i].bit;
	}
	*ret_flags = flags;
	return flags ? 0 : -EINVAL;
}

int expect_parse_pattern(const char *text, struct packet_pattern *ret_pattern)
{
	struct packet_pattern p = { .any_direction = true };

	if (*text == '!') {
		p.absent = true;
		text++;
	}
	if (*text == '<' || *text == '>') {
		p.any_direction = false;
		p.sent = *text == '>';
		text++;
	}
	if (*text++ != '[' || parse_flags(&text, &p.flags) < 0 || strcmp(text, "]") != 0)
		return -EINVAL;
	*ret_pattern = p;
	return 0;
}

/* One expectation of one endpoint of one record. */
struct check {
	struct record *record;
	const struct record_endpoint *got;
	const struct expectation *want;
	const char *who; /* "client" */
	int failed;	 /* -ENOMEM when a failure could not be written down */
};

__attribute__((format(printf, 2, 3))) static void fail(struct check *c, const char *format, ...)
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

/* "closed or reset" */
static const char *list_names(uint32_t mask, const char *(*name)(unsigned int value), char *buffer,
			      size_t size)
{
	size_t n = 0;

	buffer[0] = '\0';
	for (unsigned int i = 0; i < 32 && n < size; i++)
		if (mask & (1u << i))
			n += (size_t)snprintf(buffer + n, size - n, "%s%s", n ? " or " : "",
					      name(i) ? name(i) : "none");
	return buffer;
}

static const char *outcome_of(unsigned int value)
{
	return outcome_name((enum outcome)value);
}

static const char *mechanism_of(unsigned int value)
{
	return mechanism_name((enum mechanism)value);
}

static void check_mask(struct check *c, const char *what, uint32_t mask, unsigned int got,
		       const char *(*name)(unsigned int value))
{
	char names[256];

	if (!mask || mask & (1u << got))
		return;
	fail(c, "expected %s %s, got %s", what, list_names(mask, name, names, sizeof(names)),
	     name(got) ? name(got) : "none");
}

static void check_errors(struct check *c)
{
	const char *got = c->got->error ? c->got->error : "none";
	char names[256];
	size_t n = 0;

	if (!c->want->errors)
		return;
	names[0] = '\0';
	for (char **e = c->want->errors; *e; e++) {
		if (!strcmp(*e, got))
			return;
		if (n < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? " or " : "",
					      *e);
	}
	fail(c, "expected error %s, got %s", names, got);
}

/* The kernel's clock, or the program's where the kernel saw no end (a heartbeat). */
static nsec_t detection(const struct record_endpoint *e)
{
	return e->kernel_nsec != NSEC_NONE ? e->kernel_nsec : e->application_nsec;
}

/* A measurement may be short of its bound by what two readings of clocks differ: none. */
static void check_time(struct check *c, const char *word, const struct expect_time *bound,
		       nsec_t predicted, int sign)
{
	nsec_t limit = bound->predicted ? predicted : bound->nsec, got = detection(c->got);
	char want_text[64], got_text[64];

	if (!bound->present)
		return;
	if (limit == NSEC_NONE && sign < 0 && c->want->after.predicted)
		return; /* said once */
	if (limit == NSEC_NONE) {
		fail(c,
		     "expected an end %s what is predicted, but nothing is predicted for this "
		     "scenario and settings",
		     word);
		return;
	}
	nsec_format(want_text, sizeof(want_text), limit);
	if (got == NSEC_NONE)
		fail(c, "expected an end %s %s%s, got none", word, want_text,
		     bound->predicted ? " (predicted)" : "");
	else if ((got - limit) * sign < 0)
		fail(c, "expected an end %s %s%s, got %s", word, want_text,
		     bound->predicted ? " (predicted)" : "",
		     nsec_format(got_text, sizeof(got_text), got));
}

static size_t after_established(const struct record_endpoint *e)
{
	for (size_t i = 0; i < e->n_states; i++)
		if (e->states[i].to == TCP_STATE_ESTABLISHED)
			return i + 1;
	return 0;
}

static void check_states(struct check *c)
{
	char got[512] = "", want[512] = "";
	size_t n = 0, first = after_established(c->got), length = 0;
	bool equal = true;

	if (!c->want->states)
		return;
	for (char **s = c->want->states; *s; s++, length++) {
		size_t i = first + length;

		if (n < sizeof(want))
			n += (size_t)snprintf(want + n, sizeof(want) - n, " %s", *s);
		if (i >= c->got->n_states ||
		    strcmp(*s, sockdiag_state_name(c->got->states[i].to)) != 0)
			equal = false;
	}
	if (equal && first + length == c->got->n_states)
		return;
	n = 0;
	for (size_t i = first; i < c->got->n_states && n < sizeof(got); i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, " %s",
				      sockdiag_state_name(c->got->states[i].to));
	fail(c, "expected the states ESTABLISHED%s, got ESTABLISHED%s", want, got);
}

static bool matches(const struct packet_pattern *pattern, const struct record_packet *packet)
{
	return packet->flags == pattern->flags &&
	       (pattern->any_direction || packet->sent == pattern->sent);
}

static void check_absent(struct check *c, const char *text, const struct packet_pattern *pattern)
{
	for (size_t i = 0; i < c->got->n_packets; i++) {
		const struct record_packet *p = &c->got->packets[i];
		char when[64];

		if (p->time_nsec < 0 || !matches(pattern, p))
			continue;
		fail(c, "expected no packet %s, got one %s %s after the first event", text + 1,
		     p->sent ? "sent" : "received", nsec_format(when, sizeof(when), p->time_nsec));
		return;
	}
}

static void check_packets(struct check *c)
{
	size_t at = 0;

	for (char **text = c->want->packets; text && *text; text++) {
		struct packet_pattern pattern;

		if (expect_parse_pattern(*text, &pattern) < 0)
			continue; /* refused when the scenario was read */
		if (pattern.absent) {
			check_absent(c, *text, &pattern);
			continue;
		}
		while (at < c->got->n_packets && !matches(&pattern, &c->got->packets[at]))
			at++;
		if (at == c->got->n_packets) {
			fail(c, "expected packet %s in its place in the order, got none", *text);
			return;
		}
		at++;
	}
}

int expect_check(const struct scenario *scenario, struct record *record, struct error *err)
{
	struct check c = { .record = record };

	if (record->lost && record_fail(record, "expected every observation, got %" PRIu64 " lost",
					record->lost) < 0)
		c.failed = -ENOMEM;
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		c.want = &scenario->expect[record->family][n];
		c.got = &record->endpoint[n];
		c.who = node_name(n);
		if (!c.want->present)
			continue;
		check_mask(&c, "outcome", c.want->outcomes, c.got->outcome, outcome_of);
		check_errors(&c);
		check_mask(&c, "mechanism", c.want->mechanisms, c.got->mechanism, mechanism_of);
		check_time(&c, "after", &c.want->after, c.got->earliest_nsec, 1);
		check_time(&c, "before", &c.want->before, c.got->latest_nsec, -1);
		check_states(&c);
		check_packets(&c);
	}
	return c.failed < 0 ? error_errno(err, c.failed, "verdict") : 0;
}
