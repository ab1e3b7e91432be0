/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the socket's queues and timers, and the outcomes of many connections, with what is
 * expected. */
#include <inttypes.h>
#include <stdio.h>

#include "src/record/expect-parts.h"
#include "src/tcp/state.h"

#define ROUNDING (5 * NSEC_PER_MSEC) /* sock_diag tells timers in whole ticks */

/* Returns the look at the socket that was due at that moment, or else the last one before; NULL if
 * there is none. Where nothing is left of the connection, a look after the trial's end would have
 * found that, too. */
static const struct record_sample *sample_at(const struct check *c, nsec_t at_nsec)
{
	static const struct record_sample nothing = { .state = TCP_STATE_CLOSE,
						      .timer = TCP_TIMER_OFF,
						      .expires_nsec = NSEC_NONE };
	const struct record_endpoint *e = c->got;
	const struct record_sample *found = NULL;
	nsec_t late_nsec = record_sample_late(c->every_nsec);

	if (at_nsec > c->record->span_nsec)
		return e->gone_nsec == NSEC_NONE ? NULL : &nothing;
	for (size_t i = 0; i < e->n_samples && e->samples[i].time_nsec <= at_nsec + late_nsec; i++)
		found = &e->samples[i];
	return found;
}

static void check_range(struct check *c, const char *when, const char *what,
			const struct expect_range *want, uint64_t got)
{
	char text[64];

	if (want->present && (got < want->least || got > want->most))
		expect_fail(c, "%sexpected %s %s, got %" PRIu64, when, what,
			    scenario_format_range(want, text, sizeof(text)), got);
}

static void check_name(struct check *c, const char *when, const char *what,
		       const struct names *names, int want, int got)
{
	if (want != got)
		expect_fail(c, "%sexpected %s %s, got %s", when, what, names_text(names, want),
			    names_text(names, got));
}

/* Compares how long the timer still runs at the moment that the scenario names. A look at the
 * socket may be earlier than that moment, and the timer has run down since. */
static void check_expires(struct check *c, const char *when, const struct expect_sample *want,
			  const struct record_sample *got)
{
	nsec_t left_nsec = got->expires_nsec == NSEC_NONE
				   ? NSEC_NONE
				   : got->expires_nsec - (want->at_nsec - got->time_nsec);
	char text[64];

	if (want->expires_after_nsec == NSEC_NONE && want->expires_before_nsec == NSEC_NONE)
		return;
	if (left_nsec == NSEC_NONE)
		expect_fail(c, "%sexpected a timer, got none", when);
	else if (want->expires_after_nsec != NSEC_NONE &&
		 left_nsec < want->expires_after_nsec - ROUNDING)
		expect_fail(c, "%sexpected a timer that runs longer, got %s left", when,
			    nsec_format(text, sizeof(text), left_nsec));
	else if (want->expires_before_nsec != NSEC_NONE &&
		 left_nsec > want->expires_before_nsec + ROUNDING)
		expect_fail(c, "%sexpected a timer that ends earlier, got %s left", when,
			    nsec_format(text, sizeof(text), left_nsec));
}

/* Returns the gap in which that moment lies, or NULL. */
static const struct record_gap *gap_at(const struct record *record, nsec_t at_nsec)
{
	for (size_t i = 0; i < record->n_gaps; i++)
		if (at_nsec >= record->gaps[i].from_nsec && at_nsec < record->gaps[i].to_nsec)
			return &record->gaps[i];
	return NULL;
}

static void check_sample(struct check *c, const struct expect_sample *want)
{
	const struct record_sample *got = sample_at(c, want->at_nsec);
	const struct record_gap *gap = gap_at(c->record, want->at_nsec);
	char at[64], when[80];

	snprintf(when, sizeof(when), "after %s: ", nsec_format(at, sizeof(at), want->at_nsec));
	if (gap) {
		expect_doubt(c, "%sthe look at the socket came %s late", when,
			     nsec_format(at, sizeof(at), gap->to_nsec - gap->from_nsec));
		return;
	}
	if (!got) {
		expect_fail(c, "%sexpected a sample, got none", when);
		return;
	}
	if (want->state != TCP_STATE_NONE)
		check_name(c, when, "state", &tcp_state_names, want->state, got->state);
	if (want->timer >= 0)
		check_name(c, when, "timer", &tcp_timer_names, want->timer, (int)got->timer);
	check_range(c, when, "Send-Q", &want->send_queue, got->send_queue);
	check_range(c, when, "Recv-Q", &want->receive_queue, got->receive_queue);
	check_range(c, when, "retransmits", &want->retransmits, got->retransmits);
	check_range(c, when, "probes", &want->probes, got->probes);
	check_range(c, when, "backoff", &want->backoff, got->backoff);
	check_range(c, when, "open connections", &want->open, record_sample_open(got));
	check_expires(c, when, want, got);
}

void expect_check_samples(struct check *c)
{
	for (size_t i = 0; i < c->want->n_samples; i++)
		check_sample(c, &c->want->samples[i]);
}

void expect_check_population(struct check *c)
{
	for (enum outcome o = OUTCOME_NONE + 1; o < _OUTCOME_MAX; o++) {
		char what[64];

		snprintf(what, sizeof(what), "%s connections", outcome_name(o));
		check_range(c, "", what, &c->want->population[o], c->got->population.outcome[o]);
	}
}
