/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/timers.h"

#include <stdlib.h>
#include <string.h>

/* include/net/tcp.h: TCP_RTO_MAX, TCP_RETR2, TCP_KEEPALIVE_TIME, _PROBES, _INTVL. */
#define RTO_MAX		   (120 * NSEC_PER_SEC)
#define RETRIES2	   15
#define KEEPALIVE_IDLE	   (7200 * NSEC_PER_SEC)
#define KEEPALIVE_INTERVAL (75 * NSEC_PER_SEC)
#define KEEPALIVE_COUNT	   9

/* TCP_TIMEOUT_INIT, TCP_SYN_RETRIES; the sysctl's default is in net/ipv4/tcp_ipv4.c:
 * tcp_sk_init(). */
#define SYN_RTO		  NSEC_PER_SEC
#define SYN_RETRIES	  6
#define SYN_LINEAR_SYSCTL "net.ipv4.tcp_syn_linear_timeouts"
#define PROBE_SHIFT_MAX	  10 /* tcp_probe0_when(): ilog2(TCP_RTO_MAX / TCP_RTO_MIN) + 1 */

/* kernel/time/timer.c: LVL_SIZE, LVL_CLK_SHIFT, LVL_DEPTH with HZ > 100. */
#define WHEEL_SIZE   64
#define WHEEL_SHIFT  3
#define WHEEL_LEVELS 9

/* calc_wheel_index(): level n takes spans from LVL_START(n) on, in steps of 8^n ticks. */
nsec_t timers_granule(unsigned int hz, nsec_t span_nsec)
{
	nsec_t tick_nsec = NSEC_PER_SEC / hz;
	int64_t ticks = span_nsec / tick_nsec;
	unsigned int level = 0;

	while (level + 1 < WHEEL_LEVELS &&
	       ticks >= ((int64_t)(WHEEL_SIZE - 1) << (level * WHEEL_SHIFT)))
		level++;
	return tick_nsec << (level * WHEEL_SHIFT);
}

nsec_t timers_threshold(unsigned int retries, nsec_t rto_min_nsec, nsec_t rto_max_nsec)
{
	nsec_t sum_nsec = 0, rto_nsec = rto_min_nsec;

	for (unsigned int i = 0; i <= retries; i++) {
		sum_nsec += nsec_min(rto_nsec, rto_max_nsec);
		rto_nsec = nsec_min(rto_nsec * 2, rto_max_nsec);
	}
	return sum_nsec;
}

/* The values that the kernel takes (net/ipv4/sysctl_net_ipv4.c; a time in seconds is counted in
 * ticks, of which INT_MAX are the most). The kernel refuses other values when a trial runs, but a
 * study is counted before that, and a model of 2^32 retransmissions would not come to an end. */
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

int64_t timers_sysctl_or(const struct scenario *s, enum node_id node, const char *key,
			 int64_t usual)
{
	const char *text = scenario_sysctl(s, node, key);
	int64_t value = text ? strtoll(text, NULL, 0) : usual;

	for (size_t i = 0; text && i < ARRAY_SIZE(bounds); i++)
		if (!strcmp(bounds[i].key, key)) {
			value = value < bounds[i].minimum ? bounds[i].minimum : value;
			value = value > bounds[i].maximum ? bounds[i].maximum : value;
		}
	return value;
}

/* A time that a sysctl gives in units of `unit_nsec`. */
static nsec_t time_or(const struct scenario *s, enum node_id node, const char *key,
		      nsec_t usual_nsec, nsec_t unit_nsec)
{
	return timers_sysctl_or(s, node, key, usual_nsec / unit_nsec) * unit_nsec;
}

static unsigned int count_or(const struct scenario *s, enum node_id node, const char *key,
			     unsigned int usual)
{
	return (unsigned int)timers_sysctl_or(s, node, key, usual);
}

struct timers timers_of(const struct scenario *s, enum node_id node,
			const struct model_facts *facts)
{
	const struct scenario_agent *a = &s->agent[node];
	struct timers t = { .hz = facts->hz };

	t.rto_min_nsec = time_or(s, node, "net.ipv4.tcp_rto_min_us", TIMERS_RTO_MIN, NSEC_PER_USEC);
	t.rto_max_nsec = time_or(s, node, "net.ipv4.tcp_rto_max_ms", RTO_MAX, NSEC_PER_MSEC);
	t.retries2 = count_or(s, node, "net.ipv4.tcp_retries2", RETRIES2);
	t.syn_retries = (unsigned int)scenario_option(
		a, OPTION_SYN_COUNT, count_or(s, node, "net.ipv4.tcp_syn_retries", SYN_RETRIES));
	t.syn_linear = count_or(s, node, SYN_LINEAR_SYSCTL, facts->syn_linear);
	t.user_timeout_nsec = scenario_option(a, OPTION_USER_TIMEOUT, 0);
	t.keepalive = scenario_option(a, OPTION_KEEPALIVE, 0);
	t.idle_nsec = scenario_option(
		a, OPTION_KEEPALIVE_IDLE,
		time_or(s, node, "net.ipv4.tcp_keepalive_time", KEEPALIVE_IDLE, NSEC_PER_SEC));
	t.interval_nsec = scenario_option(
		a, OPTION_KEEPALIVE_INTERVAL,
		time_or(s, node, "net.ipv4.tcp_keepalive_intvl", KEEPALIVE_INTERVAL, NSEC_PER_SEC));
	t.count = scenario_option(
		a, OPTION_KEEPALIVE_COUNT,
		timers_sysctl_or(s, node, "net.ipv4.tcp_keepalive_probes", KEEPALIVE_COUNT));
	return t;
}

nsec_t timers_fire(const struct timers *t, nsec_t span_nsec)
{
	return span_nsec + timers_granule(t->hz, span_nsec) * t->late / TIMERS_LATE_MAX;
}

/*
 * tcp_retransmit_timer(), tcp_write_timeout(), retransmits_timed_out(): the connection ends at
 * the first timeout at which the time since the first retransmission has reached the threshold;
 * with a user timeout, that is the threshold, and tcp_clamp_rto_to_user_timeout() makes the timer
 * go off right then. A loss probe (tcp_send_loss_probe()) comes before the first timeout and starts
 * its timer anew. The kernel computes the threshold from TCP_RTO_MIN, whatever tcp_rto_min_us says.
 */
nsec_t timers_retransmission_death(const struct timers *t, nsec_t rto_nsec, bool probe)
{
	nsec_t threshold_nsec = timers_threshold(t->retries2, TIMERS_RTO_MIN, t->rto_max_nsec);
	nsec_t now_nsec = probe ? timers_fire(t, rto_nsec) : 0, first_nsec;

	if (t->user_timeout_nsec)
		threshold_nsec = t->user_timeout_nsec;
	now_nsec += timers_fire(t, rto_nsec);
	for (first_nsec = now_nsec; now_nsec - first_nsec < threshold_nsec;) {
		nsec_t wait_nsec = rto_nsec = nsec_min(rto_nsec * 2, t->rto_max_nsec);

		if (t->user_timeout_nsec)
			wait_nsec = nsec_min(wait_nsec, threshold_nsec - (now_nsec - first_nsec));
		now_nsec += timers_fire(t, wait_nsec);
	}
	return now_nsec;
}

/*
 * tcp_write_timeout() in SYN_SENT: the attempt ends at the first timeout that finds as many
 * retransmissions as are allowed, the linear ones included; or at the first that finds the time
 * since connect() above the user timeout, or, without one, above what tcp_syn_retries alone stands
 * for, which with linear timeouts may come first.
 */
nsec_t timers_syn_death(const struct timers *t)
{
	nsec_t limit_nsec = t->user_timeout_nsec
				    ? t->user_timeout_nsec
				    : timers_threshold(t->syn_retries, SYN_RTO, t->rto_max_nsec);
	nsec_t rto_nsec = SYN_RTO, now_nsec = timers_fire(t, rto_nsec);
	unsigned int retransmits = 0;

	while (retransmits < t->syn_retries + t->syn_linear &&
	       (!retransmits || now_nsec < limit_nsec)) {
		nsec_t wait_nsec;

		if (++retransmits > t->syn_linear)
			rto_nsec = nsec_min(rto_nsec * 2, t->rto_max_nsec);
		wait_nsec =
			t->user_timeout_nsec ? nsec_min(rto_nsec, limit_nsec - now_nsec) : rto_nsec;
		now_nsec += timers_fire(t, wait_nsec > 0 ? wait_nsec : NSEC_PER_SEC / t->hz);
	}
	return now_nsec;
}

/*
 * tcp_probe_timer(): as many probes as tcp_retries2 says may stay unanswered. A user timeout runs
 * from the first probe on, whether probes are answered or not.
 */
nsec_t timers_persist_death(const struct timers *t, nsec_t rto_nsec, nsec_t closed_nsec,
			    nsec_t lost_nsec)
{
	nsec_t base_nsec = nsec_max(rto_nsec, TIMERS_RTO_MIN);
	nsec_t now_nsec = closed_nsec + timers_fire(t, base_nsec), first_nsec = now_nsec;
	unsigned int unanswered = 0, backoff = 0;

	if (!t->user_timeout_nsec && lost_nsec == NSEC_NEVER)
		return NSEC_NEVER;
	while (unanswered < t->retries2 && !(t->user_timeout_nsec && now_nsec > first_nsec &&
					     now_nsec - first_nsec >= t->user_timeout_nsec)) {
		nsec_t wait_nsec;

		unanswered += now_nsec >= lost_nsec;
		backoff += backoff < t->retries2;
		wait_nsec = nsec_min(
			base_nsec << (backoff < PROBE_SHIFT_MAX ? backoff : PROBE_SHIFT_MAX),
			t->rto_max_nsec);
		if (t->user_timeout_nsec)
			wait_nsec =
				nsec_min(wait_nsec, t->user_timeout_nsec - (now_nsec - first_nsec));
		now_nsec += timers_fire(t, wait_nsec);
	}
	return now_nsec;
}

/* tcp_keepalive_timer(): a first probe is sent after the idle time, then one every interval until
 * `count` of them have gone unanswered; with a user timeout, until that much silence and at least
 * one probe. */
nsec_t timers_keepalive_death(const struct timers *t)
{
	nsec_t now_nsec = timers_fire(t, t->idle_nsec), tick_nsec = NSEC_PER_SEC / t->hz;

	for (int64_t probes = 1;; probes++) {
		now_nsec += timers_fire(t, nsec_max(t->interval_nsec, tick_nsec));
		if (t->user_timeout_nsec ? now_nsec >= t->user_timeout_nsec : probes >= t->count)
			return now_nsec;
	}
}

void timers_widen(struct prediction *p, nsec_t at_nsec, enum mechanism mechanism)
{
	bool empty = p->mechanism == MECHANISM_NONE;

	p->earliest_nsec = empty ? at_nsec : nsec_min(p->earliest_nsec, at_nsec);
	p->latest_nsec = empty ? at_nsec : nsec_max(p->latest_nsec, at_nsec);
	p->mechanism = mechanism;
}
