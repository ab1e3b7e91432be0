/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON of what was seen at moments, and of many connections. */
#include <string.h>

#include "src/record/json.h"
#include "src/tcp/state.h"
#include "src/util/array.h"

static json_object *open_json(const struct record_sample *s)
{
	json_object *o = NULL;

	for (int i = 0; i < _TCP_STATE_MAX; i++) {
		if (!s->open[i])
			continue;
		if (!o)
			o = json_object_new_object();
		json_object_object_add(o, tcp_state_name(i), json_object_new_int64(s->open[i]));
	}
	return o;
}

json_object *record_json_samples(const struct record_endpoint *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->n_samples; i++) {
		const struct record_sample *s = &e->samples[i];
		json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", record_json_seconds(s->time_nsec));
		json_object_object_add(o, "state", record_json_text(tcp_state_name(s->state)));
		json_object_object_add(o, "send_q", json_object_new_int64(s->send_queue));
		json_object_object_add(o, "recv_q", json_object_new_int64(s->receive_queue));
		json_object_object_add(o, "timer", record_json_text(tcp_timer_name(s->timer)));
		json_object_object_add(o, "expires_s", record_json_seconds(s->expires_nsec));
		json_object_object_add(o, "retransmits", json_object_new_int64(s->retransmits));
		json_object_object_add(o, "probes", json_object_new_int64(s->probes));
		json_object_object_add(o, "backoff", json_object_new_int64(s->backoff));
		json_object_object_add(o, "open", open_json(s));
		json_object_array_add(list, o);
	}
	return list;
}

static uint32_t get_count(struct record_reader *reader, json_object *o, const char *key)
{
	return (uint32_t)json_object_get_int64(record_json_get(reader, o, key));
}

static enum tcp_timer get_timer(struct record_reader *reader, json_object *o)
{
	json_object *value = record_json_get(reader, o, "timer");
	enum tcp_timer timer = TCP_TIMER_OFF;

	while (value && timer + 1 < _TCP_TIMER_MAX &&
	       strcmp(tcp_timer_name(timer), json_object_get_string(value)) != 0)
		timer++;
	return timer;
}

static void read_open(json_object *o, struct record_sample *s)
{
	for (int i = 0; i < _TCP_STATE_MAX; i++) {
		json_object *value;

		if (o && tcp_state_name(i) &&
		    json_object_object_get_ex(o, tcp_state_name(i), &value))
			s->open[i] = (uint32_t)json_object_get_int64(value);
	}
}

void record_json_read_samples(struct record_reader *reader, json_object *list,
			      struct record_endpoint *e)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct record_sample *s = array_append(&e->samples, &e->n_samples, sizeof(*s));

		if (!s)
			return;
		s->time_nsec = record_json_get_seconds(reader, o, "t_s");
		s->state = record_json_get_state(reader, o, "state");
		s->send_queue = get_count(reader, o, "send_q");
		s->receive_queue = get_count(reader, o, "recv_q");
		s->timer = get_timer(reader, o);
		s->expires_nsec = record_json_get_seconds(reader, o, "expires_s");
		s->retransmits = get_count(reader, o, "retransmits");
		s->probes = get_count(reader, o, "probes");
		s->backoff = get_count(reader, o, "backoff");
		read_open(record_json_get(reader, o, "open"), s);
	}
}

json_object *record_json_population(const struct record_endpoint *e)
{
	const struct record_population *p = &e->population;
	json_object *o;

	if (!p->connections)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "connections", json_object_new_int64(p->connections));
	for (enum outcome i = OUTCOME_NONE + 1; i < _OUTCOME_MAX; i++)
		json_object_object_add(o, outcome_name(i), json_object_new_int64(p->outcome[i]));
	json_object_object_add(o, "first_s", record_json_seconds(p->first_nsec));
	json_object_object_add(o, "last_s", record_json_seconds(p->last_nsec));
	return o;
}

void record_json_read_population(struct record_reader *reader, json_object *o,
				 struct record_endpoint *e)
{
	struct record_population *p = &e->population;

	p->first_nsec = p->last_nsec = NSEC_NONE;
	if (!o)
		return;
	p->connections = get_count(reader, o, "connections");
	for (enum outcome i = OUTCOME_NONE + 1; i < _OUTCOME_MAX; i++)
		p->outcome[i] = get_count(reader, o, outcome_name(i));
	p->first_nsec = record_json_get_seconds(reader, o, "first_s");
	p->last_nsec = record_json_get_seconds(reader, o, "last_s");
}
