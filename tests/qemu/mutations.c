/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mutations [--quick]: what the expectations of shipped scenarios are worth. It reads records of
 * trials that passed, one a line as of `deadpeer run --trace --json`, and judges each again by
 * expectations of which one was altered so that it is false of the record. An altered expectation
 * that still holds is too weak: it is listed, and too many of them are a failure.
 */
#include <errno.h>
#include <limits.h>
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
static bool quick;

/* One end of a record and what is expected of it. */
struct subject {
	struct scenario *scenario; /* whose expectations are altered and restored */
	struct record *record;
	enum end_id end;
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
	passed = expect_check(s->scenario, s->record, NULL) == 0 &&
		 record_verdict(s->record) == VERDICT_PASS;
	forget_failures(s->record);
	return passed;
}

/* Counts an expectation that was altered; the caller restores it afterwards. One that holds is
 * listed, with the reason if that is known. */
__attribute__((format(printf, 4, 5))) static void judge_for(struct subject *s, enum kind kind,
							    const char *reason, const char *format,
							    ...)
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
	printf("%s %s %s: %s: %s still holds%s%s\n", s->title, family_name(s->record->family),
	       s->record->endpoint[s->end].name, kind_names[kind], text, reason ? ": " : "",
	       reason ? reason : "");
}
#define judge(s, kind, ...) judge_for(s, kind, NULL, __VA_ARGS__)

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
		/* A list that ends with TIME_WAIT leaves open whether that has ended. */
		if (e->n_states &&
		    !(e->n_states == i && i && e->states[i - 1] == TCP_STATE_TIME_WAIT))
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

/* The trial followed the connection with number 0, and with it all that had the same ports. A trace
 * has no ports, so that a record is tried without the other connections, and with them. */
static unsigned int last_connection;

/* Makes of an entry of the trace the packet that an end sent or received. False if it is none of
 * the connections that are looked at. */
static bool packet_of(const struct trace_entry *t, enum end_id end, struct record_packet *ret)
{
	const struct trace_packet *p = &t->packet;
	bool sent = t->end == end && !p->foreign;
	nsec_t time_nsec = sent ? p->sent_nsec : p->arrived_nsec;

	if (t->kind != TRACE_PACKET || t->connection > last_connection || time_nsec == NSEC_NONE ||
	    (p->foreign && t->end != end))
		return false;
	*ret = (struct record_packet){ .time_nsec = time_nsec,
				       .sent = sent,
				       .flags = p->flags,
				       .seq = p->seq,
				       .ack = p->ack,
				       .payload = p->length,
				       .window = p->window };
	return true;
}

static bool same_pattern(const struct packet_pattern *a, const struct packet_pattern *b)
{
	return a->absent == b->absent && a->any_direction == b->any_direction &&
	       a->sent == b->sent && a->flags == b->flags;
}

static bool matches(const struct packet_pattern *pattern, const struct record_packet *packet)
{
	return packet->flags == pattern->flags &&
	       (pattern->any_direction || packet->sent == pattern->sent);
}

/* Whether such a packet came at all. */
static bool came(const struct subject *s, const struct packet_pattern *pattern)
{
	for (size_t i = 0; i < s->got->n_packets; i++)
		if (matches(pattern, &s->got->packets[i]))
			return true;
	return false;
}

/* Whether such a packet was sent once the first event had reached the connection. The trace has
 * the time at which each packet was sent. */
static bool came_after_event(const struct subject *s, const struct packet_pattern *pattern)
{
	const struct event *first = s->scenario->events;
	bool cuts =
		s->scenario->n_events && first->kind == EVENT_FAULT && first->fault != FAULT_CRASH;
	nsec_t from_nsec = cuts && s->record->n_faults ? s->record->faults[0].took_nsec : 0;

	for (size_t i = 0; i < s->record->trace.count; i++) {
		const struct trace_entry *t = &s->record->trace.entries[i];
		struct record_packet packet;
		nsec_t sent_nsec = t->packet.sent_nsec;

		if (!packet_of(t, s->end, &packet) || !matches(pattern, &packet))
			continue;
		if (packet.time_nsec >= 0 && (sent_nsec == NSEC_NONE || sent_nsec >= from_nsec))
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
		if (flags != saved.flags && !came(s, p))
			judge(s, KIND_PACKETS, "number %zu has flags %u", i, flags);
	}
	*p = saved;
	p->sent = !p->sent;
	if (!p->any_direction && !came(s, p))
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
			if (!came(s, &saved))
				judge(s, KIND_ABSENT, "%s comes", texts[i]);
			p[i] = saved;
			continue;
		}
		p[i].absent = true;
		if (came_after_event(s, &saved))
			judge(s, KIND_ABSENT, "%s does not come", texts[i]);
		p[i] = saved;
		alter_to_missing(s, i);
		if (last != SIZE_MAX && !same_pattern(&p[last], &p[i])) {
			p[i] = p[last];
			p[last] = saved;
			judge_for(s, KIND_ORDER,
				  "one of them came more often in a row than the list has it",
				  "%s and %s in the other order", texts[last], texts[i]);
			p[last] = p[i];
			p[i] = saved;
		}
		last = i;
	}
}

/* Whether such a call was made, at all or after the first event. */
static bool called(const struct subject *s, const struct expect_call *want, nsec_t from_nsec)
{
	for (size_t i = 0; i < s->got->n_calls; i++) {
		const struct record_call *c = &s->got->calls[i];

		if (c->time_nsec >= from_nsec && c->call == want->call && c->error == want->error &&
		    (!want->has_result || c->result == want->result) &&
		    (want->connection < 0 || (int64_t)c->connection == want->connection))
			return true;
	}
	return false;
}

static void alter_call(struct subject *s, size_t i)
{
	struct expect_call *c = &s->want->calls[i], saved = *c;
	const char *text = s->want->call_texts[i];

	c->absent = !saved.absent;
	if (saved.absent ? !called(s, &saved, INT64_MIN) : called(s, &saved, 0))
		judge(s, KIND_CALLS, "%s is the opposite", text);
	*c = saved;
	if (saved.absent)
		return;
	for (int call = 0; call < _AGENT_CALL_MAX; call++) {
		c->call = (enum agent_call)call;
		if (!called(s, c, INT64_MIN))
			judge(s, KIND_CALLS, "%s instead of %s", call_name(c->call), text);
	}
	*c = saved;
	c->error = EXDEV;
	judge(s, KIND_CALLS, "%s with another errno", text);
	*c = saved;
	c->has_result = true;
	c->result = 987654321;
	c->error = 0;
	judge(s, KIND_CALLS, "%s with another result", text);
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

/* Moves a range to both sides of itself. What was measured is within it. */
static void alter_to_outside(struct subject *s, struct expect_range *range)
{
	struct expect_range saved = *range;

	if (saved.present && saved.most < UINT64_MAX) {
		*range = (struct expect_range){ true, saved.most + 1, UINT64_MAX };
		judge(s, KIND_SAMPLES, "more than %llu", (unsigned long long)saved.most);
	}
	if (saved.present && saved.least) {
		*range = (struct expect_range){ true, 0, saved.least - 1 };
		judge(s, KIND_SAMPLES, "less than %llu", (unsigned long long)saved.least);
	}
	*range = saved;
}

static void alter_sample(struct subject *s, struct expect_sample *e)
{
	struct expect_range *const ranges[] = { &e->send_queue, &e->receive_queue, &e->retransmits,
						&e->probes,	&e->backoff,	   &e->open };
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
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		alter_to_outside(s, ranges[i]);
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

/* A record's JSON has no packets of its own, but its trace has them. Makes the list of an end. */
static int take_packets(const struct trace *trace, enum end_id id, struct record_endpoint *end)
{
	for (size_t i = 0; i < trace->count; i++) {
		struct record_packet packet, *slot;

		if (!packet_of(&trace->entries[i], id, &packet))
			continue;
		slot = array_append(&end->packets, &end->n_packets, sizeof(*slot));
		if (!slot)
			return -ENOMEM;
		*slot = packet;
	}
	if (end->n_packets)
		qsort(end->packets, end->n_packets, sizeof(*end->packets), by_time);
	return 0;
}

/* Takes the packets of the connection that was followed. */
static int take_connections(struct subject *s)
{
	const unsigned int last[] = { 0, UINT_MAX };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		last_connection = last[i];
		for (enum end_id n = 0; rc >= 0 && n < s->record->n_ends; n++) {
			struct record_endpoint *end = &s->record->endpoint[n];

			free(end->packets);
			end->packets = NULL;
			end->n_packets = 0;
			rc = take_packets(&s->record->trace, n, end);
		}
		if (rc < 0 || holds(s))
			break;
	}
	return rc;
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
	if (rc >= 0)
		rc = take_connections(&s);
	if (rc >= 0 && !holds(&s)) {
		expect_check(scenario, record, NULL);
		rc = error_set(err, ERROR_FAILED, -EBADMSG, "%s does not pass: %s", title,
			       record->failures[0]);
	}
	for (enum end_id n = 0; rc >= 0 && n < record->n_ends; n++) {
		s.end = n;
		s.want = &scenario->expect[record->family][n];
		s.got = &record->endpoint[n];
		if (s.want->present)
			alter_end(&s);
	}
	scenario_list_deinit(&all);
	return rc;
}

/* Says how many alterations there were and how many of them held. True if enough of them failed: 98
 * of 100 in all, and 90 of 100 of each kind. */
static bool tell_counts(void)
{
	unsigned int altered = 0, held = 0;
	bool good = true;

	for (int k = 0; k < _KIND_MAX; k++) {
		bool enough = counts[k].altered && counts[k].held * 10 <= counts[k].altered;

		printf("%s: %u altered, %u held%s\n", kind_names[k], counts[k].altered,
		       counts[k].held, enough ? "" : ", which is too few or too many");
		altered += counts[k].altered;
		held += counts[k].held;
		good &= enough;
	}
	printf("all: %u altered, %u held\n", altered, held);
	return good && held * 50 <= altered;
}

int main(int argc, char **argv)
{
	_cleanup_(freep) char *line = NULL;
	unsigned int records = 0, unusable = 0;
	size_t size = 0;

	quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	while (getline(&line, &size, stdin) > 0) {
		_cleanup_(record_freep) struct record *record = NULL;
		struct error err = { 0 };
		int rc = record_from_json(line, &record, &err);

		records++;
		if (rc >= 0)
			rc = alter_record(record, &err);
		if (rc < 0) {
			printf("%s\n", err.text);
			unusable++;
		}
	}
	printf("%u records, %u of them unusable\n", records, unusable);
	return !tell_counts() || unusable;
}
