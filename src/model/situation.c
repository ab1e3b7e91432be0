/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/situation.h"

/* A window that nobody reads from takes no more than this at once. */
#define FILL_SIZE (256 << 10)

/* tcp_v4_err() undoes back-off for host and net unreachable, tcp_v6_err() for "no route" (RFC
 * 6069); what an administrator prohibits has another code with IPv4. A prohibited route of IPv6
 * is no "no route" either. */
static enum play_undo undo_of(const struct event *e, enum family family)
{
	bool undone = e->fault == FAULT_UNREACHABLE ||
		      (e->fault == FAULT_INTERFACE_DOWN && e->node == NODE_ROUTER);

	if (!undone)
		return PLAY_UNDO_NOTHING;
	return family == FAMILY_IPV6 ? PLAY_UNDO_IPV6 : PLAY_UNDO_IPV4;
}

/* Whether a fault makes the path to the peer silent, beyond this end's first hop. */
static bool loses_peer(const struct scenario *s, const struct event *e, enum node_id node)
{
	if (s->path.kind != PATH_ROUTED)
		return false;
	switch (e->fault) {
	case FAULT_BLACKHOLE:
	case FAULT_UNREACHABLE:
	case FAULT_PROHIBIT:
		return true;
	case FAULT_POWER_LOSS:
	case FAULT_CABLE_PULL:
		return e->node != node;
	case FAULT_INTERFACE_DOWN:
		return e->node == NODE_ROUTER ? e->side != node : e->node != node;
	case FAULT_CONNTRACK_FLUSH:
		return s->path.untracked == FIREWALL_DROP;
	case FAULT_ADDRESS_REMOVE:
	case FAULT_DROP:
	case FAULT_NETEM:
	case FAULT_REBOOT:
	case FAULT_CRASH:
	case FAULT_FREEZE:
	case FAULT_TAKE_OVER:
	case _FAULT_KIND_MAX:
		break;
	}
	return false;
}

/* Whether nobody is left at that end who could notice anything. */
static bool kills(const struct event *e, enum node_id node)
{
	return e->kind == EVENT_FAULT && e->has_node && e->node == node &&
	       (e->fault == FAULT_POWER_LOSS || e->fault == FAULT_REBOOT ||
		e->fault == FAULT_CRASH);
}

static bool is_refused(const struct event *e)
{
	return e->fault == FAULT_UNREACHABLE || e->fault == FAULT_PROHIBIT ||
	       e->fault == FAULT_INTERFACE_DOWN;
}

static bool is_heartbeat(const struct scenario_agent *a)
{
	return scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE) == WORKLOAD_HEARTBEAT;
}

static const char *add_action(struct situation *to, const struct event *e, nsec_t at,
			      enum node_id node)
{
	if (e->node != node) {
		to->paused |= e->action == ACTION_PAUSE_READING;
		if (e->action == ACTION_PAUSE_READING)
			to->stalled_nsec = nsec_min(to->stalled_nsec, at);
		return e->action == ACTION_PAUSE_READING ? NULL
							 : "the peer's program does something";
	}
	if (e->action == ACTION_CONNECT && to->connect_nsec == NSEC_NEVER) {
		to->connect_nsec = at;
		return NULL;
	}
	if (e->action != ACTION_SEND)
		return "this end's program does something";
	if (to->send_nsec == NSEC_NEVER && to->lost_nsec != NSEC_NEVER)
		to->send_nsec = at;
	if (to->closed_nsec == NSEC_NEVER && to->paused && e->size >= FILL_SIZE)
		to->closed_nsec = at;
	return NULL;
}

/* From when on the peer's program answers nothing because it never does; NSEC_NEVER: it does. */
static nsec_t never_answers(const struct scenario *s, enum node_id peer)
{
	const struct scenario_agent *a = &s->agent[peer];
	int64_t workload = scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE);

	if (scenario_is_command(a) || workload == WORKLOAD_ECHO ||
	    scenario_option(a, OPTION_PAUSED, 0))
		return NSEC_NEVER;
	return s->n_events ? -s->events[0].at_nsec : 0;
}

const char *situation_read(const struct scenario *s, enum family family, enum end_id end,
			   struct situation *ret)
{
	enum node_id node = scenario_end_node(s, end), peer = scenario_end_node(s, end_peer(end));
	struct situation to = { .lost_nsec = NSEC_NEVER,
				.send_nsec = NSEC_NEVER,
				.connect_nsec = NSEC_NEVER,
				.closed_nsec = NSEC_NEVER,
				.stalled_nsec = never_answers(s, peer) };
	const char *reason = NULL;
	enum direction away = end_connects(end) ? DIRECTION_FORWARD : DIRECTION_BACKWARD;

	for (size_t i = 0; i < s->n_events; i++) {
		const struct event *e = &s->events[i];
		nsec_t at = e->at_nsec - s->events[0].at_nsec;
		const char *why = NULL;

		if (e->kind == EVENT_ACTION)
			why = add_action(&to, e, at, node);
		else if (e->kind == EVENT_HEAL)
			why = "a fault is healed";
		else if (to.lost_nsec == NSEC_NEVER && kills(e, node))
			why = "the fault strikes this end itself";
		else if (to.lost_nsec != NSEC_NEVER)
			why = "more than one fault strikes";
		else if (e->fault == FAULT_FREEZE && e->node != node &&
			 is_heartbeat(&s->agent[node]))
			to.stalled_nsec = nsec_min(to.stalled_nsec, at);
		else if (!loses_peer(s, e, node))
			why = "the fault does not silence the peer";
		if (why)
			reason = reason ? reason : why;
		else if (e->kind == EVENT_FAULT && e->fault != FAULT_FREEZE) {
			to.lost_nsec = at;
			to.undo = undo_of(e, family);
			to.refused = is_refused(e);
			to.silent_to_peer = e->direction == away;
		}
	}
	*ret = to;
	return reason;
}

/* What one packet takes beside the path's delay, there and back. */
#define HOST_TIME (100 * NSEC_PER_USEC)
/* A fault takes effect, and a program sends, so soon after the time that is said. */
#define AT_ONCE (2 * NSEC_PER_MSEC)

/* tcp_rtt_estimator(), tcp_set_rto(): the RTO after so many samples of the same RTT. */
static nsec_t rto_after(nsec_t rtt_nsec, nsec_t rto_min_nsec, uint64_t samples)
{
	nsec_t deviation_nsec =
		2 * rtt_nsec; /* four times the mean deviation, as the kernel has it */
	nsec_t variance_nsec = nsec_max(deviation_nsec, rto_min_nsec);
	nsec_t most_nsec = variance_nsec;

	for (uint64_t i = 1; i < samples && variance_nsec > rto_min_nsec; i++) {
		deviation_nsec -= deviation_nsec / 4;
		most_nsec = nsec_max(most_nsec, deviation_nsec);
		variance_nsec -= most_nsec < variance_nsec ? (variance_nsec - most_nsec) / 4 : 0;
		most_nsec = rto_min_nsec;
	}
	return rtt_nsec + variance_nsec;
}

/* How often the program at that end sends by itself; NSEC_NEVER: it does not. */
static nsec_t sends_every(const struct scenario_agent *a, nsec_t rtt_nsec)
{
	switch ((enum workload)scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE)) {
	case WORKLOAD_REQUEST:
		return nsec_max(scenario_option(a, OPTION_INTERVAL, NSEC_PER_SEC), rtt_nsec);
	case WORKLOAD_STREAM:
		return scenario_option(a, OPTION_INTERVAL, 10 * NSEC_PER_MSEC);
	case WORKLOAD_HEARTBEAT:
		return scenario_option(a, OPTION_INTERVAL, NSEC_PER_SEC);
	case WORKLOAD_IDLE:
	case WORKLOAD_ECHO:
	case WORKLOAD_SINK:
	case WORKLOAD_NO_ACCEPT:
	case WORKLOAD_COMMAND:
	case _WORKLOAD_MAX:
		break;
	}
	return NSEC_NEVER;
}

/* When the first segment that stays unanswered is sent, by an end that sends one every
 * `every_nsec` from the moment of the connection on, which was `age_nsec` before the peer fell
 * silent. What reaches the middle of the path in time is answered. */
static nsec_t first_unanswered(nsec_t every_nsec, nsec_t age_nsec, nsec_t rtt_nsec)
{
	nsec_t before_nsec = age_nsec - rtt_nsec / 2, sends;

	if (every_nsec <= 0 || before_nsec < 0)
		return -age_nsec;
	sends = (before_nsec + every_nsec - 1) / every_nsec;
	return sends * every_nsec - age_nsec;
}

const char *situation_imagine(const struct scenario *s, enum end_id end, const struct situation *in,
			      struct model_facts *facts, struct model_history *ret)
{
	enum node_id node = scenario_end_node(s, end), peer = scenario_end_node(s, end_peer(end));
	nsec_t rtt_nsec = 2 * s->path.netem.delay_nsec + HOST_TIME;
	nsec_t age_nsec = s->n_events ? s->events[0].at_nsec : 0;
	nsec_t every_nsec = sends_every(&s->agent[node], rtt_nsec);
	nsec_t silent_nsec = in->stalled_nsec < in->lost_nsec && is_heartbeat(&s->agent[node])
				     ? in->stalled_nsec
				     : 0;
	nsec_t heard_every_nsec = nsec_min(every_nsec, sends_every(&s->agent[peer], rtt_nsec));
	struct timers t = timers_of(s, node, facts);
	struct model_history h = { .connect_nsec = -age_nsec - rtt_nsec,
				   .established_nsec = -age_nsec,
				   .sent_nsec = NSEC_NONE,
				   .armed_nsec = NSEC_NONE,
				   .closed_nsec = NSEC_NONE,
				   .first_probe_nsec = NSEC_NONE,
				   .answered_nsec = rtt_nsec,
				   .reset_nsec = NSEC_NONE,
				   .leaves_nsec = NSEC_NEVER,
				   .orphaned_nsec = NSEC_NEVER,
				   .last_heard_nsec = -age_nsec,
				   .silent_nsec = in->lost_nsec };

	if (s->path.netem.loss > 0 || s->path.netem.jitter_nsec > 0)
		return "loss and delay are drawn by chance";
	if (every_nsec != NSEC_NEVER && scenario_option(&s->agent[peer], OPTION_PAUSED, 0))
		return "when the window of a peer that does not read closes depends on the "
		       "transfer";
	if (in->silent_to_peer && sends_every(&s->agent[peer], rtt_nsec) != NSEC_NEVER)
		return "what the peer sends again arrives";
	if (in->closed_nsec != NSEC_NEVER && s->path.netem.delay_nsec)
		return "when the window closes depends on how the transfer goes";
	if (every_nsec <= rtt_nsec && s->path.netem.delay_nsec &&
	    scenario_option(&s->agent[node], OPTION_INTERVAL, NSEC_PER_SEC) <= rtt_nsec)
		return "more than one segment is on its way at a time";
	if (facts->rto_nsec == NSEC_NONE && s->path.netem.delay_nsec && every_nsec != NSEC_NEVER &&
	    !is_heartbeat(&s->agent[node]))
		return "the RTO on a path with delay is known only where it was measured";
	if (facts->rto_nsec == NSEC_NONE) {
		facts->rtt_nsec = rtt_nsec;
		facts->rto_nsec = rto_after(rtt_nsec, t.rto_min_nsec,
					    every_nsec == NSEC_NEVER || every_nsec <= 0
						    ? 1
						    : (uint64_t)(age_nsec / every_nsec) + 1);
	}
	if (every_nsec != NSEC_NEVER)
		h.sent_nsec = first_unanswered(every_nsec, age_nsec + silent_nsec, rtt_nsec) +
			      silent_nsec;
	else if (scenario_option(&s->agent[node], OPTION_WORKLOAD, WORKLOAD_IDLE) ==
			 WORKLOAD_ECHO &&
		 heard_every_nsec != NSEC_NEVER) {
		if (!in->silent_to_peer)
			return "whether the last answer was acknowledged decides";
		h.sent_nsec = first_unanswered(heard_every_nsec, age_nsec, rtt_nsec) + rtt_nsec / 2;
	} else if (in->send_nsec != NSEC_NEVER) {
		h.sent_nsec = in->send_nsec;
	}
	if (heard_every_nsec != NSEC_NEVER) {
		h.heard_every_nsec = heard_every_nsec;
		h.last_heard_nsec = first_unanswered(heard_every_nsec, age_nsec, rtt_nsec) -
				    heard_every_nsec + rtt_nsec;
	}
	if (every_nsec != NSEC_NEVER && h.sent_nsec >= 0 && h.sent_nsec < AT_ONCE &&
	    silent_nsec == 0)
		h.next_nsec = every_nsec;
	h.armed_nsec = h.sent_nsec;
	h.began_nsec = every_nsec == NSEC_NEVER ? NSEC_NONE : -age_nsec;
	if (every_nsec != NSEC_NEVER && every_nsec > 0)
		h.read = (uint64_t)((h.sent_nsec + age_nsec) / every_nsec *
				    scenario_option(&s->agent[node], OPTION_SIZE, 64));
	if (in->connect_nsec != NSEC_NEVER)
		h.connect_nsec = in->connect_nsec;
	if (in->closed_nsec != NSEC_NEVER)
		h.closed_nsec = in->closed_nsec;
	*ret = h;
	return NULL;
}
