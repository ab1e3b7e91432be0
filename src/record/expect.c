/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/expect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/record/expect-parts.h"
#include "src/tcp/state.h"

static void check_mask(struct check *c, const char *what, const struct names *names, uint32_t mask,
		       int got)
{
	struct words wanted = { 0 };

	if (!mask || mask & (UINT32_C(1) << got))
		return;
	for (int i = 0; i < names->count; i++)
		if (mask & (UINT32_C(1) << i))
			words_add(&wanted, " or ", "%s", or_none(names_text(names, i)));
	expect_fail(c, "expected %s %s, got %s", what, wanted.text,
		    or_none(names_text(names, got)));
}

static void check_errors(struct check *c)
{
	struct words wanted = { 0 };

	for (size_t i = 0; i < c->want->n_errors; i++) {
		if (c->want->errors[i] == c->got->error)
			return;
		words_add(&wanted, " or ", "%s", or_none(errno_name(c->want->errors[i])));
	}
	if (c->want->n_errors)
		expect_fail(c, "expected error %s, got %s", wanted.text,
			    or_none(errno_name(c->got->error)));
}

/* One bound of an expected time. */
struct bound {
	const char *what, *word;	/* the words of a failure: "an end", "after"; static */
	const struct expect_time *time; /* what the scenario says of the bound; not owned */
	nsec_t predicted_nsec;		/* NSEC_NONE: nothing is predicted */
	const char *unpredicted;	/* why not; not owned */
	nsec_t blind_nsec;		/* by how much what was measured may have been earlier */
	int sign;  /* 1: the time must not be before the bound; -1: not after it */
	bool said; /* a failure says already that nothing is predicted */
};

static bool holds(const struct bound *b, nsec_t got_nsec, nsec_t limit_nsec)
{
	return (got_nsec - limit_nsec) * b->sign >= 0;
}

static void check_time(struct check *c, const struct bound *b, nsec_t got_nsec)
{
	const struct expect_time *bound = b->time;
	nsec_t limit_nsec = bound->predicted ? b->predicted_nsec : bound->time_nsec;
	char want_text[64], got_text[64];

	if (!bound->present)
		return;
	if (limit_nsec == NSEC_NONE && !b->said)
		expect_fail(c, "expected %s %s what is predicted, but nothing is predicted: %s",
			    b->what, b->word, b->unpredicted ? b->unpredicted : "-");
	if (limit_nsec == NSEC_NONE)
		return;
	if (got_nsec != NSEC_NONE &&
	    holds(b, got_nsec, limit_nsec) != holds(b, got_nsec - b->blind_nsec, limit_nsec))
		expect_doubt(c,
			     "expected %s %s %s: it was found %s after a look that still saw "
			     "a connection",
			     b->what, b->word,
			     nsec_format(want_text, sizeof(want_text), limit_nsec),
			     nsec_format(got_text, sizeof(got_text), b->blind_nsec));
	else if (got_nsec == NSEC_NONE || !holds(b, got_nsec, limit_nsec))
		expect_fail(c, "expected %s %s %s%s, got %s", b->what, b->word,
			    nsec_format(want_text, sizeof(want_text), limit_nsec),
			    bound->predicted ? " (predicted)" : "",
			    got_nsec == NSEC_NONE
				    ? "none"
				    : nsec_format(got_text, sizeof(got_text), got_nsec));
}

/* What a time is compared with, at both ends of an interval. */
struct interval {
	const char *what; /* as in struct bound, as are `unpredicted` and `blind_nsec` */
	const struct expect_time *after, *before; /* what the scenario says; not owned */
	nsec_t earliest_nsec, latest_nsec;	  /* what is predicted; NSEC_NONE: nothing is */
	const char *unpredicted;
	nsec_t blind_nsec;
};

static void check_interval(struct check *c, const struct interval *i, nsec_t got_nsec)
{
	struct bound a = { .what = i->what,
			   .word = "after",
			   .time = i->after,
			   .predicted_nsec = i->earliest_nsec,
			   .unpredicted = i->unpredicted,
			   .blind_nsec = i->blind_nsec,
			   .sign = 1 };
	struct bound b = { .what = i->what,
			   .word = "before",
			   .time = i->before,
			   .predicted_nsec = i->latest_nsec,
			   .unpredicted = i->unpredicted,
			   .blind_nsec = i->blind_nsec,
			   .sign = -1,
			   .said = i->after->predicted };

	check_time(c, &a, got_nsec);
	check_time(c, &b, got_nsec);
}

static void check_end(struct check *c)
{
	const struct record_endpoint *got = c->got;
	bool possible = got->possible_latest_nsec > got->possible_earliest_nsec;
	struct interval end = {
		.what = "an end",
		.after = &c->want->after,
		.before = &c->want->before,
		.earliest_nsec = possible ? got->possible_earliest_nsec : got->earliest_nsec,
		.latest_nsec = possible ? got->possible_latest_nsec : got->latest_nsec,
		.unpredicted = got->unpredicted,
		.blind_nsec = record_detection_blind(got),
	};

	check_interval(c, &end, record_detection(got));
}

static void check_gone(struct check *c)
{
	const struct record_endpoint *got = c->got;
	struct interval gone = {
		.what = "a connection gone",
		.after = &c->want->gone_after,
		.before = &c->want->gone_before,
		.earliest_nsec = got->gone_earliest_nsec,
		.latest_nsec = got->gone_latest_nsec,
		.unpredicted = got->gone_unpredicted,
		.blind_nsec = got->gone_blind_nsec,
	};
	char text[64];

	if (c->want->gone_never && got->gone_nsec != NSEC_NONE)
		expect_fail(c, "expected that the connection is never gone, got it gone after %s",
			    nsec_format(text, sizeof(text), got->gone_nsec));
	check_interval(c, &gone, got->gone_nsec);
}

static void check_recovered(struct check *c)
{
	const struct record_endpoint *got = c->got;
	struct interval recovery = {
		.what = "a recovery",
		.after = &c->want->recovered_after,
		.before = &c->want->recovered_before,
	};
	char text[64];

	if (c->want->recovered_never && got->recovered_nsec != NSEC_NONE)
		expect_fail(c, "expected no recovery, got one after %s",
			    nsec_format(text, sizeof(text), got->recovered_nsec));
	check_interval(c, &recovery, got->recovered_nsec);
}

/* Returns the index of the state change after the one to ESTABLISHED; 0 if there is none. */
static size_t after_established(const struct record_endpoint *e)
{
	for (size_t i = 0; i < e->n_states; i++)
		if (e->states[i].to == TCP_STATE_ESTABLISHED)
			return i + 1;
	return 0;
}

/* Returns how many state changes of the record are compared. Where the expected states end with
 * TIME_WAIT, a last CLOSE does not count, because TIME_WAIT may or may not end before the trial. */
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
	struct words got = { 0 }, want = { 0 };
	size_t first = after_established(c->got);
	bool equal = true;

	if (!c->want->n_states)
		return;
	for (size_t i = 0; i < c->want->n_states; i++) {
		int state = c->want->states[i];

		words_add(&want, "", " %s", tcp_state_name(state));
		if (first + i >= c->got->n_states || state != c->got->states[first + i].to)
			equal = false;
	}
	if (equal && first + c->want->n_states == walk_length(c))
		return;
	for (size_t i = first; i < c->got->n_states; i++)
		words_add(&got, "", " %s", tcp_state_name(c->got->states[i].to));
	expect_fail(c, "expected the states ESTABLISHED%s, got ESTABLISHED%s", want.text, got.text);
}

/* Adds a remark to the failures of a trial that had no tracepoints. Only tracepoints show an action
 * of TCP that sends no packet, such as a FIN that waits behind data that the peer does not take. */
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
	struct check c = { .scenario = scenario,
			   .record = record,
			   .every_nsec = scenario->sample_nsec };
	size_t failures_before = record->n_failures;

	for (enum end_id n = 0; n < record->n_ends; n++) {
		int asked = scenario_asked_end(scenario, record->endpoint[n].name);

		if (asked < 0)
			continue;
		c.want = &scenario->expect[record->family][asked];
		c.got = &record->endpoint[n];
		c.peer = &record->endpoint[end_peer(n)];
		c.who = c.got->name;
		if (!c.want->present)
			continue;
		check_mask(&c, "outcome", &outcome_names, c.want->outcomes, (int)c.got->outcome);
		check_errors(&c);
		check_mask(&c, "mechanism", &mechanism_names, c.want->mechanisms,
			   (int)c.got->mechanism);
		check_end(&c);
		check_gone(&c);
		check_recovered(&c);
		check_states(&c);
		expect_check_packets(&c);
		expect_check_samples(&c);
		expect_check_population(&c);
		expect_check_calls(&c);
		expect_check_bytes(&c);
	}
	say_what_was_not_seen(&c, failures_before);
	return c.failed < 0 ? error_errno(err, c.failed, "verdict") : 0;
}
