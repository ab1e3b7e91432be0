/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/json-trace.h"

#include <stdio.h>
#include <string.h>

#include "src/record/expect.h"
#include "src/record/json.h"
#include "src/scenario/call.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/util/array.h"

/* Seconds as everywhere in a record: whole microseconds. */
static void put_time(FILE *out, const char *key, nsec_t t)
{
	nsec_t us = (t < 0 ? t - 500 : t + 500) / NSEC_PER_USEC;
	nsec_t plain = us < 0 ? -us : us;

	if (t == NSEC_NONE)
		fprintf(out, ",\"%s\":null", key);
	else
		fprintf(out, ",\"%s\":%s%" PRId64 ".%06" PRId64, key, us < 0 ? "-" : "",
			plain / 1000000, plain % 1000000);
}

/* What is written here is plain: names of our own, and what was done, which is made of them. */
static void put_text(FILE *out, const char *key, const char *text)
{
	if (text)
		fprintf(out, ",\"%s\":\"%s\"", key, text);
	else
		fprintf(out, ",\"%s\":null", key);
}

static void put_again(FILE *out, const struct trace_entry *e)
{
	put_text(out, "again", trace_again_name(e->again));
	fprintf(out, ",\"number\":%u", e->number);
	put_time(out, "rto_s", e->rto_nsec);
}

static void put_packet(FILE *out, const struct trace_entry *e)
{
	const struct trace_packet *p = &e->packet;
	bool ack = p->flags & 16;
	enum node_id to = p->foreign ? e->node : e->node == NODE_CLIENT ? NODE_SERVER : NODE_CLIENT;
	char flags[12];

	put_text(out, "from", p->foreign ? NULL : node_name(e->node));
	put_text(out, "to", node_name(to));
	fprintf(out, ",\"connection\":%u", e->connection);
	put_time(out, "sent_s", p->sent_nsec);
	put_time(out, "arrived_s", p->arrived_nsec);
	put_text(out, "fate", trace_fate_name(p->fate));
	put_text(out, "flags", packet_format_flags(p->flags, flags, sizeof(flags)));
	fprintf(out, ",\"seq\":%u", p->seq);
	fprintf(out, ack ? ",\"ack\":%u" : ",\"ack\":null", p->ack);
	fprintf(out, ",\"win\":%u,\"length\":%u", p->window, p->length);
	put_again(out, e);
}

static void put_entry(FILE *out, const struct trace_entry *e)
{
	fprintf(out, "{\"kind\":\"%s\"", trace_kind_name(e->kind));
	put_time(out, "t_s", e->time_nsec);
	if (e->kind != TRACE_PACKET && e->kind != TRACE_EVENT)
		put_text(out, "node", node_name(e->node));
	switch (e->kind) {
	case TRACE_PACKET:
		put_packet(out, e);
		break;
	case TRACE_RETRANSMISSION:
		put_again(out, e);
		break;
	case TRACE_STATE:
		put_text(out, "from", tcp_state_name(e->state.from));
		put_text(out, "to", tcp_state_name(e->state.to));
		break;
	case TRACE_TIMER:
		put_text(out, "timer", tcp_timer_name(e->timer.kind));
		put_time(out, "expires_s", e->timer.expires_nsec);
		fprintf(out, ",\"count\":%u", e->timer.count);
		break;
	case TRACE_CALL:
		put_text(out, "call", call_name(e->call.call));
		put_time(out, "entered_s", e->call.start_nsec);
		fprintf(out, ",\"result\":%" PRId64, e->call.result);
		put_text(out, "error", errno_name(e->call.error));
		fprintf(out, ",\"connection\":%u,\"process\":%u", e->call.connection,
			e->call.process);
		break;
	case TRACE_SAMPLE:
		put_text(out, "state", tcp_state_name(e->sample.state));
		fprintf(out, ",\"send_q\":%u,\"recv_q\":%u,\"open\":%u", e->sample.send_queue,
			e->sample.receive_queue, e->sample.open);
		break;
	case TRACE_EVENT:
		put_text(out, "event", e->event.what);
		put_time(out, "took_s", e->event.took_nsec);
		break;
	case _TRACE_KIND_MAX:
		break;
	}
	fputc('}', out);
}

static int serialize(json_object *o, struct printbuf *buffer, int level, int flags)
{
	const char *text = json_object_get_userdata(o);

	return printbuf_memappend(buffer, text, (int)strlen(text));
}

static void free_text(json_object *o, void *userdata)
{
	free(userdata);
}

json_object *trace_to_json(const struct trace *trace)
{
	char *text = NULL;
	size_t size;
	FILE *out = trace->present ? open_memstream(&text, &size) : NULL;
	json_object *o;

	if (!out)
		return NULL;
	fputc('[', out);
	for (size_t i = 0; i < trace->count; i++) {
		if (i)
			fputc(',', out);
		put_entry(out, &trace->entries[i]);
	}
	fputc(']', out);
	o = fclose(out) == 0 ? json_object_new_string("") : NULL;
	if (o)
		json_object_set_serializer(o, serialize, text, free_text);
	else
		free(text);
	return o;
}

/* One entry that is being read. */
struct reader {
	struct record_reader *record;
	json_object *o;
};

static json_object *get(struct reader *r, const char *key)
{
	return record_json_get(r->record, r->o, key);
}

static nsec_t get_time(struct reader *r, const char *key)
{
	return record_json_get_seconds(r->record, r->o, key);
}

static uint32_t get_number(struct reader *r, const char *key)
{
	return (uint32_t)json_object_get_int64(get(r, key));
}

static const char *get_text(struct reader *r, const char *key)
{
	json_object *value = get(r, key);

	return value ? json_object_get_string(value) : "";
}

/* The number of a name, of an enum that has `n`; 0 for one that is not known. */
#define get_name(reader, key, n, name)                                                             \
	({                                                                                         \
		const char *text = get_text(reader, key);                                          \
		int found = 0;                                                                     \
                                                                                                   \
		for (int i = 0; i < (int)(n); i++)                                                 \
			if (name(i) && !strcmp(name(i), text))                                     \
				found = i;                                                         \
		found;                                                                             \
	})

static void read_again(struct reader *r, struct trace_entry *e)
{
	e->again = get_name(r, "again", _TRACE_AGAIN_MAX, trace_again_name);
	e->number = get_number(r, "number");
	e->rto_nsec = get_time(r, "rto_s");
}

static uint8_t flags_of(const char *letters)
{
	struct packet_pattern pattern = { 0 };
	char text[16];

	snprintf(text, sizeof(text), "[%.12s]", letters);
	return packet_parse_pattern(text, &pattern) < 0 ? 0 : pattern.flags;
}

static void read_packet(struct reader *r, struct trace_entry *e)
{
	struct trace_packet *p = &e->packet;

	p->foreign = !get(r, "from");
	e->node = get_name(r, p->foreign ? "to" : "from", _NODE_MAX, node_name);
	e->connection = get_number(r, "connection");
	p->sent_nsec = get_time(r, "sent_s");
	p->arrived_nsec = get_time(r, "arrived_s");
	p->fate = get_name(r, "fate", _TRACE_FATE_MAX, trace_fate_name);
	p->flags = flags_of(get_text(r, "flags"));
	p->seq = get_number(r, "seq");
	p->ack = get_number(r, "ack");
	p->window = (uint16_t)get_number(r, "win");
	p->length = get_number(r, "length");
	read_again(r, e);
}

static void read_entry(struct reader *r, struct trace_entry *e)
{
	e->kind = get_name(r, "kind", _TRACE_KIND_MAX, trace_kind_name);
	e->time_nsec = get_time(r, "t_s");
	e->rto_nsec = NSEC_NONE;
	if (e->kind != TRACE_PACKET && e->kind != TRACE_EVENT)
		e->node = get_name(r, "node", _NODE_MAX, node_name);
	switch (e->kind) {
	case TRACE_PACKET:
		read_packet(r, e);
		break;
	case TRACE_RETRANSMISSION:
		read_again(r, e);
		break;
	case TRACE_STATE:
		e->state.from = get_name(r, "from", _TCP_STATE_MAX, tcp_state_name);
		e->state.to = get_name(r, "to", _TCP_STATE_MAX, tcp_state_name);
		break;
	case TRACE_TIMER:
		e->timer.kind = get_name(r, "timer", _TCP_TIMER_MAX, tcp_timer_name);
		e->timer.expires_nsec = get_time(r, "expires_s");
		e->timer.count = get_number(r, "count");
		break;
	case TRACE_CALL:
		e->call.call = get_name(r, "call", _AGENT_CALL_MAX, call_name);
		e->call.start_nsec = get_time(r, "entered_s");
		e->call.result = json_object_get_int64(get(r, "result"));
		e->call.connection = get_number(r, "connection");
		e->call.process = get_number(r, "process");
		e->call.error = errno_from_name(get_text(r, "error"));
		break;
	case TRACE_SAMPLE:
		e->sample.state = get_name(r, "state", _TCP_STATE_MAX, tcp_state_name);
		e->sample.send_queue = get_number(r, "send_q");
		e->sample.receive_queue = get_number(r, "recv_q");
		e->sample.open = get_number(r, "open");
		break;
	case TRACE_EVENT:
		e->node = NODE_ROUTER;
		e->event.what = strdup(get_text(r, "event"));
		e->event.took_nsec = get_time(r, "took_s");
		break;
	case _TRACE_KIND_MAX:
		break;
	}
}

void trace_from_json(struct record_reader *reader, json_object *list, struct trace *trace)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	trace->present = list != NULL;
	for (size_t i = 0; i < n; i++) {
		struct reader r = { reader, json_object_array_get_idx(list, i) };
		struct trace_entry *e = array_append(&trace->entries, &trace->count, sizeof(*e));

		if (e)
			read_entry(&r, e);
	}
}
