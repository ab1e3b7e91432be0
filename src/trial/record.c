/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/record.h"

#include <errno.h>
#include <string.h>

#include "src/model/model.h"
#include "src/record/doubt.h"
#include "src/record/expect.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/testbed/testbed.h"
#include "src/trial/cause.h"
#include "src/trial/events.h"
#include "src/trial/facts.h"
#include "src/trial/look.h"
#include "src/trial/minisocket.h"
#include "src/trial/population.h"
#include "src/trial/sightings.h"
#include "src/util/array.h"
#include "src/util/format.h"

/* Two sightings of a retransmission that are nearer to each other are the same one. */
#define SAME_EVENT (2 * NSEC_PER_MSEC)
/* RTTs are rounded up to a multiple of this. Those of the same trial differ by some ten
 * microseconds, of which the back-off would make more than a tick in what is predicted. */
#define RTT_STEP (250 * NSEC_PER_USEC)

static int copy_setting(const struct setting_value *value, void *userdata)
{
	struct record *record = userdata;
	struct record_setting *s = array_append(&record->settings, &record->n_settings, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->key = strdup(value->key);
	s->text = strdup(value->text);
	s->is_number = value->is_number;
	s->number = value->number;
	return s->key && s->text ? 0 : -ENOMEM;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* The clock of a record is that of the least exact witness that is believed at one of its ends. */
static enum record_clock clock_of(const struct trial *trial)
{
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		if (trial->node[id].believed == WITNESS_DERIVED)
			return RECORD_CLOCK_SOCK_DIAG;
	return RECORD_CLOCK_TRACEPOINT;
}

static int describe(struct trial *trial, struct record *record)
{
	const struct trial_spec *spec = &trial->spec;

	record->scenario = copy(spec->scenario->name);
	record->id = copy(spec->scenario->id);
	record->variant = copy(spec->scenario->variant);
	record->engine = copy(spec->engine);
	record->kernel = copy(spec->kernel);
	record->clock = clock_of(trial);
	record->family = spec->family;
	record->seed = spec->seed;
	record->repeat = spec->repeat;
	record->phase = spec->phase;
	record->lateness_nsec = trial->lateness_nsec;
	return scenario_for_each_setting(spec->scenario, copy_setting, record);
}

static int compare_time(const void *a, const void *b)
{
	nsec_t x_nsec = ((const struct record_retransmission *)a)->time_nsec;
	nsec_t y_nsec = ((const struct record_retransmission *)b)->time_nsec;

	return (x_nsec > y_nsec) - (x_nsec < y_nsec);
}

/* Adds the retransmissions that only the packets show, because a tracepoint was missed; packets do
 * not tell the reason. */
static int add_missed(struct endpoint *to, const struct endpoint *from)
{
	size_t known = to->record.n_retransmissions;

	for (size_t i = 0; i < from->record.n_retransmissions; i++) {
		const struct record_retransmission *r = &from->record.retransmissions[i];
		struct record_retransmission *list = to->record.retransmissions, *slot;
		bool found = false;

		for (size_t k = 0; k < known && !found; k++)
			found = llabs(list[k].time_nsec - r->time_nsec) < SAME_EVENT;
		if (found)
			continue;
		slot = array_append(&to->record.retransmissions, &to->record.n_retransmissions,
				    sizeof(*slot));
		if (!slot)
			return -ENOMEM;
		*slot = *r;
	}
	if (to->record.n_retransmissions == known)
		return 0;
	qsort(to->record.retransmissions, to->record.n_retransmissions,
	      sizeof(*to->record.retransmissions), compare_time);
	return 0;
}

static struct model_facts facts_of(const struct trial *trial, const struct trial_node *node)
{
	nsec_t established_nsec = node->view[node->believed].established_nsec;
	struct model_facts facts = facts_of_running_kernel();

	facts.rto_nsec = node->rto_nsec;
	facts.rtt_nsec = (node->rtt_nsec + RTT_STEP - 1) / RTT_STEP * RTT_STEP;
	facts.window = node->window;
	facts.late_nsec = trial->lateness_nsec;
	/* In real time the first event may have come late, and its zero was moved with it. */
	facts.established_nsec =
		trial->origin_nsec -
		(established_nsec == NSEC_NONE ? trial->zero_nsec : established_nsec);
	return facts;
}

/* When the timer of what is left of the connection began to run: with its state, or for an orphan
 * with the FIN that it sent. */
static nsec_t left_since(const struct record_endpoint *r, enum mechanism mechanism)
{
	for (size_t i = r->n_states; i-- > 0;) {
		int to = r->states[i].to;
		bool fin = to == TCP_STATE_FIN_WAIT1 || to == TCP_STATE_LAST_ACK;

		if ((mechanism == MECHANISM_TIME_WAIT && to == TCP_STATE_TIME_WAIT) ||
		    (mechanism == MECHANISM_FIN_WAIT_2 && to == TCP_STATE_FIN_WAIT2) ||
		    (mechanism == MECHANISM_SYNACK && to == TCP_STATE_SYN_RECV) ||
		    (mechanism == MECHANISM_ORPHAN && fin))
			return r->states[i].time_nsec;
	}
	return NSEC_NONE;
}

/* Whether the peer's window is closed at the end. An orphan then sends probes, which are answered,
 * and how long that goes on is not predicted. */
static bool window_is_closed(const struct record_endpoint *r)
{
	for (size_t i = r->n_packets; i-- > 0;)
		if (!r->packets[i].sent && !(r->packets[i].flags & PACKET_RST))
			return !r->packets[i].window;
	return false;
}

static void predict_gone(const struct trial_node *node, const struct model_facts *facts,
			 enum mechanism rest, struct record_endpoint *r)
{
	struct prediction p = model_gone(node->trial->spec.scenario, node->id, facts, rest);
	nsec_t since_nsec = left_since(r, rest);

	r->gone_earliest_nsec = r->gone_latest_nsec = NSEC_NONE;
	if (p.mechanism == MECHANISM_NONE && r->gone_nsec == r->kernel_nsec) {
		r->gone_earliest_nsec = r->earliest_nsec;
		r->gone_latest_nsec = r->latest_nsec;
	} else if (p.mechanism != MECHANISM_NONE && since_nsec != NSEC_NONE &&
		   !(p.mechanism == MECHANISM_ORPHAN && window_is_closed(r))) {
		r->gone_earliest_nsec = since_nsec + p.earliest_nsec;
		r->gone_latest_nsec = since_nsec + p.latest_nsec + MINISOCKET_RESOLUTION;
	}
}

/* Whether a connection has survived that the router's connection tracking was flushed, which has no
 * heal: it carried something after that, and no fault holds. */
static bool carried_on(const struct trial *trial, struct trial_node *node)
{
	uint64_t bytes;

	return trial->forgotten && trial->full_term && !trial->active &&
	       look_progress(node, &bytes) >= 0 && bytes > node->progress;
}

/* Returns "10.0.1.2:40000" or "[fd00:1::2]:40000", which the caller frees. */
static char *format_end(const struct ip *ip, uint16_t port)
{
	char address[INET6_ADDRSTRLEN];

	ip_format(address, sizeof(address), ip);
	return format_new(ip->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, port);
}

static int name_connection(const struct trial_node *node, struct record_endpoint *r)
{
	const struct endpoint_tuple *tuple = &node->followed.tuple;

	if (!tuple->known)
		return 0;
	r->local = format_end(&tuple->local, tuple->local_port);
	r->peer = format_end(&tuple->peer, tuple->peer_port);
	return r->local && r->peer ? 0 : -ENOMEM;
}

static int conclude(struct trial *trial, enum node_id id)
{
	struct trial_node *node = &trial->node[id];
	struct endpoint *endpoint = trial_endpoint(node);
	struct record_endpoint *r = &trial->record->endpoint[id];
	struct endpoint_context context = {
		.origin_nsec = trial->origin_nsec,
		.fault_nsec = trial->fault_nsec,
		.peer_told_nsec = trial->node[testbed_peer(id)].told_nsec,
		.last_heal_nsec = trial->last_heal_nsec,
		.usable = node->usable || carried_on(trial, node),
		.full_term = trial->full_term,
	};
	struct model_facts facts = facts_of(trial, node);
	struct prediction p = model_predict(trial->spec.scenario, trial->spec.family, id, &facts);
	enum mechanism rest;
	const struct agent *agent = trial->agent[id] ? trial->agent[id] : trial->dying[id];
	struct cause cause;
	uint64_t bytes;

	look_at_bytes(node);
	look_progress(node, &bytes);
	minisocket_finish(node);
	if (node->believed == WITNESS_TRACEPOINT &&
	    add_missed(endpoint, &node->view[WITNESS_DERIVED]) < 0)
		return -ENOMEM;
	endpoint_bound_by_application(endpoint);
	cause = cause_of(endpoint, &context);
	rest = cause_of_rest(endpoint, &cause);
	endpoint_conclude(endpoint, &context, &cause, r);
	if (name_connection(node, r) < 0)
		return -ENOMEM;
	/* The counters are those of the program's first connection. */
	if (!trial->spec.scenario->agent[id].command && node->bytes_read >= 0 &&
	    endpoint->program_number <= 0) {
		r->bytes_read = node->bytes_read;
		r->bytes_written = node->bytes_written;
	}
	r->samples = take_ptr(node->samples);
	r->n_samples = node->n_samples;
	for (size_t i = 0; i < r->n_samples; i++)
		r->samples[i].time_nsec -= trial->origin_nsec;
	population_record(node, &r->population);
	if (agent && trial->spec.scenario->agent[id].command)
		r->command_output = copy(agent_output(agent));
	if (p.mechanism != MECHANISM_NONE) {
		r->earliest_nsec = p.earliest_nsec;
		r->latest_nsec = p.latest_nsec;
	}
	predict_gone(node, &facts, rest, r);
	return 0;
}

int trial_make_record(struct trial *trial, struct error *err)
{
	struct record *record = trial->record;
	int rc = describe(trial, record);

	if (rc < 0)
		return error_errno(err, rc, "record");
	events_conclude(trial);
	record->follow_number = trial->number;
	record->follow_tried = trial->node[NODE_CLIENT].followed.n_tried;
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++) {
		rc = conclude(trial, id);
		if (rc < 0)
			return error_errno(err, rc, "record");
	}
	record->lost = trial->lost;
	record->span_nsec = nsec_now() - trial->origin_nsec;
	sightings_give(trial);
	if (nsec_clock_failures() != trial->clock_failures &&
	    record_doubt(record, "the clock could not be read") < 0)
		return error_errno(err, -ENOMEM, "record");
	rc = doubt_check(record, err);
	return rc < 0 || trial->spec.unjudged ? rc : expect_check(trial->spec.scenario, record, err);
}
