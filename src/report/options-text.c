/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/options-text.h"

#include <inttypes.h>
#include <string.h>

#define SPAN_SIZE 64
#define TEXT_SIZE 256

static const char *span(nsec_t span_nsec, char *buffer)
{
	return span_nsec == NSEC_NONE ? "sysctl" : nsec_format(buffer, SPAN_SIZE, span_nsec);
}

static void put_keepalive(const struct socket_options *o, FILE *out)
{
	char idle[SPAN_SIZE], interval[SPAN_SIZE];

	if (!o->keepalive) {
		fputs("no keepalive", out);
		return;
	}
	fprintf(out, "keepalive idle %s, interval %s, count ", span(o->keepalive_idle_nsec, idle),
		span(o->keepalive_interval_nsec, interval));
	if (o->keepalive_count < 0)
		fputs("sysctl", out);
	else
		fprintf(out, "%d", o->keepalive_count);
}

static void put_buffer(const char *name, int64_t bytes, FILE *out)
{
	if (bytes >= 0)
		fprintf(out, "; %s %" PRId64, name, bytes);
}

char *options_text(const struct socket_options *o, char *buffer, size_t size)
{
	FILE *out = fmemopen(buffer, size, "w");
	char text[SPAN_SIZE];

	*buffer = '\0';
	if (!out)
		return buffer;
	put_keepalive(o, out);
	if (o->user_timeout_nsec == NSEC_NONE)
		fputs("; no user timeout", out);
	else
		fprintf(out, "; user timeout %s", span(o->user_timeout_nsec, text));
	if (o->nodelay)
		fputs("; nodelay", out);
	if (o->linger_nsec != NSEC_NONE)
		fprintf(out, "; linger %s", span(o->linger_nsec, text));
	put_buffer("send buffer", o->send_buffer, out);
	put_buffer("receive buffer", o->receive_buffer, out);
	fclose(out);
	return buffer;
}

static bool has_text(const struct record_endpoint *e)
{
	return e->command_output && e->options.present;
}

/* Whether an earlier trial of the scenario has told the same of that end. */
static bool is_told(struct record *const *records, size_t i, enum end_id end)
{
	const struct record_endpoint *e = &records[i]->endpoint[end];
	char text[TEXT_SIZE], other[TEXT_SIZE];

	options_text(&e->options, text, sizeof(text));
	for (size_t k = 0; k < i; k++) {
		const struct record *r = records[k];

		if (r && !strcmp(r->scenario, records[i]->scenario) && end < r->n_ends &&
		    has_text(&r->endpoint[end]) && !strcmp(r->endpoint[end].name, e->name) &&
		    !strcmp(options_text(&r->endpoint[end].options, other, sizeof(other)), text))
			return true;
	}
	return false;
}

/* Whether two ends are on the same host: their names end in the same way. */
static bool is_same_host(const char *a, const char *b)
{
	const char *dot_a = strrchr(a, '.'), *dot_b = strrchr(b, '.');

	return dot_a && dot_b && !strcmp(dot_a, dot_b);
}

static bool is_alike(const struct record_endpoint *a, const struct record_endpoint *b)
{
	char text[TEXT_SIZE], other[TEXT_SIZE];

	return has_text(b) && is_same_host(a->name, b->name) &&
	       !strcmp(options_text(&a->options, text, sizeof(text)),
		       options_text(&b->options, other, sizeof(other)));
}

/* Ends of a host that are alike take one line, at the first of them. */
static void print_options(const struct record *record, enum end_id end, FILE *out)
{
	const struct record_endpoint *e = &record->endpoint[end];
	char title[160], text[TEXT_SIZE];
	size_t more = 0;

	for (enum end_id n = 0; n < record->n_ends; n++) {
		if (n == end || !is_alike(e, &record->endpoint[n]))
			continue;
		if (n < end)
			return;
		more++;
	}
	fprintf(out, "%s: %s", record_title(record, title, sizeof(title)), e->name);
	if (more)
		fprintf(out, " and %zu more of %s", more, strrchr(e->name, '.') + 1);
	fprintf(out, " %s set: %s\n", more ? "have" : "has",
		options_text(&e->options, text, sizeof(text)));
}

static void print_end(const struct record *record, const struct record_endpoint *e, FILE *out)
{
	char title[160];

	if (!e->command_output || record->repeat > 1 ||
	    (e->command_exit < 0 && e->command_signal < 0))
		return;
	fprintf(out, "%s (%s): the program of %s %s %d\n",
		record_title(record, title, sizeof(title)), family_name(record->family), e->name,
		e->command_exit >= 0 ? "exited with status" : "was killed by signal",
		e->command_exit >= 0 ? e->command_exit : e->command_signal);
}

void options_print(struct record *const *records, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++)
		for (enum end_id end = 0; records[i] && end < records[i]->n_ends; end++) {
			const struct record_endpoint *e = &records[i]->endpoint[end];

			print_end(records[i], e, out);
			if (has_text(e) && !is_told(records, i, end))
				print_options(records[i], end, out);
		}
}
