/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/cause.h"

#include <errno.h>

#include "src/tcp/state.h"

/* A socket that its program has closed is an orphan after its FIN. Packets do not show whether it
 * was closed, but reports do. */
static bool is_orphan(const struct endpoint *ep)
{
	bool closing = ep->end_from == TCP_STATE_FIN_WAIT1 || ep->end_from == TCP_STATE_FIN_WAIT2 ||
		       ep->end_from == TCP_STATE_CLOSING || ep->end_from == TCP_STATE_LAST_ACK;

	return ep->facts.dead ||
	       (ep->derived && closing && !ep->application_error && (ep->closed || ep->crashed));
}

/* How long the attempt to connect took at most: the kernel's clock of milliseconds and ticks may be
 * short of it by 10 ms. */
static nsec_t attempt_took(const struct endpoint *ep)
{
	if (!ep->record.n_states || ep->kernel_nsec == NSEC_NONE)
		return 0;
	return ep->kernel_nsec - ep->record.states[0].time_nsec + 10 * NSEC_PER_MSEC;
}

/* How long before its end it last sent data, which probes do not have. The peer's window was not
 * closed then. */
static nsec_t quiet_for(const struct endpoint *ep)
{
	for (size_t i = ep->record.n_packets; i-- > 0;) {
		const struct record_packet *p = &ep->record.packets[i];

		if (p->sent && p->payload)
			return ep->kernel_nsec - p->time_nsec;
	}
	return NSEC_NEVER;
}

/*
 * Which timer gave up. net/ipv4/tcp_timer.c: tcp_keepalive_timer() ends nothing while data is
 * outstanding; with TCP_USER_TIMEOUT set it, tcp_write_timeout() and tcp_probe_timer() all obey
 * that instead of their own counts; but of probes into a closed window tcp_retries2 may go
 * unanswered at most, whatever the user timeout. Probes without a keepalive are zero window probes.
 */
static enum mechanism timer_mechanism(const struct endpoint *ep)
{
	const struct socket_facts *f = &ep->facts;
	bool dead = is_orphan(ep);
	nsec_t user_timeout_nsec = f->user_timeout_msec ? f->user_timeout_msec * NSEC_PER_MSEC
				   : ep->derived	? ep->user_timeout_nsec
							: 0;

	/* In SYN_SENT the count of retransmissions holds beside the user timeout. */
	if (ep->end_from == TCP_STATE_SYN_SENT)
		return user_timeout_nsec && attempt_took(ep) >= user_timeout_nsec
			       ? MECHANISM_USER_TIMEOUT
			       : MECHANISM_SYN;
	if (ep->end_from == TCP_STATE_SYN_RECV)
		return MECHANISM_SYNACK;
	if (dead && ep->end_from == TCP_STATE_FIN_WAIT2)
		return MECHANISM_FIN_WAIT_2;
	if (dead)
		return MECHANISM_ORPHAN;
	if (user_timeout_nsec && f->unsent && !f->unacknowledged &&
	    quiet_for(ep) < user_timeout_nsec)
		return MECHANISM_PERSIST;
	if (user_timeout_nsec)
		return MECHANISM_USER_TIMEOUT;
	if (f->unacknowledged || f->retransmits)
		return MECHANISM_RETRANSMISSION;
	if (f->unsent)
		return MECHANISM_PERSIST;
	if (f->keepalive || f->probes)
		return MECHANISM_KEEPALIVE;
	return MECHANISM_NONE;
}

static bool is_unreachable(int error)
{
	return error == EHOSTUNREACH || error == ENETUNREACH || error == EACCES ||
	       error == EPROTO || error == ENETDOWN || error == EHOSTDOWN || error == ENOPROTOOPT;
}

/* An ICMP error ends a connection at once only in SYN_SENT, or where the program has asked for that
 * (IP_RECVERR). Otherwise the kernel keeps it until a timer gives up. */
static struct cause cause_of_timer(const struct endpoint *ep, int error, bool felt)
{
	struct cause cause = { OUTCOME_TIMED_OUT, timer_mechanism(ep), felt ? error : 0 };

	if (!is_unreachable(error))
		return cause;
	cause.outcome = OUTCOME_UNREACHABLE;
	if (!ep->socket) /* no SYN was sent, because this host itself has no route */
		cause.mechanism = MECHANISM_LOCAL;
	else if (ep->end_from == TCP_STATE_SYN_SENT)
		cause.mechanism = MECHANISM_ICMP;
	return cause;
}

static struct cause cause_of_closed(const struct endpoint *ep)
{
	bool first =
		ep->local_close_nsec != NSEC_NONE && (ep->fin_received_nsec == NSEC_NONE ||
						      ep->local_close_nsec < ep->fin_received_nsec);

	if (ep->time_wait)
		return (struct cause){ OUTCOME_CLOSED, MECHANISM_TIME_WAIT, 0 };
	return (struct cause){ OUTCOME_CLOSED, first ? MECHANISM_LOCAL : MECHANISM_FIN_RECEIVED,
			       0 };
}

/* Whether this end reset the connection, by SO_LINGER 0 or because unread data was left at close.
 * The close may be the kernel's after the death of the process, and then it ends the socket before
 * that is an orphan (__tcp_close()). */
static bool aborted(const struct endpoint *ep)
{
	return ep->reset_sent_nsec != NSEC_NONE && ep->facts.error != ETIMEDOUT &&
	       !is_unreachable(ep->facts.error) && !ep->application_error &&
	       (ep->facts.dead || ep->crashed || endpoint_closed_locally(ep));
}

/* Whether a timer gave up, where neither tracepoints nor the program tell the errno. It did if
 * segments were unanswered and neither FIN nor RST came. */
static bool timer_gave_up(const struct endpoint *ep)
{
	bool orphan = ep->end_from == TCP_STATE_CLOSING || ep->end_from == TCP_STATE_LAST_ACK;

	if (!ep->derived || ep->facts.error || ep->application_error ||
	    !(ep->facts.retransmits || ep->facts.probes))
		return false;
	/* An orphan may also have ended by the acknowledgement of its FIN. */
	if (orphan)
		return !ep->time_wait && ep->last_received_nsec != ep->gone_nsec;
	return ep->fin_received_nsec == NSEC_NONE &&
	       (ep->end_from == TCP_STATE_ESTABLISHED || ep->end_from == TCP_STATE_CLOSE_WAIT);
}

static struct cause cause_of_end(const struct endpoint *ep)
{
	int error = ep->application_error ? ep->application_error : ep->facts.error;
	bool felt = ep->application_error || !ep->facts.dead; /* no call tells an orphan's error */

	if (ep->heartbeat)
		return (struct cause){ OUTCOME_TIMED_OUT, MECHANISM_HEARTBEAT, 0 };
	if (ep->reset_received_nsec != NSEC_NONE || error == ECONNRESET || error == ECONNREFUSED)
		return (struct cause){ ep->end_from == TCP_STATE_SYN_SENT ? OUTCOME_REFUSED
									  : OUTCOME_RESET,
				       MECHANISM_RST_RECEIVED, error };
	if (error == ETIMEDOUT || is_unreachable(error))
		return cause_of_timer(ep, error, felt);
	if (aborted(ep))
		return (struct cause){ OUTCOME_RESET, MECHANISM_LOCAL, 0 };
	if (ep->fin_received_nsec == NSEC_NONE && ep->state == TCP_STATE_CLOSE && !ep->time_wait &&
	    (ep->end_from == TCP_STATE_SYN_RECV || ep->end_from == TCP_STATE_FIN_WAIT1 ||
	     ep->end_from == TCP_STATE_FIN_WAIT2))
		return (struct cause){ OUTCOME_TIMED_OUT, timer_mechanism(ep), 0 };
	if (timer_gave_up(ep))
		return cause_of_timer(ep, 0, true);
	if (!error)
		return cause_of_closed(ep);
	return (struct cause){ OUTCOME_REFUSED, MECHANISM_NONE, error };
}

struct cause cause_of(const struct endpoint *ep, const struct endpoint_context *context)
{
	bool over =
		ep->kernel_nsec != NSEC_NONE || ep->heartbeat || ep->application_nsec != NSEC_NONE;

	if (over &&
	    (!ep->powerless || ep->state == TCP_STATE_CLOSE || ep->state == TCP_STATE_TIME_WAIT))
		return cause_of_end(ep);
	if (ep->powerless || !ep->state)
		return (struct cause){ OUTCOME_NONE, MECHANISM_NONE, 0 };
	if (context->usable)
		return (struct cause){ OUTCOME_SURVIVED, MECHANISM_NONE, 0 };
	if (context->full_term)
		return (struct cause){ OUTCOME_UNDETECTED, MECHANISM_NONE, 0 };
	return (struct cause){ OUTCOME_NONE, MECHANISM_NONE, 0 };
}
