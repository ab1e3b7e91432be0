/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long what is left of a connection stays: small sockets, orphans, handshakes without an end.
 */
#include "src/model/timers.h"

#define TIMEWAIT_LEN   (60 * NSEC_PER_SEC) /* include/net/tcp.h: TCP_TIMEWAIT_LEN */
#define FIN_TIMEOUT    60		   /* seconds */
#define SYNACK_TIMEOUT (1 * NSEC_PER_SEC)  /* TCP_TIMEOUT_INIT */
#define SYNACK_RETRIES 5
#define ORPHAN_RETRIES 8 /* tcp_orphan_retries(): what 0 stands for */
#define RTO_FALLBACK   (204 * NSEC_PER_MSEC)

static void widen(struct prediction *p, nsec_t at)
{
	if (p->mechanism == MECHANISM_NONE || at < p->earliest_nsec)
		p->earliest_nsec = at;
	if (p->mechanism == MECHANISM_NONE || at > p->latest_nsec)
		p->latest_nsec = at;
}

/* tcp_time_wait(): an orphan in FIN_WAIT2 waits as a small socket, and what is beyond TIME_WAIT's
 * time first as a full one (tcp_rcv_state_process(), tcp_close(): tcp_fin_time()). That is at least
 * 3.5 RTOs. */
static nsec_t fin_wait_2(const struct timers *t, const struct scenario *s, enum node_id node,
			 nsec_t rto)
{
	nsec_t span =
		model_sysctl_or(s, node, "net.ipv4.tcp_fin_timeout", FIN_TIMEOUT) * NSEC_PER_SEC;

	if (span < 7 * rto / 2)
		span = 7 * rto / 2;
	if (span <= TIMEWAIT_LEN)
		return model_fires(t, span);
	return model_fires(t, span - TIMEWAIT_LEN) + model_fires(t, TIMEWAIT_LEN);
}

/* reqsk_timer_handler(): a SYN-ACK at each timeout, doubling, and the end after the last. */
static nsec_t syn_recv(const struct timers *t, const struct scenario *s, enum node_id node)
{
	int64_t retries = model_sysctl_or(s, node, "net.ipv4.tcp_synack_retries", SYNACK_RETRIES);
	nsec_t now = 0, timeout = SYNACK_TIMEOUT;

	for (int64_t i = 0; i <= retries; i++) {
		now += model_fires(t, timeout < t->rto_max ? timeout : t->rto_max);
		timeout *= 2;
	}
	return now;
}

/* tcp_write_timeout(): a socket that no process holds is given up by tcp_orphan_retries. */
static struct prediction orphan(struct timers *t, const struct scenario *s, enum node_id node,
				nsec_t rto)
{
	int64_t retries = model_sysctl_or(s, node, "net.ipv4.tcp_orphan_retries", 0);
	struct prediction p = { 0 };

	t->retries2 = retries ? (unsigned int)retries : ORPHAN_RETRIES;
	for (unsigned int i = 0; i < 3 * 2; i++) {
		t->late = i % 3;
		widen(&p, model_retransmission_death(t, rto, i / 3));
		p.mechanism = MECHANISM_ORPHAN;
	}
	return p;
}

struct prediction model_gone(const struct scenario *scenario, enum node_id node,
			     const struct model_facts *facts, enum mechanism mechanism)
{
	struct timers t = model_timers_of(scenario, node, facts);
	nsec_t rto = facts->rto_nsec == NSEC_NONE ? RTO_FALLBACK : facts->rto_nsec;
	struct prediction p = { 0 };

	if (mechanism == MECHANISM_ORPHAN)
		return orphan(&t, scenario, node, rto);
	for (t.late = 0; t.late <= 2; t.late++) {
		if (mechanism == MECHANISM_TIME_WAIT)
			widen(&p, model_fires(&t, TIMEWAIT_LEN));
		else if (mechanism == MECHANISM_FIN_WAIT_2)
			widen(&p, fin_wait_2(&t, scenario, node, rto));
		else if (mechanism == MECHANISM_SYNACK)
			widen(&p, syn_recv(&t, scenario, node));
		else
			return p;
		p.mechanism = mechanism;
	}
	return p;
}
