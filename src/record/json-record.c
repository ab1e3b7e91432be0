/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of a record's JSON keys, and the functions that write and read a record by them. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio_ext.h>
#include <string.h>

#include "src/record/json-trace.h"
#include "src/record/json.h"
#include "src/record/record.h"
#include "src/util/array.h"

static const char *const reset_texts[] = { "received", "sent" };
static const struct names directions = { reset_texts, ARRAY_SIZE(reset_texts) };

static const struct json_field state_fields[] = {
	{ JSON_ROW(SECONDS, record_state, time_nsec, "t_s") },
	{ JSON_ROW(NAME, record_state, from, "from"), .names = &tcp_state_names },
	{ JSON_ROW(NAME, record_state, to, "to"), .names = &tcp_state_names },
};
static const struct json_table state = JSON_TABLE(record_state, state_fields);

static const struct json_field retransmission_fields[] = {
	{ JSON_ROW(SECONDS, record_retransmission, time_nsec, "t_s") },
	{ JSON_ROW(SECONDS, record_retransmission, rto_nsec, "rto_s") },
	{ JSON_ROW(NAME, record_retransmission, reason, "reason"),
	  .names = &retransmit_reason_names },
};
static const struct json_table retransmission =
	JSON_TABLE(record_retransmission, retransmission_fields);

static const struct json_field reset_fields[] = {
	{ JSON_ROW(SECONDS, record_reset, time_nsec, "t_s") },
	{ JSON_ROW(NAME, record_reset, sent, "direction"), .names = &directions },
};
static const struct json_table reset = JSON_TABLE(record_reset, reset_fields);

static const struct json_field call_fields[] = {
	{ JSON_ROW(SECONDS, record_call, time_nsec, "t_s") },
	{ JSON_ROW(SECONDS, record_call, start_nsec, "entered_s") },
	{ JSON_ROW(COUNT, record_call, process, "process") },
	{ JSON_ROW(COUNT, record_call, connection, "connection") },
	{ JSON_ROW(NAME, record_call, call, "call"), .names = &call_names },
	{ JSON_ROW(NUMBER, record_call, result, "result") },
	{ JSON_ROW(ERRNO, record_call, error, "error") },
};
static const struct json_table call = JSON_TABLE(record_call, call_fields);

static const struct json_field bytes_fields[] = {
	{ JSON_ROW(NATURAL, record_endpoint, bytes_read, "read"), .decides = true },
	{ JSON_ROW(NATURAL, record_endpoint, bytes_written, "written") },
};
static const struct json_table bytes = JSON_TABLE(record_endpoint, bytes_fields);

static const struct json_field open_fields[] = {
	{ JSON_ROW(SOME_COUNTS, record_sample, open, NULL), .names = &tcp_state_names,
	  .decides = true },
};
static const struct json_table open = JSON_TABLE(record_sample, open_fields);

static const struct json_field sample_fields[] = {
	{ JSON_ROW(SECONDS, record_sample, time_nsec, "t_s") },
	{ JSON_ROW(NAME, record_sample, state, "state"), .names = &tcp_state_names },
	{ JSON_ROW(COUNT, record_sample, send_queue, "send_q") },
	{ JSON_ROW(COUNT, record_sample, receive_queue, "recv_q") },
	{ JSON_ROW(NAME, record_sample, timer, "timer"), .names = &tcp_timer_names },
	{ JSON_ROW(SECONDS, record_sample, expires_nsec, "expires_s") },
	{ JSON_ROW(COUNT, record_sample, retransmits, "retransmits") },
	{ JSON_ROW(COUNT, record_sample, probes, "probes") },
	{ JSON_ROW(COUNT, record_sample, backoff, "backoff") },
	{ JSON_PART(OBJECT, "open", open) },
};
static const struct json_table sample = JSON_TABLE(record_sample, sample_fields);

/* Each record has the outcomes that there were from the beginning; those that came later have a key
 * only where there are some, so that older records are read, too. */
static const char *const later_outcome_texts[_OUTCOME_MAX] = { [OUTCOME_ABANDONED] = "abandoned" };
static const struct names later_outcomes = { later_outcome_texts, _OUTCOME_MAX };
static const char *const first_outcome_texts[OUTCOME_ABANDONED] = {
	[OUTCOME_CLOSED] = "closed",	   [OUTCOME_RESET] = "reset",
	[OUTCOME_TIMED_OUT] = "timed-out", [OUTCOME_UNREACHABLE] = "unreachable",
	[OUTCOME_SURVIVED] = "survived",   [OUTCOME_UNDETECTED] = "undetected",
	[OUTCOME_REFUSED] = "refused",
};
static const struct names first_outcomes = { first_outcome_texts, OUTCOME_ABANDONED };

static const struct json_field population_fields[] = {
	{ JSON_ROW(COUNT, record_population, connections, "connections"), .decides = true },
	{ JSON_ROW(COUNTS, record_population, outcome, NULL), .names = &first_outcomes },
	{ JSON_ROW(SOME_COUNTS, record_population, outcome, NULL), .names = &later_outcomes },
	{ JSON_ROW(SECONDS, record_population, first_nsec, "first_s") },
	{ JSON_ROW(SECONDS, record_population, last_nsec, "last_s") },
};
static const struct json_table population = JSON_TABLE(record_population, population_fields);

static const struct json_field info_fields[] = {
	{ JSON_ROW(PRESENT, record_tcp_info, present, NULL), .decides = true },
	{ JSON_ROW(NAME, record_tcp_info, state, "state"), .names = &tcp_state_names },
	{ JSON_ROW(COUNT, record_tcp_info, rto_us, "rto_us") },
	{ JSON_ROW(COUNT, record_tcp_info, rtt_us, "rtt_us") },
	{ JSON_ROW(COUNT, record_tcp_info, rttvar_us, "rttvar_us") },
	{ JSON_ROW(COUNT, record_tcp_info, retransmits, "retransmits") },
	{ JSON_ROW(COUNT, record_tcp_info, probes, "probes") },
	{ JSON_ROW(COUNT, record_tcp_info, backoff, "backoff") },
	{ JSON_ROW(COUNT, record_tcp_info, unacked, "unacked") },
	{ JSON_ROW(COUNT, record_tcp_info, total_retrans, "total_retrans") },
	{ JSON_ROW(COUNT, record_tcp_info, bytes_sent, "bytes_sent") },
	{ JSON_ROW(COUNT, record_tcp_info, bytes_acked, "bytes_acked") },
	{ JSON_ROW(COUNT, record_tcp_info, bytes_received, "bytes_received") },
};
static const struct json_table info = JSON_TABLE(record_tcp_info, info_fields);

static const char *const switch_texts[] = { "off", "on" };
static const struct names switches = { switch_texts, ARRAY_SIZE(switch_texts) };

static const struct json_field options_fields[] = {
	{ JSON_ROW(PRESENT, socket_options, present, NULL), .decides = true },
	{ JSON_ROW(NAME, socket_options, keepalive, "keepalive"), .names = &switches },
	{ JSON_ROW(SECONDS, socket_options, keepalive_idle_nsec, "keepalive_idle_s") },
	{ JSON_ROW(SECONDS, socket_options, keepalive_interval_nsec, "keepalive_interval_s") },
	{ JSON_ROW(NATURAL, socket_options, keepalive_count, "keepalive_count") },
	{ JSON_ROW(SECONDS, socket_options, user_timeout_nsec, "user_timeout_s") },
	{ JSON_ROW(NAME, socket_options, nodelay, "nodelay"), .names = &switches },
	{ JSON_ROW(SECONDS, socket_options, linger_nsec, "linger_s") },
	{ JSON_ROW(NATURAL, socket_options, send_buffer, "send_buffer") },
	{ JSON_ROW(NATURAL, socket_options, receive_buffer, "receive_buffer") },
};
static const struct json_table options = JSON_TABLE(socket_options, options_fields);

static const struct json_field command_fields[] = {
	{ JSON_ROW(NATURAL, record_endpoint, command_status, "status") },
	{ JSON_ROW(NATURAL, record_endpoint, command_exit, "exit") },
	{ JSON_ROW(NATURAL, record_endpoint, command_signal, "signal") },
	{ JSON_ROW(TEXT, record_endpoint, command_output, "output"), .decides = true },
};
static const struct json_table command = JSON_TABLE(record_endpoint, command_fields);

static const struct json_field connection_fields[] = {
	{ JSON_ROW(TEXT, record_endpoint, local, "local"), .decides = true },
	{ JSON_ROW(TEXT, record_endpoint, peer, "peer") },
};
static const struct json_table connection = JSON_TABLE(record_endpoint, connection_fields);

static const struct json_field follow_fields[] = {
	{ JSON_ROW(COUNT, record, follow_number, "number"), .decides = true },
	{ JSON_ROW(COUNT, record, follow_tried, "tried") },
	{ JSON_ROW(COUNT, record, follow_left_out, "left_out"), .optional = true },
};
static const struct json_table follow = JSON_TABLE(record, follow_fields);

static const struct json_field detection_fields[] = {
	{ JSON_ROW(SECONDS, record_endpoint, kernel_nsec, "kernel") },
	{ JSON_ROW(SECONDS, record_endpoint, application_nsec, "application") },
	{ JSON_ROW(SECONDS, record_endpoint, wire_nsec, "wire") },
};
static const struct json_table detection = JSON_TABLE(record_endpoint, detection_fields);

static const struct json_field gone_predicted_fields[] = {
	{ JSON_ROW(SECONDS, record_endpoint, gone_earliest_nsec, "earliest"), .decides = true },
	{ JSON_ROW(SECONDS, record_endpoint, gone_latest_nsec, "latest") },
};
static const struct json_table gone_predicted = JSON_TABLE(record_endpoint, gone_predicted_fields);

static const struct json_field predicted_fields[] = {
	{ JSON_ROW(SECONDS, record_endpoint, earliest_nsec, "earliest"), .decides = true },
	{ JSON_ROW(SECONDS, record_endpoint, latest_nsec, "latest") },
};
static const struct json_table predicted = JSON_TABLE(record_endpoint, predicted_fields);

static const struct json_field possible_fields[] = {
	{ JSON_ROW(SECONDS, record_endpoint, possible_earliest_nsec, "earliest"), .decides = true },
	{ JSON_ROW(SECONDS, record_endpoint, possible_latest_nsec, "latest") },
};
static const struct json_table possible = JSON_TABLE(record_endpoint, possible_fields);

static const struct json_field endpoint_fields[] = {
	{ JSON_ROW(NAME, record_endpoint, outcome, "outcome"), .names = &outcome_names },
	{ JSON_ROW(ERRNO, record_endpoint, error, "error") },
	{ JSON_PART(OBJECT, "connection", connection), .optional = true },
	{ JSON_ROW(NAME, record_endpoint, mechanism, "mechanism"), .names = &mechanism_names },
	{ JSON_PART(OBJECT, "detection_s", detection) },
	{ JSON_ROW(SECONDS, record_endpoint, gone_nsec, "gone_s") },
	{ JSON_ROW(SECONDS, record_endpoint, gone_blind_nsec, "gone_blind_s"), .optional = true },
	{ JSON_PART(OBJECT, "gone_predicted_s", gone_predicted) },
	{ JSON_ROW(TEXT, record_endpoint, gone_unpredicted, "gone_unpredicted"), .optional = true },
	{ JSON_ROW(SECONDS, record_endpoint, recovered_nsec, "recovered_s") },
	{ JSON_ROW(NAME, record_endpoint, recovered_by, "recovered_by"), .names = &recovery_names,
	  .optional = true },
	{ JSON_PART(OBJECT, "predicted_s", predicted) },
	{ JSON_ROW(TEXT, record_endpoint, unpredicted, "unpredicted"), .optional = true },
	{ JSON_PART(OBJECT, "possible_s", possible), .optional = true },
	{ JSON_LIST_ROW(record_endpoint, states, "states", state) },
	{ JSON_LIST_ROW(record_endpoint, retransmissions, "retransmissions", retransmission) },
	{ JSON_LIST_ROW(record_endpoint, resets, "resets", reset) },
	{ JSON_LIST_ROW(record_endpoint, calls, "calls", call) },
	{ JSON_PART(OBJECT, "bytes", bytes) },
	{ JSON_LIST_ROW(record_endpoint, samples, "samples", sample) },
	{ JSON_ROW(OBJECT, record_endpoint, population, "population"), .table = &population },
	{ JSON_ROW(OBJECT, record_endpoint, tcp_info, "tcp_info"), .table = &info },
	{ JSON_ROW(OBJECT, record_endpoint, options, "options"), .table = &options,
	  .optional = true },
	{ JSON_PART(OBJECT, "command", command) },
};
static const struct json_table endpoint = JSON_TABLE(record_endpoint, endpoint_fields);

static void write_endpoints(struct json_writer *writer, const void *object)
{
	const struct record *record = object;

	fputc('{', writer->out);
	writer->begun = false;
	for (enum end_id n = 0; n < record->n_ends; n++) {
		json_write_key(writer, record->endpoint[n].name);
		json_write_object(writer, &endpoint, &record->endpoint[n]);
	}
	fputc('}', writer->out);
	writer->begun = true;
}

/* The two ends of a connection follow each other. */
static void read_endpoints(struct json_reader *reader, json_object *value, void *object)
{
	struct record *record = object;
	struct json_object_iterator i, end;

	if (!json_object_is_type(value, json_type_object))
		return;
	i = json_object_iter_begin(value);
	end = json_object_iter_end(value);
	for (; !json_object_iter_equal(&i, &end) && record->n_ends < _END_MAX;
	     json_object_iter_next(&i)) {
		struct record_endpoint *e =
			array_append(&record->endpoint, &record->n_ends, sizeof(*e));

		if (!e) {
			reader->failed = true;
			return;
		}
		e->name = strdup(json_object_iter_peek_name(&i));
		reader->failed |= !e->name;
		json_read_object(reader, &endpoint, json_object_iter_peek_value(&i), e);
	}
	if (!reader->missing && (record->n_ends < 2 || record->n_ends % 2))
		reader->missing = "server";
}

static const struct json_field fault_fields[] = {
	{ JSON_ROW(SECONDS, record_fault, time_nsec, "t_s") },
	{ JSON_ROW(SECONDS, record_fault, took_nsec, "took_s") },
	{ JSON_ROW(TEXT, record_fault, what, "event") },
};
static const struct json_table fault = JSON_TABLE(record_fault, fault_fields);

static const struct json_field output_fields[] = {
	{ JSON_ROW(SECONDS, record_output, time_nsec, "t_s") },
	{ JSON_ROW(TEXT, record_output, host, "host") },
	{ JSON_ROW(COUNT, record_output, program, "program") },
	{ JSON_ROW(TEXT, record_output, line, "line") },
};
static const struct json_table output = JSON_TABLE(record_output, output_fields);

static const struct json_field gap_fields[] = {
	{ JSON_ROW(SECONDS, record_gap, from_nsec, "from_s") },
	{ JSON_ROW(SECONDS, record_gap, to_nsec, "to_s") },
};
static const struct json_table gap = JSON_TABLE(record_gap, gap_fields);

static void write_schema(struct json_writer *writer, const void *object)
{
	fprintf(writer->out, "%d", RECORD_SCHEMA);
}

/* Writes whole numbers without a fraction: 15, not 15.0. */
static void write_number(struct json_writer *writer, double value)
{
	if (value == rint(value) && fabs(value) < 9e15)
		fprintf(writer->out, "%" PRId64, (int64_t)value);
	else
		fprintf(writer->out, "%.9g", value);
}

static void write_settings(struct json_writer *writer, const void *object)
{
	const struct record *record = object;

	fputc('{', writer->out);
	writer->begun = false;
	for (size_t i = 0; i < record->n_settings; i++) {
		const struct record_setting *s = &record->settings[i];

		json_write_key(writer, s->key);
		if (s->is_number)
			write_number(writer, s->number);
		else
			json_write_text(writer, s->text);
	}
	fputc('}', writer->out);
	writer->begun = true;
}

static void read_settings(struct json_reader *reader, json_object *value, void *object)
{
	struct record *record = object;
	struct json_object_iterator i, end;

	if (!json_object_is_type(value, json_type_object))
		return;
	i = json_object_iter_begin(value);
	end = json_object_iter_end(value);
	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		json_object *setting = json_object_iter_peek_value(&i);
		struct record_setting *s =
			array_append(&record->settings, &record->n_settings, sizeof(*s));

		if (s) {
			s->key = strdup(json_object_iter_peek_name(&i));
			s->text = strdup(setting ? json_object_get_string(setting) : "");
			s->is_number = !json_object_is_type(setting, json_type_string);
			s->number = s->is_number ? json_object_get_double(setting) : 0;
		}
		reader->failed |= !s || !s->key || !s->text;
	}
}

static void write_verdict(struct json_writer *writer, const void *object)
{
	json_write_text(writer, verdict_name(record_verdict(object)));
}

static void write_lines(struct json_writer *writer, char *const *lines, size_t n)
{
	fputc('[', writer->out);
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputc(',', writer->out);
		json_write_text(writer, lines[i]);
	}
	fputc(']', writer->out);
}

static void read_lines(struct json_reader *reader, json_object *value, struct record *record,
		       int (*add)(struct record *record, const char *format, ...))
{
	size_t n =
		json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *line = json_object_get_string(json_object_array_get_idx(value, i));

		reader->failed |= line && add(record, "%s", line) < 0;
	}
}

static void write_failures(struct json_writer *writer, const void *object)
{
	const struct record *record = object;

	write_lines(writer, record->failures, record->n_failures);
}

static void read_failures(struct json_reader *reader, json_object *value, void *object)
{
	read_lines(reader, value, object, record_fail);
}

static void write_doubts(struct json_writer *writer, const void *object)
{
	const struct record *record = object;

	write_lines(writer, record->doubts, record->n_doubts);
}

static void read_doubts(struct json_reader *reader, json_object *value, void *object)
{
	read_lines(reader, value, object, record_doubt);
}

static void write_trace(struct json_writer *writer, const void *object)
{
	const struct trace *trace = &((const struct record *)object)->trace;

	if (trace->present)
		json_write_list(writer, &json_trace_entry, trace->entries, trace->count);
	else
		fputs("null", writer->out);
}

static void read_trace(struct json_reader *reader, json_object *value, void *object)
{
	struct trace *trace = &((struct record *)object)->trace;

	trace->present = value != NULL;
	json_read_list(reader, &json_trace_entry, value, &trace->entries, &trace->count);
}

/* The key is there where a trial was tried more than once. */
static const char *const tries_texts[] = { "tries" };
static const struct names tries_names = { tries_texts, ARRAY_SIZE(tries_texts) };

static const struct json_field record_fields[] = {
	{ .key = "schema", .kind = JSON_CUSTOM, .write = write_schema },
	{ JSON_ROW(TEXT, record, scenario, "scenario") },
	{ JSON_ROW(TEXT, record, id, "id") },
	{ JSON_ROW(TEXT, record, variant, "variant") },
	{ JSON_ROW(TEXT, record, engine, "engine") },
	{ JSON_ROW(TEXT, record, kernel, "kernel") },
	{ JSON_ROW(TEXT, record, qemu, "qemu"), .optional = true },
	{ JSON_ROW(NAME, record, family, "family"), .names = &family_names },
	{ JSON_ROW(COUNT, record, seed, "seed") },
	{ JSON_ROW(COUNT, record, repeat, "repeat") },
	{ JSON_ROW(SOME_COUNTS, record, tries, NULL), .names = &tries_names },
	{ JSON_ROW(NATURAL, record, phase, "phase") },
	{ .key = "settings", .kind = JSON_CUSTOM, .write = write_settings, .read = read_settings },
	{ JSON_LIST_ROW(record, faults, "faults", fault) },
	{ JSON_LIST_ROW(record, output, "output", output), .optional = true },
	{ JSON_LIST_ROW(record, gaps, "unsampled", gap), .optional = true },
	{ JSON_PART(OBJECT, "follow", follow), .optional = true },
	{ .key = "endpoints",
	  .kind = JSON_CUSTOM,
	  .write = write_endpoints,
	  .read = read_endpoints },
	{ JSON_ROW(SECONDS, record, span_nsec, "span_s") },
	{ JSON_ROW(SECONDS, record, lateness_nsec, "lateness_s") },
	{ JSON_ROW(NAME, record, clock, "clock"), .names = &record_clock_names },
	{ JSON_ROW(COUNT, record, lost, "lost") },
	{ .key = "verdict", .kind = JSON_CUSTOM, .write = write_verdict },
	{ .key = "failures", .kind = JSON_CUSTOM, .write = write_failures, .read = read_failures },
	{ .key = "inconclusive",
	  .kind = JSON_CUSTOM,
	  .optional = true,
	  .write = write_doubts,
	  .read = read_doubts },
	{ .key = "trace", .kind = JSON_CUSTOM, .write = write_trace, .read = read_trace },
};
static const struct json_table table = JSON_TABLE(record, record_fields);

char *record_to_json(const struct record *record)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	struct json_writer writer = { .out = open_memstream(&text, &size), .root = record };

	if (!writer.out)
		return NULL;
	__fsetlocking(writer.out, FSETLOCKING_BYCALLER); /* It is nobody else's. */
	json_write_object(&writer, &table, record);
	if (fclose(writer.out) != 0 || writer.failed)
		return NULL;
	return take_ptr(text);
}

int record_from_json(const char *json, struct record **ret_record, struct error *err)
{
	_cleanup_(record_freep) struct record *record = calloc(1, sizeof(*record));
	json_object *o = json_tokener_parse(json);
	struct json_reader reader = { .root = record };

	if (!record || !o) {
		json_object_put(o);
		return error_set(err, ERROR_FAILED, -EBADMSG, "record: not a line of JSON");
	}
	json_read_object(&reader, &table, o, record);
	json_object_put(o);
	if (reader.failed)
		return error_errno(err, -ENOMEM, "record");
	if (reader.missing)
		return error_set(err, ERROR_FAILED, -EBADMSG, "record: '%s' is missing",
				 reader.missing);
	*ret_record = take_ptr(record);
	return 0;
}
