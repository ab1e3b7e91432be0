/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "src/model/model.h"
#include "src/scenario/option.h"
#include "src/tcp/state.h"

char *describe_span(char *buffer, size_t size, nsec_t span)
{
	char *point, *end, *unit;

	nsec_format(buffer, size, span);
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

/* Text that grows in a buffer and is cut where that ends. */
struct text {
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
	if (e->direction == DIRECTION_BOTH)
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

static void put_span(struct text *t, const char *name, nsec_t span)
{
	char buffer[64];

	if (span)
		put(t, ", %s %s", name, describe_span(buffer, sizeof(buffer), span));
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

	put(t, " %s, back after %s%s%s, %s", node_name(e->node),
	    describe_span(span, sizeof(span), e->downtime_nsec),
	    e->new_mac ? " with another MAC" : "", e->new_address ? " under another address" : "",
	    e->no_service	     ? "nobody listening"
	    : e->node == NODE_SERVER ? "a new server listening"
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
		put(t, " %s", node_name(e->node));
		if (e->node == NODE_ROUTER)
			put(t, ", its link to the %s", node_name(e->side));
		return;
	case FAULT_TAKE_OVER:
		put(t, " %s, %s", node_name(e->node), e->announce ? "announced" : "not announced");
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
	put(t, " %s", node_name(e->node));
}

char *describe_event(const struct event *e, char *buffer, size_t size)
{
	struct text t = { .buffer = buffer, .size = size };

	switch (e->kind) {
	case EVENT_FAULT:
		put_fault(&t, e);
		break;
	case EVENT_HEAL:
		put(&t, "heal %s", fault_name(e->fault));
		if (e->has_node)
			put(&t, " %s", node_name(e->node));
		else if (e->direction != DIRECTION_BOTH)
			put_direction(&t, e);
		break;
	case EVENT_ACTION:
		put(&t, "%s %s", node_name(e->node), action_name(e->action));
		if (e->action == ACTION_SEND)
			put(&t, " %" PRIu64 " byte%s", e->size, e->size == 1 ? "" : "s");
		if (e->has_local_port && e->local_port)
			put(&t, " from port %" PRIu64, e->local_port);
		else if (e->has_local_port)
			put(&t, " from another port");
		break;
	}
	return buffer;
}

/* "outcome    timed-out or unreachable" */
static void print_mask(const char *prefix, const char *what, const struct names *names,
		       uint32_t mask, FILE *out)
{
	const char *separator = "";

	if (!mask)
		return;
	fprintf(out, "%s%-10s ", prefix, what);
	for (int i = 0; i < names->count; i++) {
		if (!(mask & (UINT32_C(1) << i)))
			continue;
		fprintf(out, "%s%s", separator,
			names_text(names, i) ? names_text(names, i) : "none");
		separator = " or ";
	}
	fputc('\n', out);
}

/* Prints the names of values, or "none" for one that has no name. */
static void print_values(const char *prefix, const char *what, const char *(*name)(int value),
			 const int *values, size_t n, const char *separator, FILE *out)
{
	if (!n)
		return;
	fprintf(out, "%s%-10s ", prefix, what);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? separator : "",
			name(values[i]) ? name(values[i]) : "none");
	fputc('\n', out);
}

static void print_words(const char *prefix, const char *what, char **words, const char *separator,
			FILE *out)
{
	if (!words)
		return;
	fprintf(out, "%s%-10s ", prefix, what);
	for (char **word = words; *word; word++)
		fprintf(out, "%s%s", word == words ? "" : separator, *word);
	fputc('\n', out);
}

static void print_bound(const char *prefix, const char *what, const struct expect_time *bound,
			nsec_t predicted, FILE *out)
{
	bool known = !bound->predicted || predicted != NSEC_NONE;
	char text[64] = "no prediction for this";

	if (!bound->present)
		return;
	if (known)
		describe_span(text, sizeof(text), bound->predicted ? predicted : bound->nsec);
	fprintf(out, "%s%-10s %s%s\n", prefix, what, text,
		known && bound->predicted ? ", predicted" : "");
}

static void print_bytes(const char *prefix, const char *what, const struct expect_range *bytes,
			FILE *out)
{
	if (!bytes->present)
		return;
	fprintf(out, "%s%-10s ", prefix, what);
	if (bytes->least == bytes->most)
		fprintf(out, "%" PRIu64 " bytes\n", bytes->least);
	else if (bytes->most == UINT64_MAX)
		fprintf(out, "at least %" PRIu64 " bytes\n", bytes->least);
	else
		fprintf(out, "%" PRIu64 " to %" PRIu64 " bytes\n", bytes->least, bytes->most);
}

static void print_range(const struct expect_range *range, const char *what, FILE *out)
{
	if (!range->present)
		return;
	if (range->least == range->most)
		fprintf(out, ", %s %" PRIu64, what, range->least);
	else if (range->most == UINT64_MAX)
		fprintf(out, ", %s at least %" PRIu64, what, range->least);
	else
		fprintf(out, ", %s %" PRIu64 " to %" PRIu64, what, range->least, range->most);
}

static void print_sample(const char *prefix, const struct expect_sample *s, FILE *out)
{
	char at[64];

	describe_span(at, sizeof(at), s->at_nsec);
	fprintf(out, "%s%-10s at %s", prefix, "sample", at);
	if (s->state != TCP_STATE_NONE)
		fprintf(out, ", %s", tcp_state_name(s->state));
	if (s->timer >= 0)
		fprintf(out, ", timer %s", names_text(&tcp_timer_names, s->timer));
	print_range(&s->send_queue, "Send-Q", out);
	print_range(&s->receive_queue, "Recv-Q", out);
	print_range(&s->retransmits, "retransmits", out);
	print_range(&s->probes, "probes", out);
	print_range(&s->backoff, "backoff", out);
	print_range(&s->open, "open", out);
	fputc('\n', out);
}

static void print_population(const char *prefix, const struct expectation *e, FILE *out)
{
	bool any = false;

	for (enum outcome o = OUTCOME_NONE + 1; o < _OUTCOME_MAX; o++) {
		if (!e->population[o].present)
			continue;
		if (!any)
			fprintf(out, "%s%-10s of all connections", prefix, "population");
		any = true;
		print_range(&e->population[o], outcome_name(o), out);
	}
	if (any)
		fputc('\n', out);
}

struct prediction describe_prediction(const struct scenario *s, enum family family,
				      enum node_id node, const struct model_facts *kernel)
{
	struct model_facts facts = *kernel;

	return model_predict(s, family, node, &facts);
}

void describe_expectation(const struct scenario *s, enum family family, enum node_id node,
			  const struct model_facts *kernel, const char *prefix, FILE *out)
{
	const struct expectation *e = &s->expect[family][node];
	struct prediction p = describe_prediction(s, family, node, kernel);
	bool any = p.mechanism != MECHANISM_NONE;

	print_mask(prefix, "outcome", &outcome_names, e->outcomes, out);
	print_values(prefix, "errno", errno_name, e->errors, e->n_errors, " or ", out);
	print_mask(prefix, "mechanism", &mechanism_names, e->mechanisms, out);
	print_bound(prefix, "after", &e->after, any ? p.earliest_nsec : NSEC_NONE, out);
	print_bound(prefix, "before", &e->before, any ? p.latest_nsec : NSEC_NONE, out);
	print_bound(prefix, "gone after", &e->gone_after, any ? p.earliest_nsec : NSEC_NONE, out);
	print_bound(prefix, "gone by", &e->gone_before, any ? p.latest_nsec : NSEC_NONE, out);
	if (e->gone_never)
		fprintf(out, "%s%-10s never\n", prefix, "gone");
	print_values(prefix, "states", tcp_state_name, e->states, e->n_states, ", ", out);
	print_words(prefix, "packets", e->packet_texts, " ", out);
	print_words(prefix, "calls", e->call_texts, ", ", out);
	print_bytes(prefix, "read", &e->read, out);
	print_bytes(prefix, "written", &e->written, out);
	for (size_t i = 0; i < e->n_samples; i++)
		print_sample(prefix, &e->samples[i], out);
	print_population(prefix, e, out);
}
