/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long what is left of a connection stays: small sockets, orphans, and handshakes that nobody
 * completes. */
#include "src/model/model.h"

#include "src/model/timers.h"

#define TIMEWAIT_LEN   (60 * NSEC_PER_SEC) /* include/net/tcp.h: TCP_TIMEWAIT_LEN */
#define FIN_TIMEOUT    60		   /* seconds */
#define SYNACK_TIMEOUT (1 * NSEC_PER_SEC)  /* TCP_TIMEOUT_INIT */
#define SYNACK_RETRIES 5
#define ORPHAN_RETRIES 8 /* tcp_orphan_retries(): what 0 stands for */
#define RTO_USUAL      (204 * NSEC_PER_MSEC)

/* tcp_time_wait(): an orphan in FIN_WAIT2 waits as a small socket for up to the time of TIME_WAIT.
 * If it has to wait longer, it spends the time beyond that first, as a full socket
 * (tcp_rcv_state_process(), tcp_close(): tcp_fin_time()). The whole is at least 3.5 RTOs. */
static nsec_t fin_wait_2(const struct timers *t, const struct scenario *s, enum node_id node,
			 nsec_t rto_nsec)
{
	nsec_t span_nsec =
		timers_sysctl_or(s, node, "net.ipv4.tcp_fin_timeout", FIN_TIMEOUT) * NSEC_PER_SEC;

	span_nsec = nsec_max(span_nsec, 7 * rto_nsec / 2);
	if (span_nsec <= TIMEWAIT_LEN)
		return timers_fire(t, span_nsec);
	return timers_fire(t, span_nsec - TIMEWAIT_LEN) + timers_fire(t, TIMEWAIT_LEN);
}

/* reqsk_timer_handler(): each timeout sends another SYN-ACK and doubles, and the one after the last
 * SYN-ACK ends the request. */
static nsec_t syn_recv(const struct timers *t, const struct scenario *s, enum node_id node)
{
	int64_t retries = timers_sysctl_or(s, node, "net.ipv4.tcp_synack_retries", SYNACK_RETRIES);
	nsec_t now_nsec = 0, timeout_nsec = SYNACK_TIMEOUT;

	for (int64_t i = 0; i <= retries; i++) {
		now_nsec += timers_fire(t, nsec_min(timeout_nsec, t->rto_max_nsec));
		timeout_nsec *= 2;
	}
	return now_nsec;
}

/* tcp_write_timeout(): tcp_orphan_retries decides when a socket that no process holds is given
 * up. */
static struct prediction orphan(struct timers *t, const struct scenario *s, enum node_id node,
				nsec_t rto_nsec)
{
	int64_t retries = timers_sysctl_or(s, node, "net.ipv4.tcp_orphan_retries", 0);
	struct prediction p = { 0 };

	t->retries2 = retries ? (unsigned int)retries : ORPHAN_RETRIES;
	for (t->late = 0; t->late <= TIMERS_LATE_MAX; t->late++) {
		timers_widen(&p, timers_retransmission_death(t, rto_nsec, false), MECHANISM_ORPHAN);
		timers_widen(&p, timers_retransmission_death(t, rto_nsec, true), MECHANISM_ORPHAN);
	}
	return p;
}

struct prediction model_gone(const struct scenario *scenario, enum node_id node,
			     const struct model_facts *facts, enum mechanism mechanism)
{
	struct timers t = timers_of(scenario, node, facts);
	nsec_t rto_nsec = facts->rto_nsec == NSEC_NONE ? RTO_USUAL : facts->rto_nsec;
	struct prediction p = { 0 };

	if (mechanism == MECHANISM_ORPHAN)
		return orphan(&t, scenario, node, rto_nsec);
	for (t.late = 0; t.late <= TIMERS_LATE_MAX; t.late++) {
		if (mechanism == MECHANISM_TIME_WAIT)
			timers_widen(&p, timers_fire(&t, TIMEWAIT_LEN), mechanism);
		else if (mechanism == MECHANISM_FIN_WAIT_2)
			timers_widen(&p, fin_wait_2(&t, scenario, node, rto_nsec), mechanism);
		else if (mechanism == MECHANISM_SYNACK)
			timers_widen(&p, syn_recv(&t, scenario, node), mechanism);
	}
	return p;
}
