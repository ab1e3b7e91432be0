/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "netns/sockdiag.h"
#include "netns/tcp-state.h"
#include "src/agent.h"
#include "src/record.h"

/*
 * The JSON of a record. Numbers of seconds are written with six decimals, as integers of
 * microseconds would be, so that the same record is the same bytes everywhere. json-c reports no
 * out-of-memory in its getters and setters that we could act on; what it builds is checked once,
 * at the end.
 */

static json_object *text(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

static json_object *seconds(nsec_t t)
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

		json_object_object_add(o, "t_s", seconds(e->states[i].time_nsec));
		json_object_object_add(o, "from", text(sockdiag_state_name(e->states[i].from)));
		json_object_object_add(o, "to", text(sockdiag_state_name(e->states[i].to)));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *retransmissions_json(const struct record_endpoint *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->n_retransmissions; i++) {
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", seconds(e->retransmissions[i].time_nsec));
		json_object_object_add(o, "rto_s", seconds(e->retransmissions[i].rto_nsec));
		json_object_object_add(o, "reason", text(e->retransmissions[i].reason));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *resets_json(const struct record_endpoint *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->n_resets; i++) {
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", seconds(e->resets[i].time_nsec));
		json_object_object_add(o, "direction",
				       text(e->resets[i].sent ? "sent" : "received"));
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

		json_object_object_add(o, "t_s", seconds(c->time_nsec));
		json_object_object_add(o, "entered_s", seconds(c->start_nsec));
		json_object_object_add(o, "call", text(c->name));
		json_object_object_add(o, "result", json_object_new_int64(c->result));
		json_object_object_add(o, "error", text(c->error));
		json_object_array_add(list, o);
	}
	return list;
}

/* One line a field: used to write and to read. */
static const struct {
	const char *key;
	size_t offset;
} info_fields[] = {
	{ "rto_us", offsetof(struct record_tcp_info, rto_us) },
	{ "rtt_us", offsetof(struct record_tcp_info, rtt_us) },
	{ "rttvar_us", offsetof(struct record_tcp_info, rttvar_us) },
	{ "retransmits", offsetof(struct record_tcp_info, retransmits) },
	{ "probes", offsetof(struct record_tcp_info, probes) },
	{ "backoff", offsetof(struct record_tcp_info, backoff) },
	{ "unacked", offsetof(struct record_tcp_info, unacked) },
	{ "total_retrans", offsetof(struct record_tcp_info, total_retrans) },
}, info_counters[] = {
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
	json_object_object_add(o, "state", text(sockdiag_state_name(info->state)));
	for (size_t i = 0; i < ARRAY_SIZE(info_fields); i++) {
		uint32_t value;

		memcpy(&value, base + info_fields[i].offset, sizeof(value));
		json_object_object_add(o, info_fields[i].key, json_object_new_int64(value));
	}
	for (size_t i = 0; i < ARRAY_SIZE(info_counters); i++) {
		uint64_t value;

		memcpy(&value, base + info_counters[i].offset, sizeof(value));
		json_object_object_add(o, info_counters[i].key, json_object_new_uint64(value));
	}
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
	json_object_object_add(o, "output", text(e->command_output));
	return o;
}

static json_object *endpoint_json(const struct record_endpoint *e)
{
	json_object *o = json_object_new_object(), *detection = json_object_new_object();
	json_object *predicted = NULL;

	json_object_object_add(detection, "kernel", seconds(e->kernel_nsec));
	json_object_object_add(detection, "application", seconds(e->application_nsec));
	json_object_object_add(detection, "wire", seconds(e->wire_nsec));
	if (e->earliest_nsec != NSEC_NONE) {
		predicted = json_object_new_object();
		json_object_object_add(predicted, "earliest", seconds(e->earliest_nsec));
		json_object_object_add(predicted, "latest", seconds(e->latest_nsec));
	}
	json_object_object_add(o, "outcome", text(outcome_name(e->outcome)));
	json_object_object_add(o, "error", text(e->error));
	json_object_object_add(o, "mechanism", text(mechanism_name(e->mechanism)));
	json_object_object_add(o, "detection_s", detection);
	json_object_object_add(o, "recovered_s", seconds(e->recovered_nsec));
	json_object_object_add(o, "predicted_s", predicted);
	json_object_object_add(o, "states", states_json(e));
	json_object_object_add(o, "retransmissions", retransmissions_json(e));
	json_object_object_add(o, "resets", resets_json(e));
	json_object_object_add(o, "calls", calls_json(e));
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

		json_object_object_add(o, s->key, s->is_number ? number(s->number) : text(s->text));
	}
	return o;
}

static json_object *faults_json(const struct record *record)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < record->n_faults; i++) {
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", seconds(record->faults[i].time_nsec));
		json_object_object_add(o, "took_s", seconds(record->faults[i].took_nsec));
		json_object_object_add(o, "event", text(record->faults[i].what));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *failures_json(const struct record *record)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < record->n_failures; i++)
		json_object_array_add(list, text(record->failures[i]));
	return list;
}

static json_object *build(const struct record *record)
{
	json_object *o = json_object_new_object(), *endpoints = json_object_new_object();

	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		json_object_object_add(endpoints, node_name(n),
				       endpoint_json(&record->endpoint[n]));
	json_object_object_add(o, "schema", json_object_new_int(RECORD_SCHEMA));
	json_object_object_add(o, "scenario", text(record->scenario));
	json_object_object_add(o, "id", text(record->id));
	json_object_object_add(o, "variant", text(record->variant));
	json_object_object_add(o, "engine", text(record->engine));
	json_object_object_add(o, "kernel", text(record->kernel));
	json_object_object_add(o, "family", text(family_name(record->family)));
	json_object_object_add(o, "seed", json_object_new_uint64(record->seed));
	json_object_object_add(o, "repeat", json_object_new_int((int)record->repeat));
	json_object_object_add(o, "phase",
			       record->phase < 0 ? NULL : json_object_new_int64(record->phase));
	json_object_object_add(o, "settings", settings_json(record));
	json_object_object_add(o, "faults", faults_json(record));
	json_object_object_add(o, "endpoints", endpoints);
	json_object_object_add(o, "span_s", seconds(record->span_nsec));
	json_object_object_add(o, "lateness_s", seconds(record->lateness_nsec));
	json_object_object_add(o, "clock", text(record->clock));
	json_object_object_add(o, "lost", json_object_new_uint64(record->lost));
	json_object_object_add(o, "verdict", text(record_passed(record) ? "pass" : "fail"));
	json_object_object_add(o, "failures", failures_json(record));
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

/* Reading: `missing` remembers the first key that was not as record_to_json() writes it. */
struct reader {
	const char *missing;
};

static json_object *get(struct reader *reader, json_object *o, const char *key)
{
	json_object *value = NULL;

	if (!json_object_object_get_ex(o, key, &value) && !reader->missing)
		reader->missing = key;
	return value;
}

static char *get_text(struct reader *reader, json_object *o, const char *key)
{
	json_object *value = get(reader, o, key);

	return value ? strdup(json_object_get_string(value)) : NULL;
}

static nsec_t get_seconds(struct reader *reader, json_object *o, const char *key)
{
	json_object *value = get(reader, o, key);

	if (!value)
		return NSEC_NONE;
	return (nsec_t)llrint(json_object_get_double(value) * 1e6) * NSEC_PER_USEC;
}

static int get_state(struct reader *reader, json_object *o, const char *key)
{
	json_object *value = get(reader, o, key);
	const char *name = value ? json_object_get_string(value) : "";

	for (int i = 1; i < _TCP_STATE_MAX; i++)
		if (sockdiag_state_name(i) && !strcmp(sockdiag_state_name(i), name))
			return i;
	return TCP_STATE_NONE;
}

/* errno and call names live as long as the program: they are looked up, not copied. */
static const char *get_errno_name(struct reader *reader, json_object *o, const char *key)
{
	json_object *value = get(reader, o, key);

	for (int e = 1; value && e < 256; e++) {
		const char *name = strerrorname_np(e);

		if (name && !strcmp(name, json_object_get_string(value)))
			return name;
	}
	return NULL;
}

static size_t length(json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static const char *known(json_object *value, const char *const *names, size_t n)
{
	for (size_t i = 0; value && i < n; i++)
		if (!strcmp(json_object_get_string(value), names[i]))
			return names[i];
	return NULL;
}

static void read_states(struct reader *reader, json_object *list, struct record_endpoint *e)
{
	for (size_t i = 0; i < length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_state *s = record_append(&e->states, &e->n_states, sizeof(*s));

		if (!s)
			return;
		s->time_nsec = get_seconds(reader, o, "t_s");
		s->from = get_state(reader, o, "from");
		s->to = get_state(reader, o, "to");
	}
}

static void read_retransmissions(struct reader *reader, json_object *list,
				 struct record_endpoint *e)
{
	static const char *const reasons[] = { "rto", "loss-probe", "fast" };

	for (size_t i = 0; i < length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_retransmission *r =
			record_append(&e->retransmissions, &e->n_retransmissions, sizeof(*r));

		if (!r)
			return;
		r->time_nsec = get_seconds(reader, o, "t_s");
		r->rto_nsec = get_seconds(reader, o, "rto_s");
		r->reason = known(get(reader, o, "reason"), reasons, ARRAY_SIZE(reasons));
	}
}

static void read_resets(struct reader *reader, json_object *list, struct record_endpoint *e)
{
	for (size_t i = 0; i < length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_reset *r = record_append(&e->resets, &e->n_resets, sizeof(*r));
		json_object *direction = get(reader, o, "direction");

		if (!r)
			return;
		r->time_nsec = get_seconds(reader, o, "t_s");
		r->sent = direction && !strcmp(json_object_get_string(direction), "sent");
	}
}

static const char *call_name(json_object *value)
{
	for (enum agent_call c = 0; value && c < _AGENT_CALL_MAX; c++)
		if (!strcmp(agent_call_name(c), json_object_get_string(value)))
			return agent_call_name(c);
	return NULL;
}

static void read_calls(struct reader *reader, json_object *list, struct record_endpoint *e)
{
	for (size_t i = 0; i < length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_call *c = record_append(&e->calls, &e->n_calls, sizeof(*c));

		if (!c)
			return;
		c->time_nsec = get_seconds(reader, o, "t_s");
		c->start_nsec = get_seconds(reader, o, "entered_s");
		c->name = call_name(get(reader, o, "call"));
		c->result = json_object_get_int64(get(reader, o, "result"));
		c->error = get_errno_name(reader, o, "error");
	}
}

static void read_info(struct reader *reader, json_object *o, struct record_tcp_info *info)
{
	char *base = (char *)info;

	if (!o)
		return;
	info->present = true;
	info->state = get_state(reader, o, "state");
	for (size_t i = 0; i < ARRAY_SIZE(info_fields); i++) {
		uint32_t v = (uint32_t)json_object_get_int64(get(reader, o, info_fields[i].key));

		memcpy(base + info_fields[i].offset, &v, sizeof(v));
	}
	for (size_t i = 0; i < ARRAY_SIZE(info_counters); i++) {
		uint64_t v = json_object_get_uint64(get(reader, o, info_counters[i].key));

		memcpy(base + info_counters[i].offset, &v, sizeof(v));
	}
}

static void read_command(struct reader *reader, json_object *o, struct record_endpoint *e)
{
	json_object *status;

	e->command_status = -1;
	if (!o)
		return;
	e->command_output = get_text(reader, o, "output");
	status = get(reader, o, "status");
	if (status)
		e->command_status = json_object_get_int(status);
}

static int lookup(json_object *value, int (*from_name)(const char *name))
{
	int found = value ? from_name(json_object_get_string(value)) : 0;

	return found < 0 ? 0 : found;
}

static void read_endpoint(struct reader *reader, json_object *o, struct record_endpoint *e)
{
	json_object *detection = get(reader, o, "detection_s"), *predicted;

	e->outcome = (enum outcome)lookup(get(reader, o, "outcome"), outcome_from_name);
	e->mechanism = (enum mechanism)lookup(get(reader, o, "mechanism"), mechanism_from_name);
	e->error = get_errno_name(reader, o, "error");
	e->kernel_nsec = get_seconds(reader, detection, "kernel");
	e->application_nsec = get_seconds(reader, detection, "application");
	e->wire_nsec = get_seconds(reader, detection, "wire");
	e->recovered_nsec = get_seconds(reader, o, "recovered_s");
	predicted = get(reader, o, "predicted_s");
	e->earliest_nsec = predicted ? get_seconds(reader, predicted, "earliest") : NSEC_NONE;
	e->latest_nsec = predicted ? get_seconds(reader, predicted, "latest") : NSEC_NONE;
	read_states(reader, get(reader, o, "states"), e);
	read_retransmissions(reader, get(reader, o, "retransmissions"), e);
	read_resets(reader, get(reader, o, "resets"), e);
	read_calls(reader, get(reader, o, "calls"), e);
	read_info(reader, get(reader, o, "tcp_info"), &e->tcp_info);
	read_command(reader, get(reader, o, "command"), e);
}

static void read_settings(json_object *o, struct record *record)
{
	struct json_object_iterator i, end;

	if (!json_object_is_type(o, json_type_object))
		return;
	i = json_object_iter_begin(o);
	end = json_object_iter_end(o);
	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		json_object *value = json_object_iter_peek_value(&i);
		struct record_setting *s =
			record_append(&record->settings, &record->n_settings, sizeof(*s));

		if (!s)
			return;
		s->key = strdup(json_object_iter_peek_name(&i));
		s->text = strdup(json_object_get_string(value));
		s->is_number = !json_object_is_type(value, json_type_string);
		s->number = s->is_number ? json_object_get_double(value) : 0;
	}
}

static void read_lists(struct reader *reader, json_object *o, struct record *record)
{
	json_object *faults = get(reader, o, "faults"), *failures = get(reader, o, "failures");

	for (size_t i = 0; i < length(faults); i++) {
		json_object *fault = json_object_array_get_idx(faults, i);
		struct record_fault *f =
			record_append(&record->faults, &record->n_faults, sizeof(*f));

		if (!f)
			return;
		f->time_nsec = get_seconds(reader, fault, "t_s");
		f->took_nsec = get_seconds(reader, fault, "took_s");
		f->what = get_text(reader, fault, "event");
	}
	for (size_t i = 0; i < length(failures); i++)
		record_fail(record, "%s",
			    json_object_get_string(json_object_array_get_idx(failures, i)));
}

static void read_record(struct reader *reader, json_object *o, struct record *record)
{
	json_object *endpoints = get(reader, o, "endpoints"), *phase = get(reader, o, "phase");

	record->scenario = get_text(reader, o, "scenario");
	record->id = get_text(reader, o, "id");
	record->variant = get_text(reader, o, "variant");
	record->engine = get_text(reader, o, "engine");
	record->kernel = get_text(reader, o, "kernel");
	record->family = (enum family)lookup(get(reader, o, "family"), family_from_name);
	record->seed = json_object_get_uint64(get(reader, o, "seed"));
	record->repeat = (unsigned int)json_object_get_int(get(reader, o, "repeat"));
	record->phase = phase ? json_object_get_int64(phase) : -1;
	record->lateness_nsec = get_seconds(reader, o, "lateness_s");
	record->clock = get_text(reader, o, "clock");
	record->lost = json_object_get_uint64(get(reader, o, "lost"));
	record->span_nsec = get_seconds(reader, o, "span_s");
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		read_endpoint(reader, get(reader, endpoints, node_name(n)), &record->endpoint[n]);
	read_settings(get(reader, o, "settings"), record);
	read_lists(reader, o, record);
}

int record_from_json(const char *json, struct record **ret_record, struct error *err)
{
	_cleanup_(record_freep) struct record *record = calloc(1, sizeof(*record));
	json_object *o = json_tokener_parse(json);
	struct reader reader = { 0 };

	if (!record || !o) {
		json_object_put(o);
		return error_set(err, ERROR_FAILED, -EBADMSG, "record: not a line of JSON");
	}
	read_record(&reader, o, record);
	json_object_put(o);
	if (reader.missing)
		return error_set(err, ERROR_FAILED, -EBADMSG, "record: '%s' is missing",
				 reader.missing);
	*ret_record = take_ptr(record);
	return 0;
}
