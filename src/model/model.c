/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/timers.h"

#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "src/scenario/timeline.h"
#include "src/util/tick.h"

/* include/net/tcp.h: TCP_RTO_MIN, TCP_RTO_MAX, TCP_RETR2, TCP_KEEPALIVE_TIME, _PROBES, _INTVL. */
#define RTO_MIN		   (200 * NSEC_PER_MSEC)
#define RTO_MAX		   (120 * NSEC_PER_SEC)
#define RETRIES2	   15
#define KEEPALIVE_IDLE	   (7200 * NSEC_PER_SEC)
#define KEEPALIVE_INTERVAL (75 * NSEC_PER_SEC)
#define KEEPALIVE_COUNT	   9

/* TCP_TIMEOUT_INIT, TCP_SYN_RETRIES; net/ipv4/tcp_ipv4.c: tcp_sk_init(). */
#define SYN_RTO		  NSEC_PER_SEC
#define SYN_RETRIES	  6
#define SYN_LINEAR	  4
#define SYN_LINEAR_SYSCTL "net.ipv4.tcp_syn_linear_timeouts"
#define PROBE_SHIFT_MAX	  10 /* tcp_probe0_when(): ilog2(TCP_RTO_MAX / TCP_RTO_MIN) + 1 */
/* What is sent at once fills a window in this, and a window that nobody reads from is no larger. */
#define FILL_MAX  (300 * NSEC_PER_MSEC)
#define FILL_SIZE (256 << 10)
/* An agent that is told to do something does it within this. */
#define TOLD_MAX (100 * NSEC_PER_MSEC)
/* TCP_DELACK_MIN, by which the RTT may be overestimated. */
#define DELAYED_ACK (40 * NSEC_PER_MSEC)

/* kernel/time/timer.c: LVL_SIZE, LVL_CLK_SHIFT, LVL_DEPTH with HZ > 100. */
#define WHEEL_SIZE   64
#define WHEEL_SHIFT  3
#define WHEEL_LEVELS 9

struct model_facts model_facts_of_kernel(void)
{
	bool linear = access("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", F_OK) == 0;

	return (struct model_facts){ .hz = tick_hz(),
				     .rto_nsec = NSEC_NONE,
				     .syn_linear = linear ? SYN_LINEAR : 0 };
}

static nsec_t min_nsec(nsec_t a, nsec_t b)
{
	return a < b ? a : b;
}

/* calc_wheel_index(): level n takes spans from LVL_START(n) on, in steps of 8^n ticks. */
nsec_t model_granule(unsigned int hz, nsec_t span_nsec)
{
	nsec_t tick = NSEC_PER_SEC / hz, ticks = span_nsec / tick;
	unsigned int level = 0;

	while (level + 1 < WHEEL_LEVELS &&
	       ticks >= ((nsec_t)(WHEEL_SIZE - 1) << (level * WHEEL_SHIFT)))
		level++;
	return tick << (level * WHEEL_SHIFT);
}

nsec_t model_threshold(unsigned int retries, nsec_t rto_min, nsec_t rto_max)
{
	nsec_t sum = 0, rto = rto_min;

	for (unsigned int i = 0; i <= retries; i++) {
		sum += min_nsec(rto, rto_max);
		rto = min_nsec(rto * 2, rto_max);
	}
	return sum;
}

/* What the kernel takes (net/ipv4/sysctl_net_ipv4.c; of seconds that it counts in ticks, INT_MAX of
 * these). It refuses the rest when a trial runs, but studies are counted before, and a model of
 * 2^32 retransmissions has no end. */
static const struct {
	const char *key;
	int64_t minimum, maximum;
} bounds[] = {
	{ "net.ipv4.tcp_rto_min_us", 1, INT32_MAX },
	{ "net.ipv4.tcp_rto_max_ms", 1000, 120000 },
	{ "net.ipv4.tcp_retries2", 0, UINT8_MAX },
	{ "net.ipv4.tcp_orphan_retries", 0, UINT8_MAX },
	{ "net.ipv4.tcp_syn_retries", 1, 127 },
	{ "net.ipv4.tcp_synack_retries", 0, UINT8_MAX },
	{ SYN_LINEAR_SYSCTL, 0, UINT8_MAX },
	{ "net.ipv4.tcp_keepalive_time", 0, INT32_MAX / 250 },
	{ "net.ipv4.tcp_keepalive_intvl", 0, INT32_MAX / 250 },
	{ "net.ipv4.tcp_keepalive_probes", 0, UINT8_MAX },
	{ "net.ipv4.tcp_fin_timeout", 0, INT32_MAX / 250 },
};

int64_t model_sysctl_or(const struct scenario *s, enum node_id node, const char *key,
			int64_t fallback)
{
	const char *text = scenario_sysctl(s, node, key);
	int64_t value = text ? strtoll(text, NULL, 0) : fallback;

	for (size_t i = 0; text && i < ARRAY_SIZE(bounds); i++)
		if (!strcmp(bounds[i].key, key)) {
			value = value < bounds[i].minimum ? bounds[i].minimum : value;
			value = value > bounds[i].maximum ? bounds[i].maximum : value;
		}
	return value;
}

struct timers model_timers_of(const struct scenario *s, enum node_id node,
			      const struct model_facts *facts)
{
	const struct scenario_agent *a = &s->agent[node];
	struct timers t = { .hz = facts->hz };

	t.rto_min =
		model_sysctl_or(s, node, "net.ipv4.tcp_rto_min_us", RTO_MIN / 1000) * NSEC_PER_USEC;
	t.rto_max = model_sysctl_or(s, node, "net.ipv4.tcp_rto_max_ms", RTO_MAX / NSEC_PER_MSEC) *
		    NSEC_PER_MSEC;
	t.retries2 = (unsigned int)model_sysctl_or(s, node, "net.ipv4.tcp_retries2", RETRIES2);
	t.syn_retries = (unsigned int)scenario_option(
		a, OPTION_SYN_COUNT,
		model_sysctl_or(s, node, "net.ipv4.tcp_syn_retries", SYN_RETRIES));
	t.syn_linear = (unsigned int)model_sysctl_or(s, node, SYN_LINEAR_SYSCTL, facts->syn_linear);
	t.user_timeout = scenario_option(a, OPTION_USER_TIMEOUT, 0);
	t.keepalive = scenario_option(a, OPTION_KEEPALIVE, 0);
	t.idle = model_sysctl_or(s, node, "net.ipv4.tcp_keepalive_time",
				 KEEPALIVE_IDLE / NSEC_PER_SEC) *
		 NSEC_PER_SEC;
	t.interval = model_sysctl_or(s, node, "net.ipv4.tcp_keepalive_intvl",
				     KEEPALIVE_INTERVAL / NSEC_PER_SEC) *
		     NSEC_PER_SEC;
	t.count = model_sysctl_or(s, node, "net.ipv4.tcp_keepalive_probes", KEEPALIVE_COUNT);
	t.idle = scenario_option(a, OPTION_KEEPALIVE_IDLE, t.idle);
	t.interval = scenario_option(a, OPTION_KEEPALIVE_INTERVAL, t.interval);
	t.count = scenario_option(a, OPTION_KEEPALIVE_COUNT, t.count);
	return t;
}

/* When a timer of that span goes off. */
nsec_t model_fires(const struct timers *t, nsec_t span)
{
	return span + model_granule(t->hz, span) * t->late / 2;
}

/*
 * tcp_retransmit_timer(), tcp_write_timeout(), retransmits_timed_out(): the connection ends at
 * the first timeout at which the time since the first retransmission has reached the threshold;
 * with a user timeout, that is the threshold, and tcp_clamp_rto_to_user_timeout() has the timer
 * go off right then. A loss probe (tcp_send_loss_probe(), `probe` after the fault) comes before
 * the first timeout and starts its timer anew. The threshold is computed from TCP_RTO_MIN, whatever
 * tcp_rto_min_us says.
 */
nsec_t model_retransmission_death(const struct timers *t, nsec_t rto, bool probe)
{
	nsec_t threshold = model_threshold(t->retries2, RTO_MIN, t->rto_max);
	nsec_t now = probe ? model_fires(t, rto) : 0, first;

	if (t->user_timeout)
		threshold = t->user_timeout;
	now += model_fires(t, rto);
	for (first = now; now - first < threshold;) {
		nsec_t wait = rto = min_nsec(rto * 2, t->rto_max);

		if (t->user_timeout)
			wait = min_nsec(wait, threshold - (now - first));
		now += model_fires(t, wait);
	}
	return now;
}

/*
 * tcp_write_timeout() in SYN_SENT: the attempt ends at the first timeout that finds as many
 * retransmissions as are allowed, the linear ones included; or at the first that finds the time
 * since connect() above the user timeout, or, without one, above what tcp_syn_retries alone stands
 * for, which with linear timeouts may come first.
 */
static nsec_t syn_death(const struct timers *t)
{
	unsigned int retransmits = 0;
	nsec_t limit = t->user_timeout ? t->user_timeout
				       : model_threshold(t->syn_retries, SYN_RTO, t->rto_max);
	nsec_t rto = SYN_RTO, now = model_fires(t, rto);

	while (retransmits < t->syn_retries + t->syn_linear && (!retransmits || now < limit)) {
		nsec_t wait;

		if (++retransmits > t->syn_linear)
			rto = min_nsec(rto * 2, t->rto_max);
		wait = t->user_timeout ? min_nsec(rto, limit - now) : rto;
		now += model_fires(t, wait > 0 ? wait : NSEC_PER_SEC / t->hz);
	}
	return now;
}

/*
 * tcp_probe_timer() of a window that closed at `closed`, with a peer that answers until `lost`
 * (NSEC_NEVER: it goes on): tcp_retries2 probes may stay unanswered. A user timeout runs from the
 * first probe on, answered or not. NSEC_NEVER: it does not end.
 */
static nsec_t persist_death(const struct timers *t, nsec_t rto, nsec_t closed, nsec_t lost)
{
	nsec_t base = rto > RTO_MIN ? rto : RTO_MIN, now = closed + model_fires(t, base),
	       first = now;
	unsigned int unanswered = 0, backoff = 0;

	if (!t->user_timeout && lost == NSEC_NEVER)
		return NSEC_NEVER;
	while (unanswered < t->retries2 &&
	       !(t->user_timeout && now > first && now - first >= t->user_timeout)) {
		nsec_t wait;

		unanswered += now >= lost;
		backoff += backoff < t->retries2;
		wait = min_nsec(base << (backoff < PROBE_SHIFT_MAX ? backoff : PROBE_SHIFT_MAX),
				t->rto_max);
		if (t->user_timeout)
			wait = min_nsec(wait, t->user_timeout - (now - first));
		now += model_fires(t, wait);
	}
	return now;
}

/* tcp_keepalive_timer(): a first probe after `idle`, then one every `interval` until `count` have
 * gone unanswered; with a user timeout, until that much silence and at least one probe. */
static nsec_t keepalive_death(const struct timers *t)
{
	nsec_t now = model_fires(t, t->idle), tick = NSEC_PER_SEC / t->hz;

	for (int64_t probes = 1;; probes++) {
		now += model_fires(t, t->interval > tick ? t->interval : tick);
		if (t->user_timeout ? now >= t->user_timeout : probes >= t->count)
			return now;
	}
}

/* ICMP net or host unreachable undoes the back-off (RFC 6069, tcp_ipv4.c: tcp_ld_RTO_revert();
 * tcp_ipv6.c does it for "no route"), so timeouts come closer together than doubling says. */
static bool backoff_is_undone(const struct event *e)
{
	return e->fault == FAULT_UNREACHABLE ||
	       (e->fault == FAULT_INTERFACE_DOWN && e->node == NODE_ROUTER);
}

static void widen(struct prediction *p, nsec_t at)
{
	if (p->mechanism == MECHANISM_NONE || at < p->earliest_nsec)
		p->earliest_nsec = at;
	if (p->mechanism == MECHANISM_NONE || at > p->latest_nsec)
		p->latest_nsec = at;
}

/* What an end goes through as far as the model knows it; times since the first event. */
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

static bool add_action(struct situation *to, const struct event *e, nsec_t at, enum node_id node)
{
	if (e->node != node) {
		to->paused_nsec = at;
		return e->action == ACTION_PAUSE_READING;
	}
	if (e->action == ACTION_CONNECT && to->connect_nsec == NSEC_NEVER) {
		to->connect_nsec = at;
		return true;
	}
	if (to->send_nsec == NSEC_NEVER && to->lost_nsec != NSEC_NEVER)
		to->send_nsec = at;
	if (to->closed_nsec == NSEC_NEVER && to->paused_nsec != NSEC_NEVER && e->size >= FILL_SIZE)
		to->closed_nsec = at;
	return e->action == ACTION_SEND;
}

/* False where something happens that the model does not know. */
static bool read_situation(const struct scenario *s, enum node_id node, struct situation *ret)
{
	struct situation to = { NSEC_NEVER, NSEC_NEVER, NSEC_NEVER, NSEC_NEVER, NSEC_NEVER };

	for (size_t i = 0; i < s->n_events; i++) {
		const struct event *e = &s->events[i];
		nsec_t at = e->at_nsec - s->events[0].at_nsec;

		if (e->kind == EVENT_ACTION) {
			if (!add_action(&to, e, at, node))
				return false;
			continue;
		}
		if (e->kind == EVENT_HEAL || to.lost_nsec != NSEC_NEVER || !loses_peer(s, e, node))
			return false;
		to.lost_nsec = at;
	}
	*ret = to;
	return true;
}

/* How long after the fault the workload sends what gets no answer, at most; NSEC_NEVER: it does
 * not. */
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
static nsec_t filling(const struct scenario_agent *a, uint64_t window)
{
	nsec_t interval = scenario_option(a, OPTION_INTERVAL, 10 * NSEC_PER_MSEC);
	int64_t size = scenario_option(a, OPTION_SIZE, 0);

	if (scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE) != WORKLOAD_STREAM || size <= 0)
		return 0;
	return (nsec_t)(window / (uint64_t)size) * interval;
}

/* tcp_schedule_loss_probe(): after two round trips (where more than one segment is in flight). */
static nsec_t probe_span(const struct timers *t, nsec_t rtt)
{
	return 2 * rtt + 2 * NSEC_PER_SEC / t->hz;
}

/*
 * With a long RTT there is data in flight when the fault strikes, whose timer has been running for
 * up to that long; and answers under way still move the estimate that the timeout comes from.
 *
 * Each new segment starts the loss probe's timer anew, and with it the only one there is:
 * tcp_schedule_loss_probe() sees to it that the probe comes no later than the timeout would, but
 * not once that is overdue. A program that writes while the overdue timer is on its way (it may be
 * late by a granule) puts the timeout off, again and again until the window is full (`filled`).
 */
static struct prediction predict_busy(struct timers *t, nsec_t rto, nsec_t rtt, nsec_t earliest,
				      nsec_t latest, nsec_t filled, bool undone)
{
	struct prediction p = { 0 };

	for (int i = 0; i < 3 * 2 * 5; i++) {
		nsec_t timeout = rto + rtt * (i / 6 - 2) / 8, at;

		t->late = i % 3;
		at = model_retransmission_death(t, timeout, i / 3 % 2);
		widen(&p, at - rtt + earliest);
		p.mechanism = t->user_timeout ? MECHANISM_USER_TIMEOUT : MECHANISM_RETRANSMISSION;
		widen(&p, at + latest);
		if (filled >= timeout)
			widen(&p, filled + model_fires(t, probe_span(t, rtt)) +
					  model_retransmission_death(t, timeout, false));
	}
	if (undone && !t->user_timeout)
		widen(&p, rto - rtt + model_threshold(t->retries2, RTO_MIN, t->rto_max));
	return p;
}

/* `quiet`: since the connection was established. If that is time enough for a probe to have been
 * answered, all that is known is that the last answer came less than an idle time ago. */
static struct prediction predict_idle(struct timers *t, nsec_t quiet)
{
	bool answered = quiet + model_granule(t->hz, t->idle) >= t->idle;
	struct prediction p = { 0 };

	for (t->late = 0; t->late <= 2; t->late++) {
		nsec_t at = keepalive_death(t);

		widen(&p, answered ? at - t->idle : at - quiet);
		p.mechanism = t->user_timeout ? MECHANISM_USER_TIMEOUT : MECHANISM_KEEPALIVE;
		if (answered)
			widen(&p, at);
	}
	return p;
}

/* An ICMP error ends an attempt at once; only silence leaves it to its timers. */
static bool is_silent(const struct event *e)
{
	return e->fault == FAULT_BLACKHOLE || e->fault == FAULT_POWER_LOSS ||
	       e->fault == FAULT_CABLE_PULL;
}

static struct prediction predict_connect(struct timers *t, const struct scenario *s, nsec_t connect,
					 nsec_t late)
{
	struct prediction p = { 0 };

	if (s->events[0].kind != EVENT_FAULT || !is_silent(&s->events[0]))
		return p;

	for (t->late = 0; t->late <= 2; t->late++) {
		nsec_t at = syn_death(t);

		widen(&p, connect + at);
		p.mechanism = t->user_timeout && at >= t->user_timeout ? MECHANISM_USER_TIMEOUT
								       : MECHANISM_SYN;
	}
	p.latest_nsec += late + TOLD_MAX;
	return p;
}

/* The RTO is that of the transfer which filled the window, and not known exactly. */
static struct prediction predict_zero_window(struct timers *t, nsec_t rto,
					     const struct situation *in)
{
	struct prediction p = { 0 };

	for (int i = 0; i < 3 * 7 * 5; i++) {
		nsec_t closed = in->closed_nsec + FILL_MAX * (i / 3 % 7) / 6, at;

		t->late = i % 3;
		at = persist_death(t, rto + DELAYED_ACK * (i / 21) / 4, closed, in->lost_nsec);
		if (at == NSEC_NEVER)
			return p;
		widen(&p, at);
		p.mechanism = t->user_timeout && at - closed >= t->user_timeout
				      ? MECHANISM_USER_TIMEOUT
				      : MECHANISM_PERSIST;
	}
	return p;
}

/* Where only the way to the peer is lost, its requests still come, and are answered in vain. */
static nsec_t first_answer(const struct scenario *s, enum node_id node)
{
	enum direction away = node == NODE_CLIENT ? DIRECTION_TO_SERVER : DIRECTION_TO_CLIENT;

	if (scenario_option(&s->agent[node], OPTION_WORKLOAD, WORKLOAD_IDLE) != WORKLOAD_ECHO ||
	    s->events[0].direction != away)
		return NSEC_NEVER;
	return first_send(&s->agent[!node]);
}

/* Since when an end without a workload of its own had heard nothing when the fault struck. */
static nsec_t quiet_before(const struct scenario *s, enum node_id node,
			   const struct model_facts *facts)
{
	return first_send(&s->agent[!node]) == NSEC_NEVER ? facts->established_nsec : 0;
}

struct prediction model_predict(const struct scenario *s, enum family family, enum node_id node,
				const struct model_facts *facts)
{
	const struct scenario_agent *agent = &s->agent[node];
	struct timers t = model_timers_of(s, node, facts);
	nsec_t send = first_send(agent), rto = facts->rto_nsec;
	struct situation in;

	if (!read_situation(s, node, &in))
		return (struct prediction){ 0 };
	if (rto == NSEC_NONE)
		rto = t.rto_min + 2 * s->path.netem.delay_nsec + NSEC_PER_SEC / facts->hz;
	if (in.closed_nsec != NSEC_NEVER)
		return predict_zero_window(&t, rto, &in);
	if (in.lost_nsec == NSEC_NEVER || in.paused_nsec != NSEC_NEVER)
		return (struct prediction){ 0 };
	if (in.connect_nsec != NSEC_NEVER)
		return in.connect_nsec < in.lost_nsec
			       ? (struct prediction){ 0 }
			       : predict_connect(&t, s, in.connect_nsec, facts->late_nsec);
	if (in.lost_nsec > 0)
		return (struct prediction){ 0 };
	if (send == NSEC_NEVER)
		send = first_answer(s, node);
	if (send != NSEC_NEVER)
		return predict_busy(&t, rto, facts->rtt_nsec, 0, send,
				    filling(agent, facts->window), backoff_is_undone(s->events));
	if (in.send_nsec != NSEC_NEVER && (!t.keepalive || in.send_nsec < t.idle))
		return predict_busy(&t, rto, 0, in.send_nsec,
				    in.send_nsec + facts->late_nsec + TOLD_MAX, 0,
				    backoff_is_undone(s->events));
	if (t.keepalive)
		return predict_idle(&t, quiet_before(s, node, facts));
	return (struct prediction){ 0 };
}
