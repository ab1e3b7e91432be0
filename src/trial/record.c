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
#include "src/trial/history.h"
#include "src/trial/look.h"
#include "src/trial/minisocket.h"
#include "src/trial/population.h"
#include "src/trial/sightings.h"
#include "src/trial/ticks.h"
#include "src/util/array.h"
#include "src/util/format.h"

#define RTO_MIN (200 * NSEC_PER_MSEC) /* include/net/tcp.h: TCP_RTO_MIN */
/* Two sightings of a retransmission that are nearer to each other are the same one. */
#define SAME_EVENT (2 * NSEC_PER_MSEC) /* a retransmission as both witnesses saw it */
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

/* The RTO that the first timeout went by: later answers than those that were sampled may have moved
 * it. Where the tracepoints missed that timeout, its RTO is unknown, for the next one has another.
 */
static nsec_t first_rto(const struct endpoint *ep, nsec_t sent_nsec)
{
	for (size_t i = 0; i < ep->record.n_retransmissions; i++) {
		const struct record_retransmission *r = &ep->record.retransmissions[i];

		if (r->time_nsec >= sent_nsec && r->reason != RETRANSMIT_LOSS_PROBE)
			return r->rto_nsec;
	}
	return NSEC_NONE;
}

/* The same where no tracepoint told: the deviation as it was sampled, and the RTT as it was in the
 * end. What is sampled is a whole number of ticks, so a deviation next to its least is the least
 * (tcp_rtt_estimator(), tcp_set_rto()). */
static nsec_t rto_of(const struct trial_node *node, nsec_t rtt_nsec)
{
	nsec_t deviation_nsec = node->rto_nsec - node->rtt_nsec;

	if (node->rto_nsec == NSEC_NONE || !node->rtt_nsec)
		return node->rto_nsec;
	if (deviation_nsec < RTO_MIN + ticks_length())
		deviation_nsec = RTO_MIN;
	return rtt_nsec + deviation_nsec;
}

/* When it was in ESTABLISHED no more; NSEC_NEVER. */
static nsec_t left_established(const struct endpoint *ep, nsec_t origin_nsec)
{
	for (size_t i = 0; i < ep->record.n_states; i++)
		if (ep->record.states[i].from == TCP_STATE_ESTABLISHED)
			return ep->record.states[i].time_nsec - origin_nsec;
	return NSEC_NEVER;
}

/* When no process held it any more; NSEC_NEVER. close() comes back when SO_LINGER lets it, and
 * until then the socket is no orphan (__tcp_close()). */
static nsec_t orphaned(const struct endpoint *ep, nsec_t origin_nsec)
{
	nsec_t at_nsec = NSEC_NEVER;

	for (size_t i = 0; i < ep->record.n_calls; i++)
		if (ep->record.calls[i].call == AGENT_CALL_CLOSE &&
		    ep->record.calls[i].connection == (unsigned int)nsec_max(ep->program_number, 0))
			at_nsec = nsec_min(at_nsec, ep->record.calls[i].time_nsec);
	if (ep->exit_nsec != NSEC_NONE)
		at_nsec = nsec_min(at_nsec, ep->exit_nsec);
	if (ep->killed_nsec != NSEC_NONE)
		at_nsec = nsec_min(at_nsec, ep->killed_nsec);
	return at_nsec == NSEC_NEVER ? NSEC_NEVER : at_nsec - origin_nsec;
}

/* What the packets of that end tell of how its connection stood, and what was read of its socket.
 * The caller frees the lists. */
static struct model_facts facts_of(const struct trial *trial, const struct trial_node *node,
				   struct model_history *history, struct history_lists *ret_lists)
{
	const struct endpoint *ep = &node->view[node->believed];
	struct history_rtt rtt = { node->sampled_nsec, node->rtt_nsec };
	struct model_facts facts = facts_of_running_kernel();
	nsec_t rto_nsec = NSEC_NONE;

	*history = history_read(ep->record.packets, ep->record.n_packets, ep->established_nsec,
				trial->origin_nsec, &rtt, ret_lists);
	if (history->sent_nsec != NSEC_NONE)
		rto_nsec = first_rto(ep, trial->origin_nsec + history->sent_nsec);
	/* Zero window probes back off without the RTO, which is that of the transfer until the end.
	 */
	else if (history->closed_nsec != NSEC_NONE && ep->record.tcp_info.present)
		rto_nsec = ep->record.tcp_info.rto_us * NSEC_PER_USEC;
	for (size_t i = 0; i < ep->record.n_states; i++)
		if (ep->record.states[i].to == TCP_STATE_SYN_SENT)
			history->connect_nsec = ep->record.states[i].time_nsec - trial->origin_nsec;
	history->leaves_nsec = left_established(ep, trial->origin_nsec);
	history->orphaned_nsec = orphaned(ep, trial->origin_nsec);
	/* Nothing moves the estimate once the peer is silent. */
	facts.rtt_nsec = ep->record.tcp_info.present ? ep->record.tcp_info.rtt_us * NSEC_PER_USEC
						     : rtt.rtt_nsec;
	facts.rtt_exact = ep->record.tcp_info.present;
	facts.rto_nsec = rto_nsec == NSEC_NONE ? rto_of(node, facts.rtt_nsec) : rto_nsec;
	facts.cwnd = node->cwnd;
	facts.mss = node->mss;
	/* In real time a busy machine is late, so no more is claimed than what holds for any phase.
	 */
	if (trial->spec.phase >= 0)
		facts.phase = ticks_phase(trial->origin_nsec, &facts.into_nsec);
	facts.history = history;
	return facts;
}

/* When what is left began: TIME_WAIT and FIN_WAIT2 with that state, a request socket with the SYN;
 * an orphan's timer is in the history. */
static nsec_t left_since(const struct record_endpoint *r, enum mechanism rest,
			 const struct model_history *history)
{
	int state = rest == MECHANISM_TIME_WAIT ? TCP_STATE_TIME_WAIT : TCP_STATE_FIN_WAIT2;
	nsec_t since_nsec = NSEC_NONE;

	if (rest == MECHANISM_SYNACK)
		return history->connect_nsec;
	for (size_t i = 0; i < r->n_states; i++)
		if (r->states[i].to == state)
			since_nsec = r->states[i].time_nsec;
	return since_nsec == NSEC_NONE ? 0 : since_nsec;
}

/* When the timer of what is left began to run: whatever arrives with an acknowledgement starts that
 * of TIME_WAIT anew (tcp_timewait_state_process()), up to a SYN, which may take it over. */
static nsec_t timer_since(const struct record_endpoint *r, enum mechanism rest, nsec_t since_nsec)
{
	for (size_t i = 0; rest == MECHANISM_TIME_WAIT && i < r->n_packets; i++) {
		const struct record_packet *p = &r->packets[i];

		if (p->time_nsec <= since_nsec)
			continue;
		if (p->flags & PACKET_SYN)
			break;
		if (!p->sent && (p->flags & PACKET_ACK) && !(p->flags & PACKET_RST))
			since_nsec = p->time_nsec;
	}
	return since_nsec;
}

/* tcp_timewait_state_process(): a RST ends TIME_WAIT, but not with tcp_rfc1337, and a SYN may take
 * it over, as may a connection of this end's own (tcp_twsk_unique()). */
static const char *disturbs_time_wait(const struct trial *trial, enum node_id node,
				      const struct record_packet *p)
{
	const char *rfc1337 = scenario_sysctl(trial->spec.scenario, node, "net.ipv4.tcp_rfc1337");

	if (p->flags & PACKET_RST)
		return !p->sent && !(rfc1337 && strcmp(rfc1337, "0") != 0)
			       ? "a RST came while the timer ran"
			       : NULL;
	return p->flags & PACKET_SYN ? "a new connection may take TIME_WAIT over" : NULL;
}

/* What may end a small socket before its timer does, or put the timer off; NULL: nothing. */
static const char *disturbed(const struct trial *trial, enum node_id node,
			     const struct record_endpoint *r, enum mechanism rest,
			     nsec_t since_nsec)
{
	const char *reason = NULL;

	for (size_t i = 0; i < r->n_packets && !reason; i++) {
		const struct record_packet *p = &r->packets[i];

		if (p->time_nsec < since_nsec)
			continue;
		if (rest == MECHANISM_TIME_WAIT)
			reason = disturbs_time_wait(trial, node, p);
		else if (!p->sent && (p->flags & PACKET_RST))
			reason = "a RST came while the timer ran";
	}
	return reason;
}

/* An interval that a trial cannot have seen is not claimed of it. */
static void limit_to_trial(struct prediction *p, nsec_t over_nsec)
{
	if (p->mechanism != MECHANISM_NONE && p->latest_nsec > over_nsec)
		*p = (struct prediction){ .reason = "the trial is over before its timer ends" };
}

static int note_detection(struct prediction p, nsec_t over_nsec, struct record_endpoint *r)
{
	if (p.mechanism == MECHANISM_SYNACK) /* by a small socket, which nothing tells of */
		p.latest_nsec += MINISOCKET_RESOLUTION;
	if (record_detection(r) == NSEC_NONE)
		limit_to_trial(&p, over_nsec);
	if (r->outcome == OUTCOME_NONE)
		p = (struct prediction){ .reason = "this end is not followed" };
	r->earliest_nsec = p.reason ? NSEC_NONE : p.earliest_nsec;
	r->latest_nsec = p.reason ? NSEC_NONE : p.latest_nsec;
	r->unpredicted = copy(p.reason);
	return p.reason && !r->unpredicted ? -ENOMEM : 0;
}

static struct prediction predict_gone(const struct trial *trial, const struct trial_node *node,
				      const struct model_facts *facts, enum mechanism rest,
				      const struct record_endpoint *r)
{
	nsec_t since_nsec = left_since(r, rest, facts->history);
	const char *reason = disturbed(trial, node->id, r, rest, since_nsec);
	struct prediction p = model_gone(trial->spec.scenario, trial->spec.family, node->id, facts,
					 rest, timer_since(r, rest, since_nsec));

	if (p.mechanism != MECHANISM_NONE) {
		if (rest != MECHANISM_ORPHAN) /* which is a full socket, whose end is told */
			p.latest_nsec += MINISOCKET_RESOLUTION;
		return reason ? (struct prediction){ .reason = reason } : p;
	}
	if (r->gone_nsec != NSEC_NONE && r->gone_nsec == r->kernel_nsec && !r->unpredicted)
		p = (struct prediction){ r->mechanism, r->earliest_nsec, r->latest_nsec, NULL };
	return p;
}

static int note_gone(struct prediction p, nsec_t over_nsec, struct record_endpoint *r)
{
	if (r->gone_nsec == NSEC_NONE)
		limit_to_trial(&p, over_nsec);
	r->gone_earliest_nsec = p.reason ? NSEC_NONE : p.earliest_nsec;
	r->gone_latest_nsec = p.reason ? NSEC_NONE : p.latest_nsec;
	r->gone_unpredicted = copy(p.reason);
	return p.reason && !r->gone_unpredicted ? -ENOMEM : 0;
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
	_cleanup_(history_lists_deinit) struct history_lists lists = { NULL };
	struct model_history history;
	struct model_facts facts;
	nsec_t over_nsec =
		nsec_min(nsec_now() - trial->origin_nsec, trial->spec.scenario->horizon_nsec);
	struct prediction p;
	enum mechanism rest;
	struct agent *agent = trial->agent[id] ? trial->agent[id] : trial->dying[id];
	struct cause cause;
	uint64_t bytes;

	look_at_bytes(node);
	look_progress(node, &bytes);
	if (node->believed == WITNESS_TRACEPOINT &&
	    add_missed(endpoint, &node->view[WITNESS_DERIVED]) < 0)
		return -ENOMEM;
	facts = facts_of(trial, node, &history, &lists);
	if (!lists.heard || !lists.acks || !lists.syns || !lists.segments)
		return -ENOMEM;
	p = model_predict(trial->spec.scenario, trial->spec.family, id, &facts);
	minisocket_finish(node);
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
	if (note_detection(p, over_nsec, r) < 0)
		return -ENOMEM;
	return note_gone(predict_gone(trial, node, &facts, rest, r), over_nsec, r);
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
	return rc < 0 || trial->spec.unjudged ? rc
					      : expect_check(trial->spec.scenario, record, err);
}
