/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model.h"

#include <stdlib.h>

#include "src/timeline.h"

/* include/net/tcp.h: TCP_RTO_MIN, TCP_RTO_MAX, TCP_RETR2, TCP_KEEPALIVE_TIME, _PROBES, _INTVL. */
#define RTO_MIN		   (200 * NSEC_PER_MSEC)
#define RTO_MAX		   (120 * NSEC_PER_SEC)
#define RETRIES2	   15
#define KEEPALIVE_IDLE	   (7200 * NSEC_PER_SEC)
#define KEEPALIVE_INTERVAL (75 * NSEC_PER_SEC)
#define KEEPALIVE_COUNT	   9

/* kernel/time/timer.c: LVL_SIZE, LVL_CLK_SHIFT, LVL_DEPTH with HZ > 100. */
#define WHEEL_SIZE   64
#define WHEEL_SHIFT  3
#define WHEEL_LEVELS 9

unsigned int model_hz(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || nsec_from_timespec(&tick) <= 0)
		return 250;
	return (unsigned int)(NSEC_PER_SEC / nsec_from_timespec(&tick));
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

static int64_t sysctl_or(const struct scenario *s, enum node_id node, const char *key,
			 int64_t fallback)
{
	const char *value = scenario_sysctl(s, node, key);

	return value ? atoll(value) : fallback;
}

/* What the timers of one end go by. */
struct timers {
	unsigned int hz;
	unsigned int late; /* each timer is late/2 of its granule late: 0, 1 or 2 */
	nsec_t rto_min, rto_max, user_timeout;
	unsigned int retries2;
	nsec_t idle, interval;
	int64_t count;
	bool keepalive;
};

static struct timers timers_of(const struct scenario *s, enum node_id node, unsigned int hz)
{
	const struct scenario_agent *a = &s->agent[node];
	struct timers t = { .hz = hz };

	t.rto_min = sysctl_or(s, node, "net.ipv4.tcp_rto_min_us", RTO_MIN / 1000) * NSEC_PER_USEC;
	t.rto_max = sysctl_or(s, node, "net.ipv4.tcp_rto_max_ms", RTO_MAX / NSEC_PER_MSEC) *
		    NSEC_PER_MSEC;
	t.retries2 = (unsigned int)sysctl_or(s, node, "net.ipv4.tcp_retries2", RETRIES2);
	t.user_timeout = scenario_option(a, OPTION_USER_TIMEOUT, 0);
	t.keepalive = scenario_option(a, OPTION_KEEPALIVE, 0);
	t.idle = sysctl_or(s, node, "net.ipv4.tcp_keepalive_time", KEEPALIVE_IDLE / NSEC_PER_SEC) *
		 NSEC_PER_SEC;
	t.interval = sysctl_or(s, node, "net.ipv4.tcp_keepalive_intvl",
			       KEEPALIVE_INTERVAL / NSEC_PER_SEC) *
		     NSEC_PER_SEC;
	t.count = sysctl_or(s, node, "net.ipv4.tcp_keepalive_probes", KEEPALIVE_COUNT);
	t.idle = scenario_option(a, OPTION_KEEPALIVE_IDLE, t.idle);
	t.interval = scenario_option(a, OPTION_KEEPALIVE_INTERVAL, t.interval);
	t.count = scenario_option(a, OPTION_KEEPALIVE_COUNT, t.count);
	return t;
}

/* When a timer of that span goes off. */
static nsec_t fires(const struct timers *t, nsec_t span)
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
static nsec_t retransmission_death(const struct timers *t, nsec_t rto, bool probe)
{
	nsec_t threshold = model_threshold(t->retries2, RTO_MIN, t->rto_max);
	nsec_t now = probe ? fires(t, rto) : 0, first;

	if (t->user_timeout)
		threshold = t->user_timeout;
	now += fires(t, rto);
	for (first = now; now - first < threshold;) {
		nsec_t wait = rto = min_nsec(rto * 2, t->rto_max);

		if (t->user_timeout)
			wait = min_nsec(wait, threshold - (now - first));
		now += fires(t, wait);
	}
	return now;
}

/* tcp_keepalive_timer(): a first probe after `idle`, then one every `interval` until `count` have
 * gone unanswered; with a user timeout, until that much silence and at least one probe. */
static nsec_t keepalive_death(const struct timers *t)
{
	nsec_t now = fires(t, t->idle);

	for (int64_t probes = 1;; probes++) {
		now += fires(t, t->interval);
		if (t->user_timeout ? now >= t->user_timeout : probes >= t->count)
			return now;
	}
}

/* Whether the path to the peer is silent from the first event on, beyond this end's first hop. */
static bool peer_is_lost(const struct scenario *s, enum node_id node)
{
	const struct event *e = s->events;

	if (s->n_events != 1 || e->kind != EVENT_FAULT || s->path.kind != PATH_ROUTED)
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
	case FAULT_ADDRESS_REMOVE:
	case FAULT_DROP:
	case FAULT_NETEM:
	case FAULT_REBOOT:
	case FAULT_CRASH:
	case FAULT_FREEZE:
	case _FAULT_KIND_MAX:
		break;
	}
	return false;
}

/* ICMP net or host unreachable undoes the back-off (RFC 6069, tcp_ipv4.c: tcp_ld_RTO_revert();
 * tcp_ipv6.c does it for "no route"), so timeouts come closer together than doubling says. */
static bool backoff_is_undone(const struct event *e)
{
	return e->fault == FAULT_UNREACHABLE ||
	       (e->fault == FAULT_INTERFACE_DOWN && e->node == NODE_ROUTER);
}

/* How long after the fault the first segment is sent that gets no answer; NSEC_NEVER: none is. */
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

static void widen(struct prediction *p, nsec_t at)
{
	if (p->mechanism == MECHANISM_NONE || at < p->earliest_nsec)
		p->earliest_nsec = at;
	if (p->mechanism == MECHANISM_NONE || at > p->latest_nsec)
		p->latest_nsec = at;
}

/* With a long RTT there is data in flight when the fault strikes, whose timer has been running for
 * up to that long; and answers under way still move the estimate that the timeout comes from. */
static struct prediction predict_busy(struct timers *t, nsec_t rto, nsec_t rtt, nsec_t send_latest,
				      bool undone)
{
	struct prediction p = { 0 };

	for (int i = 0; i < 3 * 2 * 5; i++) {
		nsec_t timeout = rto + rtt * (i / 6 - 2) / 8, at;

		t->late = i % 3;
		at = retransmission_death(t, timeout, i / 3 % 2);
		widen(&p, at - rtt);
		p.mechanism = t->user_timeout ? MECHANISM_USER_TIMEOUT : MECHANISM_RETRANSMISSION;
		widen(&p, at + send_latest);
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

struct prediction model_predict(const struct scenario *s, enum family family, enum node_id node,
				const struct model_facts *facts)
{
	struct timers t = timers_of(s, node, facts->hz);
	nsec_t send = first_send(&s->agent[node]), rto = facts->rto_nsec;

	if (!peer_is_lost(s, node))
		return (struct prediction){ 0 };
	if (rto == NSEC_NONE)
		rto = t.rto_min + 2 * s->path.netem.delay_nsec + NSEC_PER_SEC / facts->hz;
	if (send != NSEC_NEVER)
		return predict_busy(&t, rto, facts->rtt_nsec, send, backoff_is_undone(s->events));
	if (t.keepalive)
		return predict_idle(&t, facts->established_nsec);
	return (struct prediction){ 0 };
}
