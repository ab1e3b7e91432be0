/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/record.h"

#include "src/record/sighting.h"
#include "src/util/array.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

DEFINE_NAMES(recovery,
	     _RECOVERY_MAX, [RECOVERY_HEAL] = "heal", [RECOVERY_CONNECTION] = "connection")
DEFINE_NAMES(record_clock, _RECORD_CLOCK_MAX, [RECORD_CLOCK_TRACEPOINT] = "tracepoint",
	     [RECORD_CLOCK_SOCK_DIAG] = "sock_diag")

DEFINE_NAMES(verdict, _VERDICT_MAX, [VERDICT_PASS] = "pass", [VERDICT_FAIL] = "fail",
	     [VERDICT_INCONCLUSIVE] = "inconclusive")

void record_endpoint_deinit(struct record_endpoint *endpoint)
{
	free(endpoint->states);
	free(endpoint->retransmissions);
	free(endpoint->resets);
	free(endpoint->calls);
	free(endpoint->packets);
	free(endpoint->samples);
	free(endpoint->command_output);
	free(endpoint->local);
	free(endpoint->peer);
	free(endpoint->name);
	free(endpoint->unpredicted);
	free(endpoint->gone_unpredicted);
	*endpoint = (struct record_endpoint){ 0 };
}

struct record *record_free(struct record *record)
{
	if (!record)
		return NULL;
	for (size_t i = 0; i < record->n_settings; i++) {
		free(record->settings[i].key);
		free(record->settings[i].text);
	}
	for (size_t i = 0; i < record->n_faults; i++)
		free(record->faults[i].what);
	for (size_t i = 0; i < record->n_failures; i++)
		free(record->failures[i]);
	for (size_t i = 0; i < record->n_doubts; i++)
		free(record->doubts[i]);
	for (enum end_id n = 0; n < record->n_ends; n++)
		record_endpoint_deinit(&record->endpoint[n]);
	free(record->endpoint);
	trace_deinit(&record->trace);
	sighting_log_free(record->sightings);
	free(record->settings);
	free(record->faults);
	for (size_t i = 0; i < record->n_output; i++) {
		free(record->output[i].host);
		free(record->output[i].line);
	}
	free(record->output);
	free(record->gaps);
	free(record->failures);
	free(record->doubts);
	free(record->scenario);
	free(record->id);
	free(record->variant);
	free(record->engine);
	free(record->kernel);
	free(record->qemu);
	free(record);
	return NULL;
}

int record_find_end(const struct record *record, const char *name)
{
	for (enum end_id n = 0; n < record->n_ends; n++)
		if (!strcmp(record->endpoint[n].name, name))
			return (int)n;
	return -1;
}

const struct record_endpoint *record_end(const struct record *record, const char *name)
{
	int end = record_find_end(record, name);

	return end < 0 ? NULL : &record->endpoint[end];
}

const struct record *record_widest(struct record *const *records, size_t n,
				   const struct record *first)
{
	const struct record *widest = first;

	for (size_t i = 0; i < n; i++)
		if (records[i] && records[i]->n_ends > widest->n_ends &&
		    record_same_trial(records[i], first))
			widest = records[i];
	return widest;
}

uint32_t record_sample_open(const struct record_sample *sample)
{
	uint32_t sum = 0;

	for (int i = 0; i < _TCP_STATE_MAX; i++)
		sum += sample->open[i];
	return sum;
}

/* Takes `line` over, which is NULL when there was no memory for it. */
static int add_line(char ***lines, size_t *count, char *line)
{
	char **slot = line ? array_append(lines, count, sizeof(*slot)) : NULL;

	if (!slot) {
		free(line);
		return -ENOMEM;
	}
	*slot = line;
	return 0;
}

int record_fail(struct record *record, const char *format, ...)
{
	char *line;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&line, format, ap) < 0)
		line = NULL;
	va_end(ap);
	return add_line(&record->failures, &record->n_failures, line);
}

int record_doubt(struct record *record, const char *format, ...)
{
	char *line;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&line, format, ap) < 0)
		line = NULL;
	va_end(ap);
	for (size_t i = 0; line && i < record->n_doubts; i++)
		if (!strcmp(record->doubts[i], line)) {
			free(line);
			return 0;
		}
	return add_line(&record->doubts, &record->n_doubts, line);
}

enum verdict record_verdict(const struct record *record)
{
	if (record->n_doubts)
		return VERDICT_INCONCLUSIVE;
	return record->n_failures ? VERDICT_FAIL : VERDICT_PASS;
}

bool record_same_trial(const struct record *a, const struct record *b)
{
	char ta[160], tb[160];

	return a->family == b->family && !strcmp(a->engine, b->engine) &&
	       !strcmp(a->kernel, b->kernel) &&
	       !strcmp(record_title(a, ta, sizeof(ta)), record_title(b, tb, sizeof(tb)));
}

char *record_title(const struct record *record, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s%s%s", record->scenario, record->variant ? "/" : "",
		 record->variant ? record->variant : "");
	return buffer;
}
