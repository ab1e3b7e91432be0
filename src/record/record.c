/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/record.h"

#include "src/record/sighting.h"
#include "src/util/array.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

DEFINE_NAMES(record_clock, _RECORD_CLOCK_MAX, [RECORD_CLOCK_TRACEPOINT] = "tracepoint",
	     [RECORD_CLOCK_SOCK_DIAG] = "sock_diag")

void record_endpoint_deinit(struct record_endpoint *endpoint)
{
	free(endpoint->states);
	free(endpoint->retransmissions);
	free(endpoint->resets);
	free(endpoint->calls);
	free(endpoint->packets);
	free(endpoint->samples);
	free(endpoint->command_output);
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
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		record_endpoint_deinit(&record->endpoint[n]);
	trace_deinit(&record->trace);
	sighting_log_free(record->sightings);
	free(record->settings);
	free(record->faults);
	free(record->failures);
	free(record->scenario);
	free(record->id);
	free(record->variant);
	free(record->engine);
	free(record->kernel);
	free(record);
	return NULL;
}

uint32_t record_sample_open(const struct record_sample *sample)
{
	uint32_t sum = 0;

	for (int i = 0; i < _TCP_STATE_MAX; i++)
		sum += sample->open[i];
	return sum;
}

int record_fail(struct record *record, const char *format, ...)
{
	char **line = array_append(&record->failures, &record->n_failures, sizeof(*line));
	va_list ap;
	int n;

	if (!line)
		return -ENOMEM;
	va_start(ap, format);
	n = vasprintf(line, format, ap);
	va_end(ap);
	if (n < 0) {
		record->n_failures--;
		return -ENOMEM;
	}
	return 0;
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
