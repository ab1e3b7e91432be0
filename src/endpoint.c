/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/endpoint.h"

#include <errno.h>
#include <string.h>

#include "netns/tcp-state.h"

/*
 * Theory of operation. The connection is the first in its namespace that gets to ESTABLISHED
 * (or, on the client, the first that is tried), on the scenario's port if a built-in agent made
 * it. It is followed by the kernel's own name for the socket, since a closing socket may have
 * lost its ports. What ended it is told from the state it left, from resets, and from the
 * socket's own counters at the moment of the state change; the rules are those of
 * net/ipv4/tcp_timer.c and stand at timer_mechanism().
 */

void endpoint_init(struct endpoint *ep, enum node_id node)
{
	*ep = (struct endpoint){
		.node = node,
		.established_nsec = NSEC_NONE,
		.kernel_nsec = NSEC_NONE,
		.application_nsec = NSEC_NONE,
		.fin_received_nsec = NSEC_NONE,
		.reset_received_nsec = NSEC_NONE,
		.reset_sent_nsec = NSEC_NONE,
		.local_close_nsec = NSEC_NONE,
		.last_received_nsec = NSEC_NONE,
		.record.command_status = -1,
	};
}

static void free_lists(struct record_endpoint *record)
{
	free(record->states);
	free(record->retransmissions);
	free(record->resets);
	free(record->calls);
	free(record->packets);
	free(record->command_output);
	*record = (struct record_endpoint){ 0 };
}

void endpoint_deinit(struct endpoint *ep)
{
	free_lists(&ep->record);
}

static bool port_fits(const struct endpoint *ep, const struct observation *o)
{
	uint16_t port = ep->node == NODE_CLIENT ? o->peer_port : o->local_port;

	return !ep->port || port == ep->port;
}

/* Whether this state change begins the connection that the endpoint is to follow. */
static bool begins(const struct endpoint *ep, const struct observation *o)
{
	if (ep->socket || !port_fits(ep, o))
		return false;
	return o->state.to == TCP_STATE_SYN_SENT || o->state.to == TCP_STATE_ESTABLISHED ||
	       (ep->node == NODE_SERVER && o->state.to == TCP_STATE_SYN_RECV);
}

static int add_state(struct endpoint *ep, nsec_t at, int from, int to)
{
	struct record_state *s =
		record_append(&ep->record.states, &ep->record.n_states, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct record_state){ at, from, to };
	ep->state = to;
	return 0;
}

static int observe_state(struct endpoint *ep, const struct observation *o)
{
	if (begins(ep, o)) {
		ep->socket = o->socket;
		ep->local_port = o->local_port;
		ep->peer_port = o->peer_port;
	}
	if (!ep->socket || o->socket != ep->socket || ep->state == TCP_STATE_CLOSE)
		return 0;
	/* A socket cloned from a listener has its own ports only after its first state change
	 * (up to Linux 6.12: inet_csk_clone_lock()), a closing one none any more. */
	if (o->local_port)
		ep->local_port = o->local_port;
	if (o->peer_port)
		ep->peer_port = o->peer_port;
	ep->gap |= ep->state && ep->state != o->state.from;
	switch (o->state.to) {
	case TCP_STATE_ESTABLISHED:
		ep->established_nsec = o->time_nsec;
		break;
	case TCP_STATE_CLOSE_WAIT:
		ep->fin_received_nsec = o->time_nsec;
		ep->kernel_nsec = o->time_nsec;
		break;
	case TCP_STATE_FIN_WAIT1:
		ep->local_close_nsec = o->time_nsec;
		break;
	case TCP_STATE_TIME_WAIT:
	case TCP_STATE_CLOSE:
		ep->end_from = o->state.from;
		if (o->state.facts.present)
			ep->facts = o->state.facts;
		if (ep->kernel_nsec == NSEC_NONE)
			ep->kernel_nsec = o->time_nsec;
		break;
	default:
		break;
	}
	return add_state(ep, o->time_nsec, o->state.from, o->state.to);
}

static const char *const reason_names[] = {
	[RETRANSMIT_RTO] = "rto",
	[RETRANSMIT_LOSS_PROBE] = "loss-probe",
	[RETRANSMIT_FAST] = "fast",
	[RETRANSMIT_UNKNOWN] = NULL,
};

static int observe_retransmission(struct endpoint *ep, const struct observation *o)
{
	struct record_retransmission *r;

	if (!ep->socket || o->socket != ep->socket)
		return 0;
	r = record_append(&ep->record.retransmissions, &ep->record.n_retransmissions, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->time_nsec = o->time_nsec;
	r->reason = reason_names[o->retransmit.reason];
	r->rto_nsec = o->retransmit.reason == RETRANSMIT_RTO ? o->retransmit.rto_nsec : NSEC_NONE;
	return 0;
}

static int observe_reset(struct endpoint *ep, const struct observation *o)
{
	bool sent = o->kind == OBSERVATION_RESET_SENT;
	struct record_reset *r;

	if (!ep->socket || o->socket != ep->socket)
		return 0;
	if (sent && ep->reset_sent_nsec == NSEC_NONE)
		ep->reset_sent_nsec = o->time_nsec;
	if (!sent && ep->reset_received_nsec == NSEC_NONE)
		ep->reset_received_nsec = o->time_nsec;
	r = record_append(&ep->record.resets, &ep->record.n_resets, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct record_reset){ o->time_nsec, sent };
	return 0;
}

static bool packet_fits(const struct endpoint *ep, const struct tcp_packet *p)
{
	uint16_t local = p->outgoing ? p->source_port : p->destination_port;
	uint16_t peer = p->outgoing ? p->destination_port : p->source_port;

	if (!ep->local_port)
		return !ep->port || (ep->node == NODE_CLIENT ? peer : local) == ep->port;
	return local == ep->local_port && peer == ep->peer_port;
}

static int observe_packet(struct endpoint *ep, const struct observation *o)
{
	const struct tcp_packet *p = &o->packet;
	struct record_packet *r;

	if (!packet_fits(ep, p))
		return 0;
	if (!p->outgoing)
		ep->last_received_nsec = o->time_nsec;
	r = record_append(&ep->record.packets, &ep->record.n_packets, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct record_packet){ .time_nsec = o->time_nsec,
				     .sent = p->outgoing,
				     .flags = p->flags,
				     .seq = p->seq,
				     .ack = p->ack,
				     .payload = p->payload,
				     .window = p->window };
	return 0;
}

int endpoint_observe(struct endpoint *ep, const struct observation *o)
{
	switch (o->kind) {
	case OBSERVATION_STATE:
		return observe_state(ep, o);
	case OBSERVATION_RETRANSMIT:
		return observe_retransmission(ep, o);
	case OBSERVATION_RESET_SENT:
	case OBSERVATION_RESET_RECEIVED:
		return observe_reset(ep, o);
	case OBSERVATION_PACKET:
		return observe_packet(ep, o);
	case OBSERVATION_DESTROY:
		if (ep->socket && o->local_port == ep->local_port)
			endpoint_tcp_info(ep, &o->destroyed.info);
		return 0;
	case OBSERVATION_LOST:
	case _OBSERVATION_KIND_MAX:
		break;
	}
	return 0;
}

void endpoint_small_socket(struct endpoint *ep, int state)
{
	if (!ep->record.n_states || ep->state == state)
		return;
	ep->record.states[ep->record.n_states - 1].to = state;
	ep->state = state;
}

void endpoint_tcp_info(struct endpoint *ep, const struct tcp_info *info)
{
	ep->record.tcp_info = (struct record_tcp_info){
		.present = true,
		.state = info->tcpi_state,
		.rto_us = info->tcpi_rto,
		.rtt_us = info->tcpi_rtt,
		.rttvar_us = info->tcpi_rttvar,
		.retransmits = info->tcpi_retransmits,
		.probes = info->tcpi_probes,
		.backoff = info->tcpi_backoff,
		.unacked = info->tcpi_unacked,
		.total_retrans = info->tcpi_total_retrans,
		.bytes_sent = info->tcpi_bytes_sent,
		.bytes_acked = info->tcpi_bytes_acked,
		.bytes_received = info->tcpi_bytes_received,
	};
}

/* Whether the report is the moment at which the program knew that its peer was gone. */
static bool is_end(const struct agent_report *r)
{
	switch (r->call) {
	case AGENT_CALL_READ:
		return r->error || r->result == 0;
	case AGENT_CALL_WRITE:
	case AGENT_CALL_CONNECT:
	case AGENT_CALL_SHUTDOWN:
		return r->error;
	case AGENT_CALL_HEARTBEAT:
		return true;
	default:
		return false;
	}
}

int endpoint_report(struct endpoint *ep, const struct agent_report *r)
{
	struct record_call *c;

	if (r->connection)
		return 0;
	if (r->has_info)
		endpoint_tcp_info(ep, &r->info);
	if (ep->application_nsec == NSEC_NONE &&
	    (is_end(r) || (ep->command && r->call == AGENT_CALL_EXIT))) {
		ep->application_nsec = r->time_nsec;
		ep->application_error = r->error;
		ep->heartbeat = r->call == AGENT_CALL_HEARTBEAT;
	}
	if (r->call == AGENT_CALL_CLOSE && ep->local_close_nsec == NSEC_NONE)
		ep->local_close_nsec = r->start_nsec;
	if (r->call == AGENT_CALL_EXIT)
		ep->record.command_status = (int)r->result;
	c = record_append(&ep->record.calls, &ep->record.n_calls, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct record_call){ .time_nsec = r->time_nsec,
				   .start_nsec = r->start_nsec,
				   .name = agent_call_name(r->call),
				   .result = r->result,
				   .error = r->error ? strerrorname_np(r->error) : NULL };
	return 0;
}

/* The program closed it of its own accord, before the kernel ended it. */
static bool closed_locally(const struct endpoint *ep)
{
	return ep->local_close_nsec != NSEC_NONE && ep->application_nsec == NSEC_NONE &&
	       ep->fin_received_nsec == NSEC_NONE;
}

bool endpoint_ended(const struct endpoint *ep)
{
	if (ep->gone || ep->heartbeat)
		return true;
	if (!ep->socket && ep->application_nsec != NSEC_NONE)
		return true; /* never was connected */
	if (ep->kernel_nsec == NSEC_NONE)
		return false;
	/* A FIN ends the conversation; the walk to CLOSE belongs to it, if the program closes. */
	if (ep->state != TCP_STATE_CLOSE && ep->state != TCP_STATE_TIME_WAIT)
		return false;
	return ep->command || ep->crashed || ep->application_nsec != NSEC_NONE ||
	       closed_locally(ep);
}

/*
 * Which timer gave up. net/ipv4/tcp_timer.c: tcp_keepalive_timer() ends nothing while data is
 * outstanding; with TCP_USER_TIMEOUT set it, tcp_write_timeout() and tcp_probe_timer() all obey
 * that instead of their own counts. Probes without a keepalive are zero window probes.
 */
static enum mechanism timer_mechanism(const struct endpoint *ep)
{
	const struct socket_facts *f = &ep->facts;
	bool user_timeout = f->user_timeout || (ep->derived && ep->user_timeout);

	if (ep->end_from == TCP_STATE_SYN_SENT)
		return user_timeout ? MECHANISM_USER_TIMEOUT : MECHANISM_SYN;
	if (ep->end_from == TCP_STATE_SYN_RECV)
		return MECHANISM_SYNACK;
	if (f->dead && ep->end_from == TCP_STATE_FIN_WAIT2)
		return MECHANISM_FIN_WAIT_2;
	if (f->dead)
		return MECHANISM_ORPHAN;
	if (user_timeout)
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

struct verdict {
	enum outcome outcome;
	enum mechanism mechanism;
	int error;
};

static struct verdict verdict_reset(const struct endpoint *ep, int error)
{
	if (ep->end_from == TCP_STATE_SYN_SENT)
		return (struct verdict){ OUTCOME_REFUSED, MECHANISM_RST_RECEIVED, error };
	return (struct verdict){ OUTCOME_RESET, MECHANISM_RST_RECEIVED, error };
}

/* An ICMP error that ends a connection at once does so in SYN_SENT only, or where the program
 * asked for it (IP_RECVERR); later it is remembered for when a timer gives up. */
static struct verdict verdict_timer(const struct endpoint *ep, int error)
{
	struct verdict v = { OUTCOME_TIMED_OUT, timer_mechanism(ep), error };

	if (!is_unreachable(error))
		return v;
	v.outcome = OUTCOME_UNREACHABLE;
	if (ep->end_from == TCP_STATE_SYN_SENT && !ep->facts.retransmits)
		v.mechanism = MECHANISM_ICMP;
	return v;
}

static struct verdict verdict_closed(const struct endpoint *ep)
{
	bool first =
		ep->local_close_nsec != NSEC_NONE && (ep->fin_received_nsec == NSEC_NONE ||
						      ep->local_close_nsec < ep->fin_received_nsec);

	if (ep->state == TCP_STATE_TIME_WAIT)
		return (struct verdict){ OUTCOME_CLOSED, MECHANISM_TIME_WAIT, 0 };
	return (struct verdict){ OUTCOME_CLOSED, first ? MECHANISM_LOCAL : MECHANISM_FIN_RECEIVED,
				 0 };
}

/* This end sent the reset: SO_LINGER 0, or unread data at close. */
static bool aborted(const struct endpoint *ep)
{
	return ep->reset_sent_nsec != NSEC_NONE && ep->facts.error != ETIMEDOUT &&
	       !is_unreachable(ep->facts.error) && !ep->application_error &&
	       (ep->facts.dead || closed_locally(ep));
}

/* Without tracepoints, and with a program that does not say what it felt, the errno is not known,
 * but an end without FIN or RST and with unanswered segments was a timer's. */
static bool timer_gave_up(const struct endpoint *ep)
{
	return ep->derived && !ep->facts.error && !ep->application_error &&
	       ep->fin_received_nsec == NSEC_NONE &&
	       (ep->end_from == TCP_STATE_ESTABLISHED || ep->end_from == TCP_STATE_CLOSE_WAIT) &&
	       (ep->facts.retransmits || ep->facts.probes);
}

static struct verdict judge_end(const struct endpoint *ep)
{
	int error = ep->application_error ? ep->application_error : ep->facts.error;

	if (ep->heartbeat)
		return (struct verdict){ OUTCOME_TIMED_OUT, MECHANISM_HEARTBEAT, 0 };
	if (ep->reset_received_nsec != NSEC_NONE || error == ECONNRESET || error == ECONNREFUSED ||
	    (error == EPIPE && ep->reset_received_nsec != NSEC_NONE))
		return verdict_reset(ep, error);
	if (error == ETIMEDOUT || is_unreachable(error))
		return verdict_timer(ep, error);
	if (aborted(ep))
		return (struct verdict){ OUTCOME_RESET, MECHANISM_LOCAL, 0 };
	if (ep->fin_received_nsec == NSEC_NONE && ep->state == TCP_STATE_CLOSE &&
	    (ep->end_from == TCP_STATE_FIN_WAIT1 || ep->end_from == TCP_STATE_FIN_WAIT2))
		return (struct verdict){ OUTCOME_TIMED_OUT, timer_mechanism(ep), 0 };
	if (timer_gave_up(ep))
		return verdict_timer(ep, 0);
	if (!error)
		return verdict_closed(ep);
	return (struct verdict){ OUTCOME_REFUSED, MECHANISM_NONE, error };
}

static struct verdict judge(const struct endpoint *ep, const struct endpoint_context *context)
{
	bool over =
		ep->kernel_nsec != NSEC_NONE || ep->heartbeat || ep->application_nsec != NSEC_NONE;

	if (over && (!ep->gone || ep->state == TCP_STATE_CLOSE || ep->state == TCP_STATE_TIME_WAIT))
		return judge_end(ep);
	if (ep->gone || !ep->socket)
		return (struct verdict){ OUTCOME_NONE, MECHANISM_NONE, 0 };
	if (context->usable)
		return (struct verdict){ OUTCOME_SURVIVED, MECHANISM_NONE, 0 };
	if (context->full_term)
		return (struct verdict){ OUTCOME_UNDETECTED, MECHANISM_NONE, 0 };
	return (struct verdict){ OUTCOME_NONE, MECHANISM_NONE, 0 };
}

static nsec_t since(nsec_t at, nsec_t origin)
{
	return at == NSEC_NONE ? NSEC_NONE : at - origin;
}

static void make_relative(struct record_endpoint *r, nsec_t origin)
{
	for (size_t i = 0; i < r->n_states; i++)
		r->states[i].time_nsec -= origin;
	for (size_t i = 0; i < r->n_retransmissions; i++)
		r->retransmissions[i].time_nsec -= origin;
	for (size_t i = 0; i < r->n_resets; i++)
		r->resets[i].time_nsec -= origin;
	for (size_t i = 0; i < r->n_packets; i++)
		r->packets[i].time_nsec -= origin;
	for (size_t i = 0; i < r->n_calls; i++) {
		r->calls[i].time_nsec -= origin;
		r->calls[i].start_nsec -= origin;
	}
}

/* The last packet after the first event and, if the kernel ended the connection, by then; and the
 * first to come in after the last heal. */
static void read_wire(struct record_endpoint *r, const struct endpoint_context *context)
{
	nsec_t heal = since(context->last_heal_nsec, context->origin_nsec);

	r->wire_nsec = NSEC_NONE;
	r->recovered_nsec = NSEC_NONE;
	for (size_t i = 0; i < r->n_packets; i++) {
		const struct record_packet *p = &r->packets[i];

		if (p->time_nsec >= 0 &&
		    (r->kernel_nsec == NSEC_NONE || p->time_nsec <= r->kernel_nsec + NSEC_PER_MSEC))
			r->wire_nsec = p->time_nsec;
		if (heal != NSEC_NONE && !p->sent && p->time_nsec >= heal &&
		    r->recovered_nsec == NSEC_NONE)
			r->recovered_nsec = p->time_nsec;
	}
}

/* A destroyed socket is told of late (the kernel frees it in the background, after the program has
 * closed it): it ended no later than the program felt. */
static void bound_by_application(struct endpoint *ep)
{
	struct record_endpoint *r = &ep->record;

	if (!ep->derived || ep->application_nsec == NSEC_NONE || ep->kernel_nsec == NSEC_NONE ||
	    ep->kernel_nsec <= ep->application_nsec)
		return;
	ep->kernel_nsec = ep->application_nsec;
	if (r->n_states && r->states[r->n_states - 1].to == TCP_STATE_CLOSE)
		r->states[r->n_states - 1].time_nsec = ep->application_nsec;
}

void endpoint_conclude(struct endpoint *ep, const struct endpoint_context *context,
		       struct record_endpoint *ret_record)
{
	struct verdict verdict = judge(ep, context);
	struct record_endpoint *r = &ep->record;
	bool ended = verdict.outcome != OUTCOME_NONE && verdict.outcome != OUTCOME_SURVIVED &&
		     verdict.outcome != OUTCOME_UNDETECTED;

	bound_by_application(ep);
	r->outcome = verdict.outcome;
	r->mechanism = verdict.mechanism;
	r->error = verdict.error ? strerrorname_np(verdict.error) : NULL;
	r->kernel_nsec = ended ? since(ep->kernel_nsec, context->origin_nsec) : NSEC_NONE;
	r->application_nsec = ended ? since(ep->application_nsec, context->origin_nsec) : NSEC_NONE;
	r->earliest_nsec = r->latest_nsec = NSEC_NONE;
	make_relative(r, context->origin_nsec);
	read_wire(r, context);
	*ret_record = *r;
	ep->record = (struct record_endpoint){ .command_status = -1 };
}
