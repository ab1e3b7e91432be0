/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mutations [--quick] [--list]: what the expectations of shipped scenarios are worth. It reads
 * records of trials that passed, one a line as of `deadpeer run --trace --json`, and judges each
 * again by expectations of which one was altered so that it no longer says what the record says. An
 * altered expectation that still holds is too weak. The last line counts them; --list names each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/record/expect.h"
#include "src/tcp/state.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"

enum kind {
	KIND_OUTCOME,
	KIND_ERROR,
	KIND_MECHANISM,
	KIND_TIME,
	KIND_GONE,
	KIND_STATES,
	KIND_PACKETS,
	KIND_ORDER,
	KIND_ABSENT,
	KIND_CALLS,
	KIND_COUNT,
	KIND_SAMPLES,
	_KIND_MAX,
};
static const char *const kind_names[] = {
	[KIND_OUTCOME] = "outcome", [KIND_ERROR] = "error", [KIND_MECHANISM] = "mechanism",
	[KIND_TIME] = "time",	    [KIND_GONE] = "gone",   [KIND_STATES] = "states",
	[KIND_PACKETS] = "packets", [KIND_ORDER] = "order", [KIND_ABSENT] = "absent",
	[KIND_CALLS] = "calls",	    [KIND_COUNT] = "count", [KIND_SAMPLES] = "samples",
};

static struct {
	unsigned int altered, held;
} counts[_KIND_MAX];
static bool list, quick;

/* One end of a record and what is expected of it. */
struct subject {
	struct scenario *scenario; /* whose expectations are altered and restored */
	struct record *record;
	enum node_id node;
	struct expectation *want;	   /* the scenario's, of this end */
	const struct record_endpoint *got; /* the record's, of this end */
	const char *title;
};

static void forget_failures(struct record *record)
{
	for (size_t i = 0; i < record->n_failures; i++)
		free(record->failures[i]);
	free(record->failures);
	record->failures = NULL;
	record->n_failures = 0;
}

/* Judges the record by the scenario's expectations as they are now. */
static bool holds(struct subject *s)
{
	bool passed;

	forget_failures(s->record);
	passed = expect_check(s->scenario, s->record, NULL) == 0 && record_passed(s->record);
	forget_failures(s->record);
	return passed;
}

/* Counts an expectation that was altered; the caller restores it afterwards. */
__attribute__((format(printf, 3, 4))) static void judge(struct subject *s, enum kind kind,
							const char *format, ...)
{
	char text[256];
	va_list ap;

	counts[kind].altered++;
	if (!holds(s))
		return;
	counts[kind].held++;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (list)
		printf("%s %s %s: %s: %s\n", s->title, family_name(s->record->family),
		       node_name(s->node), kind_names[kind], text);
}

static void alter_mask(struct subject *s, enum kind kind, uint32_t *mask, int got, int max)
{
	uint32_t saved = *mask;

	for (int i = 0; saved && i < max; i++) {
		if (i == got)
			continue;
		*mask = UINT32_C(1) << i;
		judge(s, kind, "number %d instead of %d", i, got);
	}
	*mask = saved;
}

static void alter_errors(struct subject *s)
{
	static const int errors[] = { 0,	   ETIMEDOUT,	 ECONNRESET, EHOSTUNREACH,
				      ENETUNREACH, ECONNREFUSED, EPIPE,	     EACCES };
	struct expectation *e = s->want, saved = *e;

	for (size_t i = 0; saved.n_errors && i < ARRAY_SIZE(errors); i++) {
		if (errors[i] == s->got->error)
			continue;
		e->errors[0] = errors[i];
		e->n_errors = 1;
		judge(s, KIND_ERROR, "errno %d instead of %d", errors[i], s->got->error);
	}
	memcpy(e->errors, saved.errors, sizeof(e->errors));
	e->n_errors = saved.n_errors;
}

/* Moves a bound to the other side of what was measured. */
static void alter_bound(struct subject *s, enum kind kind, struct expect_time *bound, int sign,
			nsec_t got_nsec)
{
	struct expect_time saved = *bound;

	if (!saved.present || got_nsec == NSEC_NONE)
		return;
	*bound = (struct expect_time){ .present = true,
				       .time_nsec = got_nsec + sign * NSEC_PER_MSEC };
	judge(s, kind, "a bound of %lld ns", (long long)bound->time_nsec);
	*bound = saved;
}

static void alter_times(struct subject *s)
{
	struct expectation *e = s->want;
	bool saved = e->gone_never;

	alter_bound(s, KIND_TIME, &e->after, 1, record_detection(s->got));
	alter_bound(s, KIND_TIME, &e->before, -1, record_detection(s->got));
	alter_bound(s, KIND_GONE, &e->gone_after, 1, s->got->gone_nsec);
	alter_bound(s, KIND_GONE, &e->gone_before, -1, s->got->gone_nsec);
	if (s->got->gone_nsec != NSEC_NONE && (e->gone_after.present || e->gone_before.present)) {
		e->gone_never = true;
		judge(s, KIND_GONE, "never gone");
		e->gone_never = saved;
	}
}

static void alter_states(struct subject *s)
{
	struct expectation *e = s->want, saved = *e;

	for (size_t i = 0; i < saved.n_states; i++) {
		memmove(&e->states[i], &e->states[i + 1],
			(saved.n_states - i - 1) * sizeof(e->states[0]));
		e->n_states--;
		if (e->n_states)
			judge(s, KIND_STATES, "without number %zu", i);
		memcpy(e->states, saved.states, sizeof(e->states));
		e->n_states = saved.n_states;
		for (int state = TCP_STATE_ESTABLISHED; state <= TCP_STATE_CLOSING; state++) {
			if (state == saved.states[i])
				continue;
			e->states[i] = state;
			judge(s, KIND_STATES, "number %zu is %s", i, tcp_state_name(state));
		}
		e->states[i] = saved.states[i];
		if (i + 1 < saved.n_states) {
			e->states[i] = saved.states[i + 1];
			e->states[i + 1] = saved.states[i];
			judge(s, KIND_STATES, "numbers %zu and %zu in the other order", i, i + 1);
		}
		memcpy(e->states, saved.states, sizeof(e->states));
	}
}

static bool same_pattern(const struct packet_pattern *a, const struct packet_pattern *b)
{
	return a->absent == b->absent && a->any_direction == b->any_direction &&
	       a->sent == b->sent && a->flags == b->flags;
}

static bool came(const struct subject *s, const struct packet_pattern *pattern, bool after)
{
	for (size_t i = 0; i < s->got->n_packets; i++) {
		const struct record_packet *p = &s->got->packets[i];

		if (p->flags == pattern->flags && (!after || p->time_nsec >= 0) &&
		    (pattern->any_direction || p->sent == pattern->sent))
			return true;
	}
	return false;
}

/* A packet that never came is put in a place of the list: each of these is false of the record. */
static void alter_to_missing(struct subject *s, size_t i)
{
	struct packet_pattern *p = &s->want->packets[i], saved = *p;

	for (unsigned int flags = 0; flags <= PACKET_ACK + PACKET_PSH; flags++) {
		*p = saved;
		p->flags = (uint8_t)flags;
		if (flags != saved.flags && !came(s, p, false))
			judge(s, KIND_PACKETS, "number %zu has flags %u", i, flags);
	}
	*p = saved;
	p->sent = !p->sent;
	if (!p->any_direction && !came(s, p, false))
		judge(s, KIND_PACKETS, "number %zu goes the other way", i);
	*p = saved;
}

static void alter_packets(struct subject *s)
{
	struct packet_pattern *p = s->want->packets;
	char **texts = s->want->packet_texts;
	size_t last = SIZE_MAX;

	for (size_t i = 0; texts && texts[i]; i++) {
		struct packet_pattern saved = p[i];

		if (saved.absent) {
			p[i].absent = false;
			if (!came(s, &saved, true))
				judge(s, KIND_ABSENT, "%s comes", texts[i]);
			p[i] = saved;
			continue;
		}
		p[i].absent = true;
		if (came(s, &saved, true))
			judge(s, KIND_ABSENT, "%s does not come", texts[i]);
		p[i] = saved;
		alter_to_missing(s, i);
		if (last != SIZE_MAX && !same_pattern(&p[last], &p[i])) {
			p[i] = p[last];
			p[last] = saved;
			judge(s, KIND_ORDER, "%s and %s in the other order", texts[last], texts[i]);
			p[last] = p[i];
			p[i] = saved;
		}
		last = i;
	}
}

static void alter_call(struct subject *s, size_t i)
{
	struct expect_call *c = &s->want->calls[i], saved = *c;
	const char *text = s->want->call_texts[i];
	bool after = false;

	for (int call = 0; call < _AGENT_CALL_MAX; call++) {
		bool made = false;

		for (size_t k = 0; k < s->got->n_calls; k++)
			made |= (int)s->got->calls[k].call == call;
		c->call = (enum agent_call)call;
		if (!made && !saved.absent)
			judge(s, KIND_CALLS, "%s instead of %s", call_name(c->call), text);
	}
	*c = saved;
	c->error = saved.error == EXDEV ? EXFULL : EXDEV;
	if (!saved.absent)
		judge(s, KIND_CALLS, "%s with another errno", text);
	*c = saved;
	c->has_result = true;
	c->result = 987654321;
	c->error = 0;
	if (!saved.absent)
		judge(s, KIND_CALLS, "%s with another result", text);
	*c = saved;
	c->absent = !saved.absent;
	for (size_t k = 0; k < s->got->n_calls; k++)
		after |= s->got->calls[k].time_nsec >= 0 && s->got->calls[k].call == saved.call;
	if (saved.absent != after)
		judge(s, KIND_CALLS, "%s is the opposite", text);
	*c = saved;
}

static void alter_calls(struct subject *s)
{
	struct expect_call *c = s->want->calls;
	char **texts = s->want->call_texts;

	for (size_t i = 0; texts && texts[i]; i++) {
		alter_call(s, i);
		if (texts[i + 1] && !c[i].absent && !c[i + 1].absent &&
		    memcmp(&c[i], &c[i + 1], sizeof(c[i])) != 0) {
			struct expect_call saved = c[i];

			c[i] = c[i + 1];
			c[i + 1] = saved;
			judge(s, KIND_CALLS, "%s and %s in the other order", texts[i],
			      texts[i + 1]);
			c[i + 1] = c[i];
			c[i] = saved;
		}
	}
}

/* Moves a range to both sides of the number that was measured. */
static void alter_range(struct subject *s, enum kind kind, struct expect_range *range,
			const char *what, uint64_t got)
{
	struct expect_range saved = *range;

	if (!saved.present)
		return;
	*range = (struct expect_range){ true, got + 1, UINT64_MAX };
	judge(s, kind, "more than %llu %s", (unsigned long long)got, what);
	*range = (struct expect_range){ true, 0, got - 1 };
	if (got)
		judge(s, kind, "less than %llu %s", (unsigned long long)got, what);
	*range = saved;
}

static void alter_sample(struct subject *s, struct expect_sample *e)
{
	int saved = e->state;

	for (int state = TCP_STATE_ESTABLISHED; saved != TCP_STATE_NONE && state < _TCP_STATE_MAX;
	     state++) {
		e->state = state;
		if (state != saved)
			judge(s, KIND_SAMPLES, "state %s", tcp_state_name(state));
	}
	e->state = saved;
	saved = e->timer;
	for (int timer = 0; saved >= 0 && timer < _TCP_TIMER_MAX; timer++) {
		e->timer = timer;
		if (timer != saved)
			judge(s, KIND_SAMPLES, "timer %s", tcp_timer_name(timer));
	}
	e->timer = saved;
	saved = (int)e->at_nsec;
}

static void alter_end(struct subject *s)
{
	struct expectation *e = s->want;

	alter_mask(s, KIND_OUTCOME, &e->outcomes, (int)s->got->outcome, _OUTCOME_MAX);
	alter_errors(s);
	alter_mask(s, KIND_MECHANISM, &e->mechanisms, (int)s->got->mechanism, _MECHANISM_MAX);
	alter_times(s);
	alter_states(s);
	alter_packets(s);
	alter_calls(s);
	if (s->got->bytes_read >= 0)
		alter_range(s, KIND_COUNT, &e->read, "bytes read", (uint64_t)s->got->bytes_read);
	if (s->got->bytes_written >= 0)
		alter_range(s, KIND_COUNT, &e->written, "bytes written",
			    (uint64_t)s->got->bytes_written);
	for (int o = 0; o < _OUTCOME_MAX; o++)
		alter_range(s, KIND_COUNT, &e->population[o], "connections",
			    s->got->population.outcome[o]);
	for (size_t i = 0; i < e->n_samples; i++)
		alter_sample(s, &e->samples[i]);
}

static int by_time(const void *a, const void *b)
{
	const struct record_packet *x = a, *y = b;

	return (x->time_nsec > y->time_nsec) - (x->time_nsec < y->time_nsec);
}

/* A record's JSON has no packets of its own, but its trace has them. Makes the list of an end from
 * the packets of the first connection. */
static int take_packets(const struct trace *trace, enum node_id node, struct record_endpoint *end)
{
	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_entry *t = &trace->entries[i];
		const struct trace_packet *p = &t->packet;
		bool sent = t->node == node && !p->foreign;
		nsec_t time_nsec = sent ? p->sent_nsec : p->arrived_nsec;
		struct record_packet *slot;

		if (t->kind != TRACE_PACKET || time_nsec == NSEC_NONE ||
		    (p->foreign && t->node != node))
			continue;
		slot = array_append(&end->packets, &end->n_packets, sizeof(*slot));
		if (!slot)
			return -ENOMEM;
		*slot = (struct record_packet){ .time_nsec = time_nsec,
						.sent = sent,
						.flags = p->flags,
						.seq = p->seq,
						.ack = p->ack,
						.payload = p->length,
						.window = p->window };
	}
	if (end->n_packets)
		qsort(end->packets, end->n_packets, sizeof(*end->packets), by_time);
	return 0;
}

static struct scenario *load(const struct record *record, struct scenario_list *all,
			     struct error *err)
{
	struct scenario_request request = { .what = record->scenario,
					    .variant = record->variant,
					    .quick = quick };

	return scenario_load(&request, all, err) < 0 || all->count != 1 ? NULL : all->items[0];
}

/* Returns 0, or a negative errno when the record cannot be used at all. */
static int alter_record(struct record *record, struct error *err)
{
	struct scenario_list all = { 0 };
	struct scenario *scenario = load(record, &all, err);
	char title[256];
	struct subject s = { .scenario = scenario, .record = record };
	int rc = scenario ? 0 : -EINVAL;

	s.title = record_title(record, title, sizeof(title));
	for (enum node_id n = 0; rc >= 0 && n < _ENDPOINT_MAX; n++)
		rc = take_packets(&record->trace, n, &record->endpoint[n]);
	if (rc >= 0 && !holds(&s)) {
		expect_check(scenario, record, NULL);
		rc = error_set(err, ERROR_FAILED, -EBADMSG, "%s does not pass: %s", title,
			       record->failures[0]);
	}
	for (enum node_id n = 0; rc >= 0 && n < _ENDPOINT_MAX; n++) {
		s.node = n;
		s.want = &scenario->expect[record->family][n];
		s.got = &record->endpoint[n];
		if (s.want->present)
			alter_end(&s);
	}
	scenario_list_deinit(&all);
	return rc;
}

int main(int argc, char **argv)
{
	_cleanup_(freep) char *line = NULL;
	unsigned int altered = 0, held = 0, unusable = 0;
	size_t size = 0;

	for (int i = 1; i < argc; i++) {
		list |= strcmp(argv[i], "--list") == 0;
		quick |= strcmp(argv[i], "--quick") == 0;
	}
	while (getline(&line, &size, stdin) > 0) {
		_cleanup_(record_freep) struct record *record = NULL;
		struct error err = { 0 };
		int rc = record_from_json(line, &record, &err);

		if (rc >= 0)
			rc = alter_record(record, &err);
		if (rc < 0) {
			fprintf(stderr, "%s\n", err.text);
			unusable++;
		}
	}
	for (int k = 0; k < _KIND_MAX; k++) {
		printf("%s: %u altered, %u held\n", kind_names[k], counts[k].altered,
		       counts[k].held);
		altered += counts[k].altered;
		held += counts[k].held;
	}
	printf("%u altered, %u held, %u records unusable\n", altered, held, unusable);
	return unusable || !altered;
}
