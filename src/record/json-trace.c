/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/json-trace.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "src/record/record.h"
#include "src/tcp/packet.h"

static enum end_id end_of(const struct json_reader *reader, json_object *value)
{
	int end = value ? record_find_end(reader->root, json_object_get_string(value)) : -1;

	return end < 0 ? END_CLIENT : (enum end_id)end;
}

static const char *name_of(const struct json_writer *writer, enum end_id end)
{
	return ((const struct record *)writer->root)->endpoint[end].name;
}

static void write_from(struct json_writer *writer, const void *object)
{
	const struct trace_entry *e = object;

	json_write_text(writer, e->packet.foreign ? NULL : name_of(writer, e->end));
}

static void read_from(struct json_reader *reader, json_object *value, void *object)
{
	struct trace_entry *e = object;

	e->packet.foreign = !value;
	e->end = end_of(reader, value);
}

static void write_to(struct json_writer *writer, const void *object)
{
	const struct trace_entry *e = object;
	enum end_id peer = end_peer(e->end);

	json_write_text(writer, name_of(writer, e->packet.foreign ? e->end : peer));
}

static void read_to(struct json_reader *reader, json_object *value, void *object)
{
	struct trace_entry *e = object;

	if (e->packet.foreign)
		e->end = end_of(reader, value);
}

static void write_flags(struct json_writer *writer, const void *object)
{
	char flags[12];

	json_write_text(writer,
			packet_format_flags(((const struct trace_entry *)object)->packet.flags,
					    flags, sizeof(flags)));
}

static void read_flags(struct json_reader *reader, json_object *value, void *object)
{
	struct packet_pattern pattern = { 0 };
	char text[16];

	snprintf(text, sizeof(text), "[%.12s]", value ? json_object_get_string(value) : "");
	packet_parse_pattern(text, &pattern);
	((struct trace_entry *)object)->packet.flags = pattern.flags;
}

/* The acknowledgement number of a packet without the ACK flag means nothing, so it is null. */
static void write_ack(struct json_writer *writer, const void *object)
{
	const struct trace_packet *p = &((const struct trace_entry *)object)->packet;

	fprintf(writer->out, p->flags & PACKET_ACK ? "%" PRIu32 : "null", p->ack);
}

static void read_ack(struct json_reader *reader, json_object *value, void *object)
{
	((struct trace_entry *)object)->packet.ack = (uint32_t)json_object_get_int64(value);
}

static const struct json_field again_fields[] = {
	{ JSON_ROW(NAME, trace_entry, again, "again"), .names = &trace_again_names },
	{ JSON_ROW(COUNT, trace_entry, number, "number") },
	{ JSON_ROW(SECONDS, trace_entry, rto_nsec, "rto_s") },
};
static const struct json_table again = JSON_TABLE(trace_entry, again_fields);

static const struct json_field packet_fields[] = {
	{ .key = "from", .kind = JSON_CUSTOM, .write = write_from, .read = read_from },
	{ .key = "to", .kind = JSON_CUSTOM, .write = write_to, .read = read_to },
	{ JSON_ROW(COUNT, trace_entry, connection, "connection") },
	{ JSON_ROW(SECONDS, trace_entry, packet.sent_nsec, "sent_s") },
	{ JSON_ROW(SECONDS, trace_entry, packet.arrived_nsec, "arrived_s") },
	{ JSON_ROW(NAME, trace_entry, packet.fate, "fate"), .names = &trace_fate_names },
	{ .key = "flags", .kind = JSON_CUSTOM, .write = write_flags, .read = read_flags },
	{ JSON_ROW(COUNT, trace_entry, packet.seq, "seq") },
	{ .key = "ack", .kind = JSON_CUSTOM, .write = write_ack, .read = read_ack },
	{ JSON_ROW(COUNT, trace_entry, packet.window, "win") },
	{ JSON_ROW(COUNT, trace_entry, packet.length, "length") },
	{ JSON_PART(GROUP, NULL, again) },
};

static void write_end(struct json_writer *writer, const void *object)
{
	json_write_text(writer, name_of(writer, ((const struct trace_entry *)object)->end));
}

static void read_end(struct json_reader *reader, json_object *value, void *object)
{
	((struct trace_entry *)object)->end = end_of(reader, value);
}

static const struct json_field node_fields[] = {
	{ .key = "node", .kind = JSON_CUSTOM, .write = write_end, .read = read_end },
};
static const struct json_table node = JSON_TABLE(trace_entry, node_fields);

static const struct json_field retransmission_fields[] = {
	{ JSON_PART(GROUP, NULL, node) },
	{ JSON_PART(GROUP, NULL, again) },
};

static const struct json_field state_fields[] = {
	{ JSON_PART(GROUP, NULL, node) },
	{ JSON_ROW(NAME, trace_entry, state.from, "from"), .names = &tcp_state_names },
	{ JSON_ROW(NAME, trace_entry, state.to, "to"), .names = &tcp_state_names },
};

static const struct json_field timer_fields[] = {
	{ JSON_PART(GROUP, NULL, node) },
	{ JSON_ROW(NAME, trace_entry, timer.kind, "timer"), .names = &tcp_timer_names },
	{ JSON_ROW(SECONDS, trace_entry, timer.expires_nsec, "expires_s") },
	{ JSON_ROW(COUNT, trace_entry, timer.count, "count") },
};

static const struct json_field call_fields[] = {
	{ JSON_PART(GROUP, NULL, node) },
	{ JSON_ROW(NAME, trace_entry, call.call, "call"), .names = &call_names },
	{ JSON_ROW(SECONDS, trace_entry, call.start_nsec, "entered_s") },
	{ JSON_ROW(NUMBER, trace_entry, call.result, "result") },
	{ JSON_ROW(ERRNO, trace_entry, call.error, "error") },
	{ JSON_ROW(COUNT, trace_entry, call.connection, "connection") },
	{ JSON_ROW(COUNT, trace_entry, call.process, "process") },
};

static const struct json_field sample_fields[] = {
	{ JSON_PART(GROUP, NULL, node) },
	{ JSON_ROW(NAME, trace_entry, sample.state, "state"), .names = &tcp_state_names },
	{ JSON_ROW(COUNT, trace_entry, sample.send_queue, "send_q") },
	{ JSON_ROW(COUNT, trace_entry, sample.receive_queue, "recv_q") },
	{ JSON_ROW(COUNT, trace_entry, sample.open, "open") },
};

static const struct json_field event_fields[] = {
	{ JSON_ROW(TEXT, trace_entry, event.what, "event") },
	{ JSON_ROW(SECONDS, trace_entry, event.took_nsec, "took_s") },
};

static const struct json_field output_fields[] = {
	{ JSON_ROW(TEXT, trace_entry, output.host, "host") },
	{ JSON_ROW(TEXT, trace_entry, output.line, "line") },
};

static const struct json_table kinds[] = {
	[TRACE_PACKET] = JSON_TABLE(trace_entry, packet_fields),
	[TRACE_RETRANSMISSION] = JSON_TABLE(trace_entry, retransmission_fields),
	[TRACE_STATE] = JSON_TABLE(trace_entry, state_fields),
	[TRACE_TIMER] = JSON_TABLE(trace_entry, timer_fields),
	[TRACE_CALL] = JSON_TABLE(trace_entry, call_fields),
	[TRACE_SAMPLE] = JSON_TABLE(trace_entry, sample_fields),
	[TRACE_EVENT] = JSON_TABLE(trace_entry, event_fields),
	[TRACE_OUTPUT] = JSON_TABLE(trace_entry, output_fields),
};
static_assert(ARRAY_SIZE(kinds) == _TRACE_KIND_MAX, "every kind has its keys");

static const struct json_field entry_fields[] = {
	{ JSON_ROW(NAME, trace_entry, kind, "kind"), .names = &trace_kind_names },
	{ JSON_ROW(SECONDS, trace_entry, time_nsec, "t_s") },
	{ JSON_ROW(VARIANT, trace_entry, kind, NULL), .variants = kinds },
};
const struct json_table json_trace_entry = JSON_TABLE(trace_entry, entry_fields);
