/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "src/model/model.h"
#include "src/scenario/option.h"
#include "src/tcp/state.h"

char *describe_span(char *buffer, size_t size, nsec_t span_nsec)
{
	char *point, *end, *unit;

	nsec_format(buffer, size, span_nsec);
	point = strrchr(buffer, '.');
	if (!point)
		return buffer;
	end = point + strcspn(point, " ");
	unit = end;
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	memmove(end, unit, strlen(unit) + 1);
	return buffer;
}

/* A text that grows in a buffer, and is cut at the end of the buffer. */
struct text {
	const struct scenario *scenario; /* not owned */
	char *buffer;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->buffer + t->used, t->size - t->used, format, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n;
	if (t->used >= t->size)
		t->used = t->size - 1;
}

static void put_direction(struct text *t, const struct event *e)
{
	bool back = e->direction == DIRECTION_BACKWARD;

	if (e->has_pair)
		put(t, e->direction == DIRECTION_BOTH ? " between %s and %s" : " from %s to %s",
		    scenario_node_name(t->scenario, e->pair[back]),
		    scenario_node_name(t->scenario, e->pair[!back]));
	else if (e->direction == DIRECTION_BOTH)
		put(t, " in both directions");
	else
		put(t, " %s", direction_name(e->direction));
}

static void put_flags(struct text *t, const struct drop_match *drop)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	const char *separator = " ";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(drop->flags_mask & (1u << i)))
			continue;
		put(t, "%s%s%s", separator, drop->flags & (1u << i) ? "" : "!", names[i]);
		separator = ",";
	}
	if (!drop->flags_mask)
		put(t, " any TCP segment");
	if (drop->payload_only)
		put(t, " with payload");
}

static void put_drop(struct text *t, const struct event *e)
{
	put_flags(t, &e->drop);
	put_direction(t, e);
	if (e->drop.count)
		put(t, ", %" PRIu64 " time%s", e->drop.count, e->drop.count == 1 ? "" : "s");
}

static void put_span(struct text *t, const char *name, nsec_t span_nsec)
{
	char buffer[64];

	if (span_nsec)
		put(t, ", %s %s", name, describe_span(buffer, sizeof(buffer), span_nsec));
}

static void put_percent(struct text *t, const char *name, double probability)
{
	if (probability > 0)
		put(t, ", %s %g%%", name, probability * 100);
}

static void put_netem(struct text *t, const struct event *e)
{
	const struct netem *n = &e->netem;

	put_direction(t, e);
	put_span(t, "delay", n->delay_nsec);
	put_span(t, "jitter", n->jitter_nsec);
	put_percent(t, "loss", n->loss);
	put_percent(t, "duplicate", n->duplicate);
	put_percent(t, "corrupt", n->corrupt);
	put_percent(t, "reorder", n->reorder);
	if (n->rate_bps)
		put(t, ", rate %" PRIu64 " bit/s", n->rate_bps);
}

static void put_reboot(struct text *t, const struct event *e)
{
	char span[64];

	put(t, " %s, back after %s%s%s, %s", scenario_node_name(t->scenario, e->node),
	    describe_span(span, sizeof(span), e->downtime_nsec),
	    e->new_mac ? " with another MAC" : "", e->new_address ? " under another address" : "",
	    e->no_service			       ? "nobody listening"
	    : !scenario_connects(t->scenario, e->node) ? "a new server listening"
						       : "a new client");
}

static void put_fault(struct text *t, const struct event *e)
{
	put(t, "%s", fault_name(e->fault));
	switch (e->fault) {
	case FAULT_BLACKHOLE:
	case FAULT_UNREACHABLE:
	case FAULT_PROHIBIT:
		put_direction(t, e);
		return;
	case FAULT_DROP:
		put_drop(t, e);
		return;
	case FAULT_NETEM:
		put_netem(t, e);
		return;
	case FAULT_REBOOT:
		put_reboot(t, e);
		return;
	case FAULT_INTERFACE_DOWN:
		put(t, " %s", scenario_node_name(t->scenario, e->node));
		if (e->node == NODE_ROUTER)
			put(t, ", its link to the %s", scenario_node_name(t->scenario, e->side));
		return;
	case FAULT_TAKE_OVER:
		put(t, " %s, %s", scenario_node_name(t->scenario, e->node),
		    e->announce ? "announced" : "not announced");
		return;
	case FAULT_CABLE_PULL:
	case FAULT_ADDRESS_REMOVE:
	case FAULT_POWER_LOSS:
	case FAULT_CRASH:
	case FAULT_FREEZE:
	case FAULT_CONNTRACK_FLUSH:
	case _FAULT_KIND_MAX:
		break;
	}
	if (e->has_node)
		put(t, " %s", scenario_node_name(t->scenario, e->node));
}

/* Of several programs on a host, which one an event is about. */
static void put_program(struct text *t, const struct event *e)
{
	if (e->program[0])
		put(t, ", its program %s", e->program);
}

char *describe_event(const struct scenario *s, const struct event *e, char *buffer, size_t size)
{
	struct text t = { .scenario = s, .buffer = buffer, .size = size };

	switch (e->kind) {
	case EVENT_FAULT:
		put_fault(&t, e);
		put_program(&t, e);
		break;
	case EVENT_HEAL:
		put(&t, "heal %s", fault_name(e->fault));
		if (e->has_node)
			put(&t, " %s", scenario_node_name(s, e->node));
		else if (e->direction != DIRECTION_BOTH || e->has_pair)
			put_direction(&t, e);
		break;
	case EVENT_ACTION:
		put(&t, "%s %s", scenario_node_name(s, e->node), action_name(e->action));
		if (e->action == ACTION_SEND)
			put(&t, " %" PRIu64 " byte%s", e->size, e->size == 1 ? "" : "s");
		if (e->has_local_port && e->local_port)
			put(&t, " from port %" PRIu64, e->local_port);
		else if (e->has_local_port)
			put(&t, " from another port");
		put_program(&t, e);
		break;
	}
	return buffer;
}

/* A line of what is expected: "client   outcome    timed-out or unreachable". */
struct line {
	FILE *out;
	const char *prefix;    /* what every line begins with; not owned */
	const char *what;      /* name of what is expected; not owned */
	const char *separator; /* what stands between the words; not owned */
	bool begun;	       /* a word is printed, so that the line has to be ended */
};

/* Prints a word, with all that stands in front of the first one. */
static void put_word(struct line *line, const char *word)
{
	if (line->begun)
		fputs(line->separator, line->out);
	else
		fprintf(line->out, "%s%-10s ", line->prefix, line->what);
	line->begun = true;
	fputs(word ? word : "none", line->out);
}

static void end_line(const struct line *line)
{
	if (line->begun)
		fputc('\n', line->out);
}

static void print_mask(struct line line, const struct names *names, uint32_t mask)
{
	for (int i = 0; i < names->count; i++)
		if (mask & (UINT32_C(1) << i))
			put_word(&line, names_text(names, i));
	end_line(&line);
}

static void print_values(struct line line, const char *(*name)(int value), const int *values,
			 size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_word(&line, name(values[i]));
	end_line(&line);
}

static void print_words(struct line line, char **words)
{
	for (char **word = words; word && *word; word++)
		put_word(&line, *word);
	end_line(&line);
}

static void print_bound(struct line line, const struct expect_time *bound, nsec_t predicted_nsec,
			const char *reason)
{
	bool known = !bound->predicted || predicted_nsec != NSEC_NONE;
	char text[64];

	if (!bound->present)
		return;
	put_word(&line, known ? describe_span(text, sizeof(text),
					      bound->predicted ? predicted_nsec : bound->time_nsec)
			      : "no prediction: ");
	if (!known)
		fputs(reason ? reason : "what becomes of the rest is not predicted", line.out);
	if (known && bound->predicted)
		fputs(", predicted", line.out);
	end_line(&line);
}

static void print_bytes(struct line line, const struct expect_range *bytes)
{
	char text[64];

	if (!bytes->present)
		return;
	put_word(&line, scenario_format_range(bytes, text, sizeof(text)));
	fputs(" bytes", line.out);
	end_line(&line);
}

static void print_range(const struct expect_range *range, const char *what, FILE *out)
{
	char text[64];

	if (range->present)
		fprintf(out, ", %s %s", what, scenario_format_range(range, text, sizeof(text)));
}

static void print_sample(struct line line, const struct expect_sample *s)
{
	char at[64];

	put_word(&line, "at ");
	fputs(describe_span(at, sizeof(at), s->at_nsec), line.out);
	if (s->state != TCP_STATE_NONE)
		fprintf(line.out, ", %s", tcp_state_name(s->state));
	if (s->timer >= 0)
		fprintf(line.out, ", timer %s", names_text(&tcp_timer_names, s->timer));
	print_range(&s->send_queue, "Send-Q", line.out);
	print_range(&s->receive_queue, "Recv-Q", line.out);
	print_range(&s->retransmits, "retransmits", line.out);
	print_range(&s->probes, "probes", line.out);
	print_range(&s->backoff, "backoff", line.out);
	print_range(&s->open, "open", line.out);
	end_line(&line);
}

static void print_population(struct line line, const struct expectation *e)
{
	for (enum outcome o = OUTCOME_NONE + 1; o < _OUTCOME_MAX; o++) {
		if (e->population[o].present && !line.begun)
			put_word(&line, "of all connections");
		print_range(&e->population[o], outcome_name(o), line.out);
	}
	end_line(&line);
}

struct prediction describe_prediction(const struct scenario *s, enum family family, enum end_id end,
				      const struct model_facts *kernel)
{
	struct model_facts facts = *kernel;

	return model_predict(s, family, end, &facts);
}

void describe_expectation(const struct scenario *s, enum family family, enum end_id end,
			  const struct model_facts *kernel, const char *prefix, FILE *out)
{
	const struct expectation *e = &s->expect[family][end];
	struct prediction p = describe_prediction(s, family, end, kernel);
	bool any = p.mechanism != MECHANISM_NONE;

#define LINE(what, separator) ((struct line){ out, prefix, (what), (separator), false })
	print_mask(LINE("outcome", " or "), &outcome_names, e->outcomes);
	print_values(LINE("errno", " or "), errno_name, e->errors, e->n_errors);
	print_mask(LINE("mechanism", " or "), &mechanism_names, e->mechanisms);
	print_bound(LINE("after", ""), &e->after, any ? p.earliest_nsec : NSEC_NONE, p.reason);
	print_bound(LINE("before", ""), &e->before, any ? p.latest_nsec : NSEC_NONE, p.reason);
	print_bound(LINE("gone after", ""), &e->gone_after, any ? p.earliest_nsec : NSEC_NONE,
		    p.reason);
	print_bound(LINE("gone by", ""), &e->gone_before, any ? p.latest_nsec : NSEC_NONE,
		    p.reason);
	print_bound(LINE("recovers after", ""), &e->recovered_after, NSEC_NONE, NULL);
	print_bound(LINE("recovers by", ""), &e->recovered_before, NSEC_NONE, NULL);
	if (e->recovered_never)
		fprintf(out, "%s%-10s never\n", prefix, "recovers");
	if (e->gone_never)
		fprintf(out, "%s%-10s never\n", prefix, "gone");
	print_values(LINE("states", ", "), tcp_state_name, e->states, e->n_states);
	print_words(LINE("packets", " "), e->packet_texts);
	print_words(LINE("calls", ", "), e->call_texts);
	print_bytes(LINE("read", ""), &e->read);
	print_bytes(LINE("written", ""), &e->written);
	for (size_t i = 0; i < e->n_samples; i++)
		print_sample(LINE("sample", ""), &e->samples[i]);
	print_population(LINE("population", ""), e);
#undef LINE
}
