/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/record/json-trace.h"
#include "src/record/json.h"
#include "src/tcp/state.h"

/*
 * The JSON of a record. Numbers of seconds are written with six decimals, as integers of
 * microseconds would be, so that the same record is the same bytes everywhere. json-c reports no
 * out-of-memory in its getters and setters that we could act on; what it builds is checked once,
 * at the end.
 */

json_object *record_json_text(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

json_object *record_json_seconds(nsec_t t)
{
	char digits[32];
	nsec_t us;

	if (t == NSEC_NONE)
		return NULL;
	us = (t < 0 ? t - 500 : t + 500) / NSEC_PER_USEC;
	snprintf(digits, sizeof(digits), "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "",
		 (us < 0 ? -us : us) / 1000000, (us < 0 ? -us : us) % 1000000);
	return json_object_new_double_s((double)us / 1e6, digits);
}

static json_object *states_json(const struct record_endpoint *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->n_states; i++) {
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", record_json_seconds(e->states[i].time_nsec));
		json_object_object_add(o, "from",
				       record_json_text(tcp_state_name(e->states[i].from)));
		json_object_object_add(o, "to", record_json_text(tcp_state_name(e->states[i].to)));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *retransmissions_json(const struct record_endpoint *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->n_retransmissions; i++) {
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s",
				       record_json_seconds(e->retransmissions[i].time_nsec));
		json_object_object_add(o, "rto_s",
				       record_json_seconds(e->retransmissions[i].rto_nsec));
		json_object_object_add(
			o, "reason",
			record_json_text(retransmit_reason_name(e->retransmissions[i].reason)));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *resets_json(const struct record_endpoint *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->n_resets; i++) {
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", record_json_seconds(e->resets[i].time_nsec));
		json_object_object_add(o, "direction",
				       record_json_text(e->resets[i].sent ? "sent" : "received"));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *calls_json(const struct record_endpoint *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->n_calls; i++) {
		const struct record_call *c = &e->calls[i];
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", record_json_seconds(c->time_nsec));
		json_object_object_add(o, "entered_s", record_json_seconds(c->start_nsec));
		json_object_object_add(o, "process", json_object_new_int64(c->process));
		json_object_object_add(o, "connection", json_object_new_int64(c->connection));
		json_object_object_add(o, "call", record_json_text(call_name(c->call)));
		json_object_object_add(o, "result", json_object_new_int64(c->result));
		json_object_object_add(o, "error", record_json_text(errno_name(c->error)));
		json_object_array_add(list, o);
	}
	return list;
}

const struct record_json_field record_json_info_fields[RECORD_JSON_INFO_FIELDS] = {
	{ "rto_us", offsetof(struct record_tcp_info, rto_us) },
	{ "rtt_us", offsetof(struct record_tcp_info, rtt_us) },
	{ "rttvar_us", offsetof(struct record_tcp_info, rttvar_us) },
	{ "retransmits", offsetof(struct record_tcp_info, retransmits) },
	{ "probes", offsetof(struct record_tcp_info, probes) },
	{ "backoff", offsetof(struct record_tcp_info, backoff) },
	{ "unacked", offsetof(struct record_tcp_info, unacked) },
	{ "total_retrans", offsetof(struct record_tcp_info, total_retrans) },
};

const struct record_json_field record_json_info_counters[RECORD_JSON_INFO_COUNTERS] = {
	{ "bytes_sent", offsetof(struct record_tcp_info, bytes_sent) },
	{ "bytes_acked", offsetof(struct record_tcp_info, bytes_acked) },
	{ "bytes_received", offsetof(struct record_tcp_info, bytes_received) },
};

static json_object *info_json(const struct record_tcp_info *info)
{
	const char *base = (const char *)info;
	json_object *o;

	if (!info->present)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "state", record_json_text(tcp_state_name(info->state)));
	for (size_t i = 0; i < RECORD_JSON_INFO_FIELDS; i++) {
		uint32_t value;

		memcpy(&value, base + record_json_info_fields[i].offset, sizeof(value));
		json_object_object_add(o, record_json_info_fields[i].key,
				       json_object_new_int64(value));
	}
	for (size_t i = 0; i < RECORD_JSON_INFO_COUNTERS; i++) {
		uint64_t value;

		memcpy(&value, base + record_json_info_counters[i].offset, sizeof(value));
		json_object_object_add(o, record_json_info_counters[i].key,
				       json_object_new_uint64(value));
	}
	return o;
}

static json_object *bytes_json(const struct record_endpoint *e)
{
	json_object *o;

	if (e->bytes_read < 0)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "read", json_object_new_int64(e->bytes_read));
	json_object_object_add(o, "written", json_object_new_int64(e->bytes_written));
	return o;
}

static json_object *command_json(const struct record_endpoint *e)
{
	json_object *o;

	if (!e->command_output)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(
		o, "status", e->command_status < 0 ? NULL : json_object_new_int(e->command_status));
	json_object_object_add(o, "output", record_json_text(e->command_output));
	return o;
}

static json_object *interval_json(nsec_t earliest, nsec_t latest)
{
	json_object *o;

	if (earliest == NSEC_NONE)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "earliest", record_json_seconds(earliest));
	json_object_object_add(o, "latest", record_json_seconds(latest));
	return o;
}

static json_object *endpoint_json(const struct record_endpoint *e)
{
	json_object *o = json_object_new_object(), *detection = json_object_new_object();

	json_object_object_add(detection, "kernel", record_json_seconds(e->kernel_nsec));
	json_object_object_add(detection, "application", record_json_seconds(e->application_nsec));
	json_object_object_add(detection, "wire", record_json_seconds(e->wire_nsec));
	json_object_object_add(o, "outcome", record_json_text(outcome_name(e->outcome)));
	json_object_object_add(o, "error", record_json_text(errno_name(e->error)));
	json_object_object_add(o, "mechanism", record_json_text(mechanism_name(e->mechanism)));
	json_object_object_add(o, "detection_s", detection);
	json_object_object_add(o, "gone_s", record_json_seconds(e->gone_nsec));
	json_object_object_add(o, "gone_predicted_s",
			       interval_json(e->gone_earliest_nsec, e->gone_latest_nsec));
	json_object_object_add(o, "recovered_s", record_json_seconds(e->recovered_nsec));
	json_object_object_add(o, "predicted_s", interval_json(e->earliest_nsec, e->latest_nsec));
	json_object_object_add(o, "states", states_json(e));
	json_object_object_add(o, "retransmissions", retransmissions_json(e));
	json_object_object_add(o, "resets", resets_json(e));
	json_object_object_add(o, "calls", calls_json(e));
	json_object_object_add(o, "bytes", bytes_json(e));
	json_object_object_add(o, "samples", record_json_samples(e));
	json_object_object_add(o, "population", record_json_population(e));
	json_object_object_add(o, "tcp_info", info_json(&e->tcp_info));
	json_object_object_add(o, "command", command_json(e));
	return o;
}

/* Whole numbers without a fraction: 15, not 15.0. */
static json_object *number(double value)
{
	char digits[40];

	if (value == rint(value) && fabs(value) < 9e15)
		return json_object_new_int64((int64_t)value);
	snprintf(digits, sizeof(digits), "%.9g", value);
	return json_object_new_double_s(value, digits);
}

static json_object *settings_json(const struct record *record)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < record->n_settings; i++) {
		const struct record_setting *s = &record->settings[i];

		json_object_object_add(
			o, s->key, s->is_number ? number(s->number) : record_json_text(s->text));
	}
	return o;
}

static json_object *faults_json(const struct record *record)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < record->n_faults; i++) {
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", record_json_seconds(record->faults[i].time_nsec));
		json_object_object_add(o, "took_s",
				       record_json_seconds(record->faults[i].took_nsec));
		json_object_object_add(o, "event", record_json_text(record->faults[i].what));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *failures_json(const struct record *record)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < record->n_failures; i++)
		json_object_array_add(list, record_json_text(record->failures[i]));
	return list;
}

static json_object *build(const struct record *record)
{
	json_object *o = json_object_new_object(), *endpoints = json_object_new_object();

	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		json_object_object_add(endpoints, node_name(n),
				       endpoint_json(&record->endpoint[n]));
	json_object_object_add(o, "schema", json_object_new_int(RECORD_SCHEMA));
	json_object_object_add(o, "scenario", record_json_text(record->scenario));
	json_object_object_add(o, "id", record_json_text(record->id));
	json_object_object_add(o, "variant", record_json_text(record->variant));
	json_object_object_add(o, "engine", record_json_text(record->engine));
	json_object_object_add(o, "kernel", record_json_text(record->kernel));
	json_object_object_add(o, "family", record_json_text(family_name(record->family)));
	json_object_object_add(o, "seed", json_object_new_uint64(record->seed));
	json_object_object_add(o, "repeat", json_object_new_int((int)record->repeat));
	json_object_object_add(o, "phase",
			       record->phase < 0 ? NULL : json_object_new_int64(record->phase));
	json_object_object_add(o, "settings", settings_json(record));
	json_object_object_add(o, "faults", faults_json(record));
	json_object_object_add(o, "endpoints", endpoints);
	json_object_object_add(o, "span_s", record_json_seconds(record->span_nsec));
	json_object_object_add(o, "lateness_s", record_json_seconds(record->lateness_nsec));
	json_object_object_add(o, "clock", record_json_text(record_clock_name(record->clock)));
	json_object_object_add(o, "lost", json_object_new_uint64(record->lost));
	json_object_object_add(o, "verdict",
			       record_json_text(record_passed(record) ? "pass" : "fail"));
	json_object_object_add(o, "failures", failures_json(record));
	json_object_object_add(o, "trace", trace_to_json(&record->trace));
	return o;
}

char *record_to_json(const struct record *record)
{
	json_object *o = build(record);
	const char *line = o ? json_object_to_json_string_ext(
				       o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
			     : NULL;
	char *copy = line ? strdup(line) : NULL;

	json_object_put(o);
	return copy;
}
