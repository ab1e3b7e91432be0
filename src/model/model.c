/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/model.h"

#include "src/model/timers.h"
#include "src/scenario/timeline.h"

/* Bytes that an agent sends at once fill a window within this time, and a window that nobody reads
 * from takes no more than FILL_SIZE bytes. */
#define FILL_MAX  (300 * NSEC_PER_MSEC)
#define FILL_SIZE (256 << 10)
/* An agent that is told to do something does it within this time. */
#define TOLD_MAX (100 * NSEC_PER_MSEC)
/* TCP_DELACK_MIN, by which the RTT may be overestimated. */
#define DELAYED_ACK (40 * NSEC_PER_MSEC)

/* The RTT moves the RTO by up to a quarter of the RTT either way; tried in eighths. */
#define RTT_EIGHTHS_MAX 2
/* The moments at which the window can be full, from its start to FILL_MAX; tried in sixths. */
#define FILL_SIXTHS 6
/* The RTO can be longer by up to DELAYED_ACK; tried in quarters. */
#define DELAY_QUARTERS 4

/* ICMP net or host unreachable undoes the back-off (RFC 6069, tcp_ipv4.c: tcp_ld_RTO_revert();
 * tcp_ipv6.c does it for "no route"), so timeouts come closer together than doubling says. */
static bool backoff_is_undone(const struct event *e)
{
	return e->fault == FAULT_UNREACHABLE ||
	       (e->fault == FAULT_INTERFACE_DOWN && e->node == NODE_ROUTER);
}

/* What happens to an end, as far as the model knows it. Times count from the first event. */
struct situation {
	nsec_t lost_nsec;    /* from when on nothing gets through; NSEC_NEVER */
	nsec_t send_nsec;    /* the timeline has this end send, after that; NSEC_NEVER */
	nsec_t connect_nsec; /* it connects then; NSEC_NEVER: it was connected before */
	nsec_t paused_nsec;  /* the peer stops reading; NSEC_NEVER */
	nsec_t closed_nsec;  /* this end sends more than is then taken; NSEC_NEVER */
};

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

static bool add_action(struct situation *to, const struct event *e, nsec_t at_nsec,
		       enum node_id node)
{
	if (e->node != node) {
		to->paused_nsec = at_nsec;
		return e->action == ACTION_PAUSE_READING;
	}
	if (e->action == ACTION_CONNECT && to->connect_nsec == NSEC_NEVER) {
		to->connect_nsec = at_nsec;
		return true;
	}
	if (to->send_nsec == NSEC_NEVER && to->lost_nsec != NSEC_NEVER)
		to->send_nsec = at_nsec;
	if (to->closed_nsec == NSEC_NEVER && to->paused_nsec != NSEC_NEVER && e->size >= FILL_SIZE)
		to->closed_nsec = at_nsec;
	return e->action == ACTION_SEND;
}

/* Returns false if something happens that the model does not know. */
static bool read_situation(const struct scenario *s, enum node_id node, struct situation *ret)
{
	struct situation to = { NSEC_NEVER, NSEC_NEVER, NSEC_NEVER, NSEC_NEVER, NSEC_NEVER };

	for (size_t i = 0; i < s->n_events; i++) {
		const struct event *e = &s->events[i];
		nsec_t at_nsec = e->at_nsec - s->events[0].at_nsec;

		if (e->kind == EVENT_ACTION) {
			if (!add_action(&to, e, at_nsec, node))
				return false;
			continue;
		}
		if (e->kind == EVENT_HEAL || to.lost_nsec != NSEC_NEVER || !loses_peer(s, e, node))
			return false;
		to.lost_nsec = at_nsec;
	}
	*ret = to;
	return true;
}

/* How long after the fault the workload sends data that gets no answer, at most; NSEC_NEVER: it
 * sends nothing by itself. */
static nsec_t first_send(const struct scenario_agent *a)
{
	switch ((enum workload)scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE)) {
	case WORKLOAD_REQUEST:
		return scenario_option(a, OPTION_INTERVAL, NSEC_PER_SEC);
	case WORKLOAD_STREAM:
		return scenario_option(a, OPTION_INTERVAL, 10 * NSEC_PER_MSEC);
	case WORKLOAD_IDLE:
	case WORKLOAD_ECHO:
	case WORKLOAD_SINK:
	case WORKLOAD_NO_ACCEPT:
	case WORKLOAD_HEARTBEAT:
	case WORKLOAD_COMMAND:
	case _WORKLOAD_MAX:
		break;
	}
	return NSEC_NEVER;
}

/* How long the workload can go on sending without an answer. */
static nsec_t filling_time(const struct scenario_agent *a, uint64_t window)
{
	nsec_t interval_nsec = scenario_option(a, OPTION_INTERVAL, 10 * NSEC_PER_MSEC);
	int64_t size = scenario_option(a, OPTION_SIZE, 0);

	if (scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE) != WORKLOAD_STREAM || size <= 0)
		return 0;
	return (nsec_t)(window / (uint64_t)size) * interval_nsec;
}

/* tcp_schedule_loss_probe(): a loss probe is sent after two round trips (if more than one segment
 * is in flight). */
static nsec_t probe_span(const struct timers *t, nsec_t rtt_nsec)
{
	return 2 * rtt_nsec + 2 * NSEC_PER_SEC / t->hz;
}

/* An end that has data to send when the peer is lost. */
struct busy {
	nsec_t rto_nsec, rtt_nsec;
	nsec_t earliest_nsec, latest_nsec; /* when it sends the first data that gets no answer */
	nsec_t filled_nsec;		   /* when it has filled the window with data */
	bool undone;			   /* ICMP errors undo the back-off */
};

/* One case of many: with this RTO, and with or without a loss probe, and timers this late. */
static void add_busy_case(struct prediction *p, const struct timers *t, const struct busy *busy,
			  nsec_t rto_nsec, bool probe)
{
	nsec_t takes_nsec = timers_retransmission_death(t, rto_nsec, probe);
	enum mechanism mechanism =
		t->user_timeout_nsec ? MECHANISM_USER_TIMEOUT : MECHANISM_RETRANSMISSION;

	timers_widen(p, takes_nsec - busy->rtt_nsec + busy->earliest_nsec, mechanism);
	timers_widen(p, takes_nsec + busy->latest_nsec, mechanism);
	if (busy->filled_nsec >= rto_nsec)
		timers_widen(p,
			     busy->filled_nsec + timers_fire(t, probe_span(t, busy->rtt_nsec)) +
				     timers_retransmission_death(t, rto_nsec, false),
			     mechanism);
}

/*
 * With a long RTT there is data in flight when the fault strikes, whose timer has been running for
 * up to that long; and answers that are under way still move the estimate that the timeout comes
 * from.
 *
 * Each new segment starts the loss probe's timer anew, and with it the only timer there is:
 * tcp_schedule_loss_probe() sees to it that the probe comes no later than the timeout would, except
 * when the timeout is overdue. A program that writes while the overdue timer has not yet gone off
 * (it may be late by a granule) puts the timeout off, again and again until the window is full.
 */
static struct prediction predict_busy(struct timers *t, const struct busy *busy)
{
	struct prediction p = { 0 };

	for (int eighths = -RTT_EIGHTHS_MAX; eighths <= RTT_EIGHTHS_MAX; eighths++) {
		nsec_t rto_nsec = busy->rto_nsec + busy->rtt_nsec * eighths / 8;

		for (t->late = 0; t->late <= TIMERS_LATE_MAX; t->late++) {
			add_busy_case(&p, t, busy, rto_nsec, false);
			add_busy_case(&p, t, busy, rto_nsec, true);
		}
	}
	if (busy->undone && !t->user_timeout_nsec)
		timers_widen(&p,
			     busy->rto_nsec - busy->rtt_nsec +
				     timers_threshold(t->retries2, TIMERS_RTO_MIN, t->rto_max_nsec),
			     p.mechanism);
	return p;
}

/* `quiet_nsec` is the time since the connection was established. If that is long enough for a probe
 * to have been answered, all that is known is that the last answer came less than an idle time
 * ago. */
static struct prediction predict_idle(struct timers *t, nsec_t quiet_nsec)
{
	bool answered = quiet_nsec + timers_granule(t->hz, t->idle_nsec) >= t->idle_nsec;
	enum mechanism mechanism =
		t->user_timeout_nsec ? MECHANISM_USER_TIMEOUT : MECHANISM_KEEPALIVE;
	struct prediction p = { 0 };

	for (t->late = 0; t->late <= TIMERS_LATE_MAX; t->late++) {
		nsec_t takes_nsec = timers_keepalive_death(t);

		timers_widen(&p, takes_nsec - (answered ? t->idle_nsec : quiet_nsec), mechanism);
		if (answered)
			timers_widen(&p, takes_nsec, mechanism);
	}
	return p;
}

/* An ICMP error ends an attempt at once; only silence leaves it to its timers. */
static bool is_silent(const struct event *e)
{
	return e->fault == FAULT_BLACKHOLE || e->fault == FAULT_POWER_LOSS ||
	       e->fault == FAULT_CABLE_PULL;
}

static struct prediction predict_connect(struct timers *t, const struct scenario *s,
					 nsec_t connect_nsec, nsec_t late_nsec)
{
	struct prediction p = { 0 };

	if (s->events[0].kind != EVENT_FAULT || !is_silent(&s->events[0]))
		return p;

	for (t->late = 0; t->late <= TIMERS_LATE_MAX; t->late++) {
		nsec_t takes_nsec = timers_syn_death(t);
		bool timed_out = t->user_timeout_nsec && takes_nsec >= t->user_timeout_nsec;

		timers_widen(&p, connect_nsec + takes_nsec,
			     timed_out ? MECHANISM_USER_TIMEOUT : MECHANISM_SYN);
	}
	p.latest_nsec += late_nsec + TOLD_MAX;
	return p;
}

/* One case of many: with this RTO, a window that closed then, and timers this late. */
static void add_window_case(struct prediction *p, const struct timers *t, nsec_t rto_nsec,
			    nsec_t closed_nsec, nsec_t lost_nsec)
{
	nsec_t at_nsec = timers_persist_death(t, rto_nsec, closed_nsec, lost_nsec);
	bool timed_out = t->user_timeout_nsec && at_nsec - closed_nsec >= t->user_timeout_nsec;

	if (at_nsec != NSEC_NEVER)
		timers_widen(p, at_nsec, timed_out ? MECHANISM_USER_TIMEOUT : MECHANISM_PERSIST);
}

/* The RTO is that of the transfer which filled the window, and neither it nor the moment at which
 * the window was full is known exactly. The last case, in which all is latest, names the
 * mechanism. */
static struct prediction predict_zero_window(struct timers *t, nsec_t rto_nsec,
					     const struct situation *in)
{
	struct prediction p = { 0 };

	for (int quarters = 0; quarters <= DELAY_QUARTERS; quarters++)
		for (int sixths = 0; sixths <= FILL_SIXTHS; sixths++)
			for (t->late = 0; t->late <= TIMERS_LATE_MAX; t->late++)
				add_window_case(&p, t,
						rto_nsec + DELAYED_ACK * quarters / DELAY_QUARTERS,
						in->closed_nsec + FILL_MAX * sixths / FILL_SIXTHS,
						in->lost_nsec);
	return p;
}

/* If only the way to the peer is lost, its requests still arrive, and this end answers them in
 * vain. */
static nsec_t first_answer(const struct scenario *s, enum node_id node)
{
	enum direction away = node == NODE_CLIENT ? DIRECTION_TO_SERVER : DIRECTION_TO_CLIENT;

	if (scenario_option(&s->agent[node], OPTION_WORKLOAD, WORKLOAD_IDLE) != WORKLOAD_ECHO ||
	    s->events[0].direction != away)
		return NSEC_NEVER;
	return first_send(&s->agent[!node]);
}

/* How long an end without a workload of its own had heard nothing when the fault struck. */
static nsec_t quiet_before(const struct scenario *s, enum node_id node,
			   const struct model_facts *facts)
{
	return first_send(&s->agent[!node]) == NSEC_NEVER ? facts->established_nsec : 0;
}

struct prediction model_predict(const struct scenario *s, enum family family, enum node_id node,
				const struct model_facts *facts)
{
	static const struct prediction nothing = { 0 };
	struct timers t = timers_of(s, node, facts);
	nsec_t rto_nsec = facts->rto_nsec, send_nsec = first_send(&s->agent[node]);
	struct busy busy = { 0 };
	struct situation in;

	if (!read_situation(s, node, &in))
		return nothing;
	if (rto_nsec == NSEC_NONE)
		rto_nsec = t.rto_min_nsec + 2 * s->path.netem.delay_nsec + NSEC_PER_SEC / facts->hz;
	if (in.closed_nsec != NSEC_NEVER)
		return predict_zero_window(&t, rto_nsec, &in);
	if (in.lost_nsec == NSEC_NEVER || in.paused_nsec != NSEC_NEVER)
		return nothing;
	if (in.connect_nsec != NSEC_NEVER)
		return in.connect_nsec < in.lost_nsec
			       ? nothing
			       : predict_connect(&t, s, in.connect_nsec, facts->late_nsec);
	if (in.lost_nsec > 0)
		return nothing;
	busy.rto_nsec = rto_nsec;
	busy.undone = backoff_is_undone(s->events);
	if (send_nsec == NSEC_NEVER)
		send_nsec = first_answer(s, node);
	if (send_nsec != NSEC_NEVER) {
		busy.rtt_nsec = facts->rtt_nsec;
		busy.latest_nsec = send_nsec;
		busy.filled_nsec = filling_time(&s->agent[node], facts->window);
		return predict_busy(&t, &busy);
	}
	if (in.send_nsec != NSEC_NEVER && (!t.keepalive || in.send_nsec < t.idle_nsec)) {
		busy.earliest_nsec = in.send_nsec;
		busy.latest_nsec = in.send_nsec + facts->late_nsec + TOLD_MAX;
		return predict_busy(&t, &busy);
	}
	return t.keepalive ? predict_idle(&t, quiet_before(s, node, facts)) : nothing;
}
