/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/timers.h"

#include <stdlib.h>
#include <string.h>

#include "src/model/wheel.h"

/* include/net/tcp.h: TCP_RTO_MAX, TCP_RETR2, TCP_KEEPALIVE_TIME, _PROBES, _INTVL. */
#define RTO_MAX		   (120 * NSEC_PER_SEC)
#define RETRIES2	   15
#define KEEPALIVE_IDLE	   (7200 * NSEC_PER_SEC)
#define KEEPALIVE_INTERVAL (75 * NSEC_PER_SEC)
#define KEEPALIVE_COUNT	   9

/* TCP_SYN_RETRIES, TCP_SYNACK_RETRIES, TCP_FIN_TIMEOUT (seconds); the sysctl's default is in
 * net/ipv4/tcp_ipv4.c: tcp_sk_init(). */
#define SYN_RETRIES	  6
#define SYNACK_RETRIES	  5
#define FIN_TIMEOUT	  60
#define EARLY_RETRANS	  3
#define SYN_LINEAR_SYSCTL "net.ipv4.tcp_syn_linear_timeouts"

nsec_t timers_threshold(unsigned int retries, nsec_t rto_min_nsec, nsec_t rto_max_nsec)
{
	nsec_t sum_nsec = 0, rto_nsec = rto_min_nsec;

	for (unsigned int i = 0; i <= retries; i++) {
		sum_nsec += nsec_min(rto_nsec, rto_max_nsec);
		rto_nsec = nsec_min(rto_nsec * 2, rto_max_nsec);
	}
	return sum_nsec;
}

/* A time that a sysctl gives in units of `unit_nsec`. */
static nsec_t time_or(const struct scenario *s, enum node_id node, const char *key,
		      nsec_t usual_nsec, nsec_t unit_nsec)
{
	return scenario_sysctl_number(s, node, key, usual_nsec / unit_nsec) * unit_nsec;
}

static unsigned int count_or(const struct scenario *s, enum node_id node, const char *key,
			     unsigned int usual)
{
	return (unsigned int)scenario_sysctl_number(s, node, key, usual);
}

/* tcp_schedule_loss_probe(): 3 and 4 mean yes, and both ends must take selective
 * acknowledgements. */
static bool sends_loss_probes(const struct scenario *s, enum node_id node)
{
	int64_t early =
		scenario_sysctl_number(s, node, "net.ipv4.tcp_early_retrans", EARLY_RETRANS);

	return (early == 3 || early == 4) &&
	       scenario_sysctl_number(s, NODE_CLIENT, "net.ipv4.tcp_sack", 1) &&
	       scenario_sysctl_number(s, NODE_SERVER, "net.ipv4.tcp_sack", 1);
}

/* What a program has set, where that was read of its socket. */
static void take_options(struct timers *t, const struct socket_options *o)
{
	t->keepalive = o->keepalive;
	if (o->keepalive_idle_nsec != NSEC_NONE)
		t->idle_nsec = o->keepalive_idle_nsec;
	if (o->keepalive_interval_nsec != NSEC_NONE)
		t->interval_nsec = o->keepalive_interval_nsec;
	if (o->keepalive_count >= 0)
		t->count = (unsigned int)o->keepalive_count;
	t->user_timeout_nsec = o->user_timeout_nsec == NSEC_NONE ? 0 : o->user_timeout_nsec;
}

struct timers timers_of(const struct scenario *s, enum node_id node,
			const struct model_facts *facts)
{
	const struct scenario_agent *a = &s->agent[node];
	struct timers t = { .hz = facts->hz };

	t.rto_min_nsec = time_or(s, node, "net.ipv4.tcp_rto_min_us", TIMERS_RTO_MIN, NSEC_PER_USEC);
	/* tcp_init_sock() keeps it in jiffies: 50 ms are 52 ms at HZ=250. */
	t.rto_min_nsec = wheel_usecs_to_jiffies(t.hz, t.rto_min_nsec / NSEC_PER_USEC) *
			 (NSEC_PER_SEC / t.hz);
	t.rto_max_nsec = time_or(s, node, "net.ipv4.tcp_rto_max_ms", RTO_MAX, NSEC_PER_MSEC);
	t.retries2 = count_or(s, node, "net.ipv4.tcp_retries2", RETRIES2);
	t.syn_retries = (unsigned int)scenario_option(
		a, OPTION_SYN_COUNT, count_or(s, node, "net.ipv4.tcp_syn_retries", SYN_RETRIES));
	t.syn_linear = count_or(s, node, SYN_LINEAR_SYSCTL, facts->syn_linear);
	t.user_timeout_nsec = scenario_option(a, OPTION_USER_TIMEOUT, 0);
	t.orphan_retries = count_or(s, node, "net.ipv4.tcp_orphan_retries", 0);
	t.synack_retries = (unsigned int)scenario_option(
		a, OPTION_SYN_COUNT,
		count_or(s, node, "net.ipv4.tcp_synack_retries", SYNACK_RETRIES));
	t.synack_max_nsec = facts->synack_capped ? t.rto_max_nsec : RTO_MAX;
	t.fin_timeout_nsec = time_or(s, node, "net.ipv4.tcp_fin_timeout",
				     FIN_TIMEOUT * NSEC_PER_SEC, NSEC_PER_SEC);
	t.loss_probes = sends_loss_probes(s, node);
	t.thin = scenario_sysctl_number(s, node, "net.ipv4.tcp_thin_linear_timeouts", 0);
	t.collapse = scenario_sysctl_number(s, node, "net.ipv4.tcp_retrans_collapse", 1);
	t.keepalive = scenario_option(a, OPTION_KEEPALIVE, 0);
	t.idle_nsec = scenario_option(
		a, OPTION_KEEPALIVE_IDLE,
		time_or(s, node, "net.ipv4.tcp_keepalive_time", KEEPALIVE_IDLE, NSEC_PER_SEC));
	t.interval_nsec = scenario_option(
		a, OPTION_KEEPALIVE_INTERVAL,
		time_or(s, node, "net.ipv4.tcp_keepalive_intvl", KEEPALIVE_INTERVAL, NSEC_PER_SEC));
	t.count = scenario_option(
		a, OPTION_KEEPALIVE_COUNT,
		scenario_sysctl_number(s, node, "net.ipv4.tcp_keepalive_probes", KEEPALIVE_COUNT));
	if (facts->options && scenario_is_command(a))
		take_options(&t, facts->options);
	return t;
}
