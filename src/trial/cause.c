/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/cause.h"

#include <errno.h>

#include "src/tcp/state.h"

/* A program that answers a close does so within this time, from the close to its own. */
#define AT_ONCE (1 * NSEC_PER_SEC)

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
	if (!ep->record.n_states || ep->end_nsec == NSEC_NONE)
		return 0;
	return ep->end_nsec - ep->record.states[0].time_nsec + 10 * NSEC_PER_MSEC;
}

/* How long before its end it last sent data, which probes do not have. The peer's window was not
 * closed then. */
static nsec_t quiet_for(const struct endpoint *ep)
{
	for (size_t i = ep->record.n_packets; i-- > 0;) {
		const struct record_packet *p = &ep->record.packets[i];

		if (p->sent && p->payload)
			return ep->end_nsec - p->time_nsec;
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
		return user_timeout_nsec ? MECHANISM_USER_TIMEOUT : MECHANISM_ORPHAN;
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
	struct cause cause = { .outcome = OUTCOME_TIMED_OUT,
			       .mechanism = timer_mechanism(ep),
			       .error = felt ? error : 0 };

	if (!is_unreachable(error))
		return cause;
	cause.outcome = OUTCOME_UNREACHABLE;
	if (!ep->socket) /* no SYN was sent, because this host itself has no route */
		cause.mechanism = MECHANISM_LOCAL;
	else if (ep->end_from == TCP_STATE_SYN_SENT)
		cause.mechanism = MECHANISM_ICMP;
	return cause;
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
 * segments were unanswered and no RST came, nor the FIN that would explain the end. */
static bool timer_gave_up(const struct endpoint *ep)
{
	bool orphan = ep->end_from == TCP_STATE_CLOSING || ep->end_from == TCP_STATE_LAST_ACK;

	if (!ep->derived || ep->facts.error || ep->application_error ||
	    !(ep->facts.retransmits || ep->facts.probes))
		return false;
	/* An orphan may also have ended by the acknowledgement of its FIN. */
	if (orphan)
		return !ep->time_wait && ep->last_received_nsec != ep->gone_nsec;
	return ep->end_from == TCP_STATE_ESTABLISHED || ep->end_from == TCP_STATE_CLOSE_WAIT;
}

/* An orderly end: what ended it is the FIN, unless this end closed first, or alone after the first
 * event. */
static struct cause cause_of_fin(const struct endpoint *ep, nsec_t origin_nsec)
{
	bool first = ep->local_close_nsec != NSEC_NONE &&
		     (ep->fin_received_nsec == NSEC_NONE ||
		      ep->local_close_nsec < ep->fin_received_nsec ||
		      (ep->fin_received_nsec < origin_nsec && ep->local_close_nsec >= origin_nsec));
	struct cause cause = { .outcome = OUTCOME_CLOSED,
			       .mechanism = first ? MECHANISM_LOCAL : MECHANISM_FIN_RECEIVED,
			       .kernel_nsec = first ? ep->end_nsec : ep->fin_received_nsec,
			       .application_nsec = ep->eof_nsec };

	if (ep->time_wait) {
		cause.mechanism = MECHANISM_TIME_WAIT;
		cause.kernel_nsec = ep->end_nsec;
	}
	/* A command does not tell that it read the end, but in what it did then. */
	if (ep->command && !first)
		cause.application_nsec =
			ep->local_close_nsec != NSEC_NONE ? ep->local_close_nsec : ep->exit_nsec;
	return cause;
}

/* Why the kernel ended it, or why a call failed. The caller sets the times. */
static struct cause cause_of_end(const struct endpoint *ep, nsec_t origin_nsec)
{
	int error = ep->application_error ? ep->application_error : ep->facts.error;
	bool felt = ep->application_error || !ep->facts.dead; /* no call tells an orphan's error */

	if (ep->reset_received_nsec != NSEC_NONE || error == ECONNRESET || error == ECONNREFUSED)
		return (struct cause){ .outcome = ep->end_from == TCP_STATE_SYN_SENT
							  ? OUTCOME_REFUSED
							  : OUTCOME_RESET,
				       .mechanism = MECHANISM_RST_RECEIVED,
				       .error = error };
	if (error == ETIMEDOUT || is_unreachable(error))
		return cause_of_timer(ep, error, felt);
	if (aborted(ep))
		return (struct cause){ .outcome = OUTCOME_RESET, .mechanism = MECHANISM_LOCAL };
	if (ep->fin_received_nsec == NSEC_NONE && ep->state == TCP_STATE_CLOSE &&
	    (ep->end_from == TCP_STATE_SYN_RECV || ep->end_from == TCP_STATE_FIN_WAIT1 ||
	     ep->end_from == TCP_STATE_FIN_WAIT2))
		return (struct cause){ .outcome = OUTCOME_TIMED_OUT,
				       .mechanism = timer_mechanism(ep) };
	if (timer_gave_up(ep))
		return cause_of_timer(ep, 0, true);
	if (!error)
		return cause_of_fin(ep, origin_nsec);
	return (struct cause){ .outcome = OUTCOME_REFUSED, .error = error };
}

static struct cause cause_with_times(const struct endpoint *ep, nsec_t origin_nsec)
{
	struct cause cause = cause_of_end(ep, origin_nsec);

	if (cause.outcome == OUTCOME_CLOSED)
		return cause;
	cause.kernel_nsec = ep->end_nsec;
	cause.application_nsec = ep->command ? ep->exit_nsec : ep->error_nsec;
	return cause;
}

static bool is_between(nsec_t at_nsec, nsec_t from_nsec, nsec_t to_nsec)
{
	return at_nsec != NSEC_NONE && at_nsec >= from_nsec && at_nsec <= to_nsec;
}

/*
 * When the program, from `from_nsec` on, gave the connection up: it closed, shut down or exited,
 * and nothing had told it to; NSEC_NONE: it did not. A command tells only of its exit. If its
 * close() makes a RST, or is made before there is a connection, the kernel has no state for it but
 * CLOSE.
 */
static nsec_t program_left(const struct endpoint *ep, nsec_t from_nsec)
{
	bool abort = ep->command && ep->end_nsec != NSEC_NONE && !ep->facts.error &&
		     ep->reset_received_nsec == NSEC_NONE && ep->fin_received_nsec == NSEC_NONE &&
		     (ep->end_from == TCP_STATE_SYN_SENT ||
		      (ep->end_from == TCP_STATE_ESTABLISHED && ep->reset_sent_nsec != NSEC_NONE &&
		       !ep->facts.probes && !ep->facts.retransmits));
	nsec_t at_nsec = NSEC_NONE;

	if (ep->local_close_nsec != NSEC_NONE && ep->local_close_nsec >= from_nsec)
		at_nsec = ep->local_close_nsec;
	if (abort && ep->end_nsec >= from_nsec && (at_nsec == NSEC_NONE || ep->end_nsec < at_nsec))
		at_nsec = ep->end_nsec;
	if (ep->exit_nsec != NSEC_NONE && ep->exit_nsec >= from_nsec &&
	    (at_nsec == NSEC_NONE || ep->exit_nsec < at_nsec))
		at_nsec = ep->exit_nsec;
	if (at_nsec == NSEC_NONE || (ep->killed_nsec != NSEC_NONE && at_nsec >= ep->killed_nsec) ||
	    (ep->end_nsec != NSEC_NONE && ep->end_nsec < at_nsec) ||
	    is_between(ep->fin_received_nsec, from_nsec, at_nsec) ||
	    is_between(ep->eof_nsec, from_nsec, at_nsec) ||
	    is_between(ep->error_nsec, from_nsec, at_nsec))
		return NSEC_NONE;
	return at_nsec;
}

/* Whether the peer answered a close at once, with a FIN or, if it had sent that before, by
 * acknowledging the one of this end: then the connection came to an orderly end. */
static bool was_answered(const struct endpoint *ep, nsec_t close_nsec)
{
	bool last_ack =
		ep->end_from == TCP_STATE_LAST_ACK && !ep->facts.error && !timer_gave_up(ep);
	nsec_t answer_nsec = last_ack ? ep->end_nsec : ep->fin_received_nsec;

	if ((!last_ack && !ep->time_wait && ep->state != TCP_STATE_TIME_WAIT) ||
	    !is_between(answer_nsec, close_nsec, close_nsec + AT_ONCE))
		return false;
	for (size_t i = 0; i < ep->record.n_retransmissions; i++)
		if (is_between(ep->record.retransmissions[i].time_nsec, close_nsec, answer_nsec))
			return false;
	return true;
}

/* Whether the program gave the connection up by itself. What a built-in program closes because the
 * timeline says so counts once a fault has struck: before that nobody can have been missed. */
static bool gave_up(const struct endpoint *ep, const struct endpoint_context *context,
		    struct cause *ret_cause)
{
	nsec_t from_nsec = ep->command ? context->origin_nsec : context->fault_nsec, at_nsec;

	*ret_cause = (struct cause){ .outcome = OUTCOME_ABANDONED,
				     .mechanism = MECHANISM_HEARTBEAT,
				     .kernel_nsec = NSEC_NONE,
				     .application_nsec = ep->heartbeat_nsec };
	if (ep->heartbeat_nsec != NSEC_NONE)
		return true;
	if (from_nsec == NSEC_NONE)
		return false;
	at_nsec = program_left(ep, from_nsec);
	ret_cause->mechanism = MECHANISM_APPLICATION;
	ret_cause->application_nsec = at_nsec;
	return at_nsec != NSEC_NONE && !was_answered(ep, at_nsec);
}

/* Whether a FIN was received after the first event, and whether the timeline made the peer's
 * program send it: such a FIN tells of no fault, so that an end by a timer or a RST after it counts
 * more. */
static bool got_fin(const struct endpoint *ep, const struct endpoint_context *context, bool told)
{
	nsec_t told_nsec = context->peer_told_nsec;

	return ep->fin_received_nsec != NSEC_NONE &&
	       ep->fin_received_nsec >= context->origin_nsec &&
	       told == (told_nsec != NSEC_NONE && ep->fin_received_nsec >= told_nsec);
}

struct cause cause_of(const struct endpoint *ep, const struct endpoint_context *context)
{
	struct cause cause = { .kernel_nsec = NSEC_NONE, .application_nsec = NSEC_NONE };
	bool over = ep->end_nsec != NSEC_NONE || ep->error_nsec != NSEC_NONE;

	if (ep->powerless && ep->state != TCP_STATE_CLOSE && ep->state != TCP_STATE_TIME_WAIT)
		return cause;
	if (gave_up(ep, context, &cause))
		return cause;
	if (got_fin(ep, context, false))
		return cause_of_fin(ep, context->origin_nsec);
	if (over)
		return cause_with_times(ep, context->origin_nsec);
	if (got_fin(ep, context, true))
		return cause_of_fin(ep, context->origin_nsec);
	cause = (struct cause){ .kernel_nsec = NSEC_NONE, .application_nsec = NSEC_NONE };
	if (ep->state && context->usable)
		cause.outcome = OUTCOME_SURVIVED;
	else if (ep->state && context->full_term)
		cause.outcome = OUTCOME_UNDETECTED;
	return cause;
}

enum mechanism cause_of_rest(const struct endpoint *ep, const struct cause *cause)
{
	bool fin_sent = ep->state == TCP_STATE_FIN_WAIT1 || ep->state == TCP_STATE_CLOSING ||
			ep->state == TCP_STATE_LAST_ACK;

	if (cause->outcome != OUTCOME_ABANDONED)
		return cause->mechanism;
	if (cause->mechanism == MECHANISM_HEARTBEAT)
		return MECHANISM_NONE; /* data is in flight, behind which the FIN waits */
	if (ep->time_wait)
		return MECHANISM_TIME_WAIT;
	if (ep->end_nsec != NSEC_NONE)
		return cause_of_end(ep, ep->end_nsec).mechanism;
	if (ep->minisocket)
		return MECHANISM_FIN_WAIT_2;
	return fin_sent && ep->closed ? MECHANISM_ORPHAN : MECHANISM_NONE;
}
