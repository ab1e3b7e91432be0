/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON of a record, read back: what json-write.c writes and nothing else. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "src/record/json-trace.h"
#include "src/record/json.h"
#include "src/scenario/call.h"
#include "src/tcp/state.h"
#include "src/util/array.h"

json_object *record_json_get(struct record_reader *reader, json_object *o, const char *key)
{
	json_object *value = NULL;

	if (!json_object_object_get_ex(o, key, &value) && !reader->missing)
		reader->missing = key;
	return value;
}

static char *get_text(struct record_reader *reader, json_object *o, const char *key)
{
	json_object *value = record_json_get(reader, o, key);

	return value ? strdup(json_object_get_string(value)) : NULL;
}

nsec_t record_json_get_seconds(struct record_reader *reader, json_object *o, const char *key)
{
	json_object *value = record_json_get(reader, o, key);

	if (!value)
		return NSEC_NONE;
	return (nsec_t)llrint(json_object_get_double(value) * 1e6) * NSEC_PER_USEC;
}

int record_json_get_state(struct record_reader *reader, json_object *o, const char *key)
{
	json_object *value = record_json_get(reader, o, key);
	const char *name = value ? json_object_get_string(value) : "";

	for (int i = 1; i < _TCP_STATE_MAX; i++)
		if (tcp_state_name(i) && !strcmp(tcp_state_name(i), name))
			return i;
	return TCP_STATE_NONE;
}

static int get_errno(struct record_reader *reader, json_object *o, const char *key)
{
	json_object *value = record_json_get(reader, o, key);

	return value ? errno_from_name(json_object_get_string(value)) : 0;
}

static int lookup(json_object *value, int (*from_name)(const char *name))
{
	int found = value ? from_name(json_object_get_string(value)) : 0;

	return found < 0 ? 0 : found;
}

static size_t length(json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static void read_states(struct record_reader *reader, json_object *list, struct record_endpoint *e)
{
	for (size_t i = 0; i < length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_state *s = array_append(&e->states, &e->n_states, sizeof(*s));

		if (!s)
			return;
		s->time_nsec = record_json_get_seconds(reader, o, "t_s");
		s->from = record_json_get_state(reader, o, "from");
		s->to = record_json_get_state(reader, o, "to");
	}
}

static void read_retransmissions(struct record_reader *reader, json_object *list,
				 struct record_endpoint *e)
{
	for (size_t i = 0; i < length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_retransmission *r =
			array_append(&e->retransmissions, &e->n_retransmissions, sizeof(*r));

		if (!r)
			return;
		r->time_nsec = record_json_get_seconds(reader, o, "t_s");
		r->rto_nsec = record_json_get_seconds(reader, o, "rto_s");
		r->reason = (enum retransmit_reason)lookup(record_json_get(reader, o, "reason"),
							   retransmit_reason_from_name);
	}
}

static void read_resets(struct record_reader *reader, json_object *list, struct record_endpoint *e)
{
	for (size_t i = 0; i < length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_reset *r = array_append(&e->resets, &e->n_resets, sizeof(*r));
		json_object *direction = record_json_get(reader, o, "direction");

		if (!r)
			return;
		r->time_nsec = record_json_get_seconds(reader, o, "t_s");
		r->sent = direction && !strcmp(json_object_get_string(direction), "sent");
	}
}

static void read_calls(struct record_reader *reader, json_object *list, struct record_endpoint *e)
{
	for (size_t i = 0; i < length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_call *c = array_append(&e->calls, &e->n_calls, sizeof(*c));

		if (!c)
			return;
		c->time_nsec = record_json_get_seconds(reader, o, "t_s");
		c->start_nsec = record_json_get_seconds(reader, o, "entered_s");
		c->process =
			(unsigned int)json_object_get_int64(record_json_get(reader, o, "process"));
		c->connection = (unsigned int)json_object_get_int64(
			record_json_get(reader, o, "connection"));
		c->call =
			(enum agent_call)lookup(record_json_get(reader, o, "call"), call_from_name);
		c->result = json_object_get_int64(record_json_get(reader, o, "result"));
		c->error = get_errno(reader, o, "error");
	}
}

static void read_info(struct record_reader *reader, json_object *o, struct record_tcp_info *info)
{
	char *base = (char *)info;

	if (!o)
		return;
	info->present = true;
	info->state = record_json_get_state(reader, o, "state");
	for (size_t i = 0; i < RECORD_JSON_INFO_FIELDS; i++) {
		uint32_t v = (uint32_t)json_object_get_int64(
			record_json_get(reader, o, record_json_info_fields[i].key));

		memcpy(base + record_json_info_fields[i].offset, &v, sizeof(v));
	}
	for (size_t i = 0; i < RECORD_JSON_INFO_COUNTERS; i++) {
		uint64_t v = json_object_get_uint64(
			record_json_get(reader, o, record_json_info_counters[i].key));

		memcpy(base + record_json_info_counters[i].offset, &v, sizeof(v));
	}
}

static void read_bytes(struct record_reader *reader, json_object *o, struct record_endpoint *e)
{
	e->bytes_read = o ? json_object_get_int64(record_json_get(reader, o, "read")) : -1;
	e->bytes_written = o ? json_object_get_int64(record_json_get(reader, o, "written")) : -1;
}

static void read_command(struct record_reader *reader, json_object *o, struct record_endpoint *e)
{
	json_object *status;

	e->command_status = -1;
	if (!o)
		return;
	e->command_output = get_text(reader, o, "output");
	status = record_json_get(reader, o, "status");
	if (status)
		e->command_status = json_object_get_int(status);
}

static void read_interval(struct record_reader *reader, json_object *o, nsec_t *ret_earliest,
			  nsec_t *ret_latest)
{
	*ret_earliest = o ? record_json_get_seconds(reader, o, "earliest") : NSEC_NONE;
	*ret_latest = o ? record_json_get_seconds(reader, o, "latest") : NSEC_NONE;
}

static void read_endpoint(struct record_reader *reader, json_object *o, struct record_endpoint *e)
{
	json_object *detection = record_json_get(reader, o, "detection_s"), *predicted;

	e->outcome = (enum outcome)lookup(record_json_get(reader, o, "outcome"), outcome_from_name);
	e->mechanism = (enum mechanism)lookup(record_json_get(reader, o, "mechanism"),
					      mechanism_from_name);
	e->error = get_errno(reader, o, "error");
	e->kernel_nsec = record_json_get_seconds(reader, detection, "kernel");
	e->application_nsec = record_json_get_seconds(reader, detection, "application");
	e->wire_nsec = record_json_get_seconds(reader, detection, "wire");
	e->gone_nsec = record_json_get_seconds(reader, o, "gone_s");
	e->recovered_nsec = record_json_get_seconds(reader, o, "recovered_s");
	predicted = record_json_get(reader, o, "predicted_s");
	read_interval(reader, predicted, &e->earliest_nsec, &e->latest_nsec);
	read_interval(reader, record_json_get(reader, o, "gone_predicted_s"),
		      &e->gone_earliest_nsec, &e->gone_latest_nsec);
	read_states(reader, record_json_get(reader, o, "states"), e);
	read_retransmissions(reader, record_json_get(reader, o, "retransmissions"), e);
	read_resets(reader, record_json_get(reader, o, "resets"), e);
	read_calls(reader, record_json_get(reader, o, "calls"), e);
	read_bytes(reader, record_json_get(reader, o, "bytes"), e);
	record_json_read_samples(reader, record_json_get(reader, o, "samples"), e);
	record_json_read_population(reader, record_json_get(reader, o, "population"), e);
	read_info(reader, record_json_get(reader, o, "tcp_info"), &e->tcp_info);
	read_command(reader, record_json_get(reader, o, "command"), e);
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
			array_append(&record->settings, &record->n_settings, sizeof(*s));

		if (!s)
			return;
		s->key = strdup(json_object_iter_peek_name(&i));
		s->text = strdup(json_object_get_string(value));
		s->is_number = !json_object_is_type(value, json_type_string);
		s->number = s->is_number ? json_object_get_double(value) : 0;
	}
}

static void read_lists(struct record_reader *reader, json_object *o, struct record *record)
{
	json_object *faults = record_json_get(reader, o, "faults"),
		    *failures = record_json_get(reader, o, "failures");

	for (size_t i = 0; i < length(faults); i++) {
		json_object *fault = json_object_array_get_idx(faults, i);
		struct record_fault *f =
			array_append(&record->faults, &record->n_faults, sizeof(*f));

		if (!f)
			return;
		f->time_nsec = record_json_get_seconds(reader, fault, "t_s");
		f->took_nsec = record_json_get_seconds(reader, fault, "took_s");
		f->what = get_text(reader, fault, "event");
	}
	for (size_t i = 0; i < length(failures); i++)
		record_fail(record, "%s",
			    json_object_get_string(json_object_array_get_idx(failures, i)));
}

static void read_record(struct record_reader *reader, json_object *o, struct record *record)
{
	json_object *endpoints = record_json_get(reader, o, "endpoints"),
		    *phase = record_json_get(reader, o, "phase");

	record->scenario = get_text(reader, o, "scenario");
	record->id = get_text(reader, o, "id");
	record->variant = get_text(reader, o, "variant");
	record->engine = get_text(reader, o, "engine");
	record->kernel = get_text(reader, o, "kernel");
	record->family =
		(enum family)lookup(record_json_get(reader, o, "family"), family_from_name);
	record->seed = json_object_get_uint64(record_json_get(reader, o, "seed"));
	record->repeat = (unsigned int)json_object_get_int(record_json_get(reader, o, "repeat"));
	record->phase = phase ? json_object_get_int64(phase) : -1;
	record->lateness_nsec = record_json_get_seconds(reader, o, "lateness_s");
	record->clock = (enum record_clock)lookup(record_json_get(reader, o, "clock"),
						  record_clock_from_name);
	record->lost = json_object_get_uint64(record_json_get(reader, o, "lost"));
	record->span_nsec = record_json_get_seconds(reader, o, "span_s");
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		read_endpoint(reader, record_json_get(reader, endpoints, node_name(n)),
			      &record->endpoint[n]);
	read_settings(record_json_get(reader, o, "settings"), record);
	read_lists(reader, o, record);
	trace_from_json(reader, record_json_get(reader, o, "trace"), &record->trace);
}

int record_from_json(const char *json, struct record **ret_record, struct error *err)
{
	_cleanup_(record_freep) struct record *record = calloc(1, sizeof(*record));
	json_object *o = json_tokener_parse(json);
	struct record_reader reader = { 0 };

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
