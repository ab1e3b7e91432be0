/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/endpoint.h"

#include <errno.h>
#include <string.h>

#include "src/tcp/state.h"
#include "src/util/array.h"

/*
 * Theory of operation. The client follows the connection with the wanted number, counted in the
 * order in which they are tried, and the server the one whose addresses and ports it was told
 * (follow.h). It is followed by the kernel's own name for the socket, since a closing socket may
 * have lost its ports. Before and after it there may be a minisocket, which sock_diag knows of: its
 * steps are taken in where the full socket's walk has a gap for them (minisocket.c finds them).
 */

/* A RST that is sent so long after CLOSE is still of the connection. */
#define LAST_WORD (10 * NSEC_PER_MSEC)
/* Only calls on so many connections of a program are recorded. */
#define NOTED_CONNECTIONS 8

void endpoint_init(struct endpoint *ep, enum end_id id)
{
	*ep = (struct endpoint){
		.id = id,
		.number = 1,
		.program_number = end_connects(id) ? 0 : -1,
		.established_nsec = NSEC_NONE,
		.end_nsec = NSEC_NONE,
		.eof_nsec = NSEC_NONE,
		.error_nsec = NSEC_NONE,
		.heartbeat_nsec = NSEC_NONE,
		.exit_nsec = NSEC_NONE,
		.killed_nsec = NSEC_NONE,
		.fin_received_nsec = NSEC_NONE,
		.reset_received_nsec = NSEC_NONE,
		.reset_sent_nsec = NSEC_NONE,
		.local_close_nsec = NSEC_NONE,
		.last_received_nsec = NSEC_NONE,
		.gone_nsec = NSEC_NONE,
		.record = { .command_status = -1,
			    .command_exit = -1,
			    .command_signal = -1,
			    .bytes_read = -1,
			    .bytes_written = -1 },
	};
}

void endpoint_deinit(struct endpoint *ep)
{
	record_endpoint_deinit(&ep->record);
	free(ep->nameless);
	ep->nameless = NULL;
	ep->n_nameless = 0;
}

void endpoint_forget(struct endpoint *ep)
{
	struct endpoint old = *ep;

	endpoint_init(ep, old.id);
	ep->server = old.server;
	ep->port = old.port;
	ep->tried = old.tried;
	ep->many = old.many;
	ep->command = old.command;
	ep->derived = old.derived;
	ep->user_timeout_nsec = old.user_timeout_nsec;
	ep->record.calls = take_ptr(old.record.calls);
	ep->record.n_calls = old.record.n_calls;
	endpoint_deinit(&old);
}

/* An address that was not told is any one. */
static bool address_fits(const struct ip *a, const struct ip *b)
{
	return !a->family || !b->family || ip_is_same(a, b);
}

bool endpoint_tuple_is(const struct endpoint_tuple *tuple, const struct observation *o)
{
	return o->local_port == tuple->local_port && o->peer_port == tuple->peer_port &&
	       address_fits(&tuple->local, &o->local) && address_fits(&tuple->peer, &o->peer);
}

/* A client that is connected to its own host has not the server's address as its peer's, and a
 * server that is has it as both. */
bool endpoint_in_scenario(const struct endpoint *ep, const struct observation *o)
{
	bool client = end_connects(ep->id);
	uint16_t port = client ? o->peer_port : o->local_port;

	if (o->local.family && ip_is_same(&o->local, &o->peer))
		return false;
	return (!ep->port || port == ep->port) &&
	       address_fits(&ep->server, client ? &o->peer : &o->local);
}

/* A socket that goes to SYN_SENT may have no local port yet. */
static bool fits(const struct endpoint *ep, const struct observation *o)
{
	return ep->tuple.known && o->local_port ? endpoint_tuple_is(&ep->tuple, o)
						: endpoint_in_scenario(ep, o);
}

/* Whether this state change begins the connection that the endpoint is to follow. The client's
 * connections are counted where they are tried, which may be before they have ports. */
static bool begins(struct endpoint *ep, const struct observation *o)
{
	if (!end_connects(ep->id))
		return !ep->socket && fits(ep, o) &&
		       (o->state.to == TCP_STATE_SYN_RECV || o->state.to == TCP_STATE_ESTABLISHED);
	if (o->state.to == TCP_STATE_SYN_SENT && endpoint_in_scenario(ep, o))
		return ++ep->tried == ep->number && !ep->socket;
	return o->state.to == TCP_STATE_ESTABLISHED && !ep->socket && ep->number == 1 &&
	       !ep->tried && fits(ep, o);
}

static int add_state(struct endpoint *ep, nsec_t at_nsec, int from, int to)
{
	struct record_state *s = array_append(&ep->record.states, &ep->record.n_states, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct record_state){ at_nsec, from, to };
	ep->state = to;
	return 0;
}

/* Begins to follow a socket. A full socket that was a request socket reports LISTEN -> SYN_RECV
 * when it is made. The steps of a request that was given up before it stay. */
static void begin(struct endpoint *ep, const struct observation *o)
{
	ep->socket = o->socket;
	ep->local_port = o->local_port;
	ep->peer_port = o->peer_port;
	if (!ep->request)
		return;
	ep->request = false;
	ep->end_nsec = ep->gone_nsec = NSEC_NONE;
	if (ep->state == TCP_STATE_SYN_RECV)
		ep->record.n_states--;
	ep->state = TCP_STATE_NONE;
}

/* A socket that a listener makes has its own ports only after its first state change (up to Linux
 * 6.12: inet_csk_clone_lock()), so that it is not known yet whose it is. */
static bool is_nameless(const struct endpoint *ep, const struct observation *o)
{
	return !end_connects(ep->id) && !ep->socket && o->state.to == TCP_STATE_SYN_RECV &&
	       !o->peer_port;
}

static int keep_nameless(struct endpoint *ep, const struct observation *o)
{
	struct observation *slot =
		array_append(&ep->nameless, &ep->n_nameless, sizeof(*ep->nameless));

	if (!slot)
		return -ENOMEM;
	*slot = *o;
	return 0;
}

/* Begins to follow a socket that has its ports now, if they are the right ones. */
static int name(struct endpoint *ep, const struct observation *o)
{
	for (size_t i = 0; i < ep->n_nameless; i++) {
		struct observation before = ep->nameless[i];

		if (before.socket != o->socket)
			continue;
		ep->nameless[i] = ep->nameless[--ep->n_nameless];
		if (ep->socket || !fits(ep, o))
			return 0;
		begin(ep, o);
		return add_state(ep, before.time_nsec, before.state.from, before.state.to);
	}
	return 0;
}

static void note_first(nsec_t *first_nsec, nsec_t at_nsec)
{
	if (*first_nsec == NSEC_NONE)
		*first_nsec = at_nsec;
}

static int observe_state(struct endpoint *ep, const struct observation *o)
{
	if (is_nameless(ep, o))
		return keep_nameless(ep, o);
	if (name(ep, o) < 0)
		return -ENOMEM;
	if (begins(ep, o))
		begin(ep, o);
	if (!ep->socket || o->socket != ep->socket)
		return 0;
	if (ep->state == TCP_STATE_CLOSE || ep->minisocket) {
		ep->replaced = true;
		return 0;
	}
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
		if (o->state.facts.present)
			ep->first_options = o->state.facts.options;
		break;
	case TCP_STATE_CLOSE_WAIT:
	case TCP_STATE_CLOSING:
		note_first(&ep->fin_received_nsec, o->time_nsec);
		break;
	case TCP_STATE_FIN_WAIT1:
	case TCP_STATE_LAST_ACK:
		note_first(&ep->local_close_nsec, o->time_nsec);
		break;
	case TCP_STATE_TIME_WAIT:
		note_first(&ep->fin_received_nsec, o->time_nsec);
		/* fall through */
	case TCP_STATE_CLOSE:
		ep->end_from = o->state.from;
		if (o->state.facts.present)
			ep->facts = o->state.facts;
		note_first(&ep->end_nsec, o->time_nsec);
		ep->gone_nsec = o->time_nsec;
		break;
	default:
		break;
	}
	return add_state(ep, o->time_nsec, o->state.from, o->state.to);
}

static int observe_retransmission(struct endpoint *ep, const struct observation *o)
{
	struct record_retransmission *r;

	if (!ep->socket || o->socket != ep->socket || ep->replaced)
		return 0;
	r = array_append(&ep->record.retransmissions, &ep->record.n_retransmissions, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->time_nsec = o->time_nsec;
	r->reason = o->retransmit.reason;
	r->rto_nsec = o->retransmit.reason == RETRANSMIT_RTO ? o->retransmit.rto_nsec : NSEC_NONE;
	return 0;
}

/* A RST sent after the socket is gone is the host's, not the connection's. */
static bool comes_after_the_socket(const struct endpoint *ep, const struct observation *o)
{
	return ep->state == TCP_STATE_CLOSE && ep->gone_nsec != NSEC_NONE &&
	       o->time_nsec > ep->gone_nsec + LAST_WORD;
}

static int observe_reset(struct endpoint *ep, const struct observation *o)
{
	bool sent = o->kind == OBSERVATION_RESET_SENT;
	struct record_reset *r;

	if (!ep->socket || o->socket != ep->socket || ep->replaced || comes_after_the_socket(ep, o))
		return 0;
	note_first(sent ? &ep->reset_sent_nsec : &ep->reset_received_nsec, o->time_nsec);
	r = array_append(&ep->record.resets, &ep->record.n_resets, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct record_reset){ o->time_nsec, sent };
	return 0;
}

static int observe_packet(struct endpoint *ep, const struct observation *o)
{
	const struct tcp_packet *p = &o->packet;
	struct record_packet *r;

	if (ep->local_port && (o->local_port != ep->local_port || o->peer_port != ep->peer_port))
		return 0;
	if (!p->outgoing)
		ep->last_received_nsec = o->time_nsec;
	r = array_append(&ep->record.packets, &ep->record.n_packets, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct record_packet){ .time_nsec = o->time_nsec,
				     .sent = p->outgoing,
				     .flags = p->flags,
				     .seq = p->seq,
				     .ack = p->ack,
				     .payload = p->payload,
				     .window = p->window,
				     .stamp = p->stamp };
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
		if (ep->socket && o->local_port == ep->local_port && o->peer_port == ep->peer_port)
			endpoint_tcp_info(ep, &o->destroyed);
		return 0;
	case OBSERVATION_LOST:
	case _OBSERVATION_KIND_MAX:
		break;
	}
	return 0;
}

bool endpoint_takes_minisocket(const struct endpoint *ep, const struct minisocket_step *step)
{
	return step->request || ep->minisocket || ep->state == TCP_STATE_CLOSE;
}

static int request_socket(struct endpoint *ep, const struct minisocket_step *step)
{
	bool gone = step->state == TCP_STATE_CLOSE;

	ep->request = true;
	ep->local_port = step->local_port;
	ep->peer_port = step->peer_port;
	ep->end_from = TCP_STATE_SYN_RECV;
	ep->end_nsec = ep->gone_nsec = gone ? step->time_nsec : NSEC_NONE;
	ep->blind_nsec = step->blind_nsec;
	if (step->reset)
		ep->reset_received_nsec = step->time_nsec;
	return add_state(ep, step->time_nsec, gone ? TCP_STATE_SYN_RECV : TCP_STATE_LISTEN,
			 step->state);
}

/* Takes back the CLOSE that the full socket reported, because a minisocket has taken its place. */
static void take_over(struct endpoint *ep, int state)
{
	struct record_state *last = &ep->record.states[ep->record.n_states - 1];

	ep->gone_nsec = ep->end_nsec = NSEC_NONE;
	ep->blind_nsec = 0;
	ep->minisocket = true;
	ep->facts.dead |= state == TCP_STATE_FIN_WAIT2;
	if (last->from == state)
		ep->record.n_states--;
	else
		last->to = state;
	ep->state = state;
}

int endpoint_take_minisocket(struct endpoint *ep, const struct minisocket_step *step)
{
	bool first = !ep->minisocket, gone = step->state == TCP_STATE_CLOSE;
	struct record_state *last;
	nsec_t at_nsec = step->time_nsec;

	ep->n_minisocket_steps++;
	if (step->request) /* the full socket may have been seen before it */
		return ep->socket ? 0 : request_socket(ep, step);
	if (step->state == ep->state)
		return 0;
	if (step->reset && !ep->time_wait)
		*(step->reset_sent ? &ep->reset_sent_nsec : &ep->reset_received_nsec) = at_nsec;
	if (first) {
		last = &ep->record.states[ep->record.n_states - 1];
		/* A FIN after that CLOSE met the minisocket, in FIN_WAIT2. */
		if (step->by_fin && at_nsec > last->time_nsec)
			last->time_nsec = at_nsec;
		at_nsec = last->time_nsec;
	}
	ep->time_wait |= step->state == TCP_STATE_TIME_WAIT;
	if (first)
		take_over(ep, step->state);
	else if (add_state(ep, at_nsec, ep->state, step->state) < 0)
		return -ENOMEM;
	if (gone)
		ep->gone_nsec = at_nsec;
	ep->blind_nsec = step->blind_nsec;
	if (step->state == TCP_STATE_TIME_WAIT)
		note_first(&ep->fin_received_nsec, at_nsec);
	if (step->state != TCP_STATE_FIN_WAIT2)
		note_first(&ep->end_nsec, at_nsec);
	return 0;
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
	/* A SYN counts as a byte that was acknowledged, and not as one that was sent. */
	ep->queued = info->tcpi_notsent_bytes;
	if (info->tcpi_bytes_sent > info->tcpi_bytes_retrans + info->tcpi_bytes_acked)
		ep->queued +=
			info->tcpi_bytes_sent - info->tcpi_bytes_retrans - info->tcpi_bytes_acked;
}

bool endpoint_is_end(const struct agent_report *r)
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

int endpoint_note_call(struct endpoint *ep, const struct agent_report *r, unsigned int process)
{
	struct record_call *c;

	if (r->connection >= NOTED_CONNECTIONS)
		return 0;
	c = array_append(&ep->record.calls, &ep->record.n_calls, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct record_call){ .time_nsec = r->time_nsec,
				   .start_nsec = r->start_nsec,
				   .call = r->call,
				   .result = r->result,
				   .error = r->error,
				   .connection = r->connection,
				   .process = process };
	return 0;
}

/* Whether a report is of the followed connection, or of none. A server counts its connections as it
 * accepts them, which may be in another order than that in which they were tried. */
static bool is_own(struct endpoint *ep, const struct agent_report *r)
{
	const struct endpoint_tuple *tuple = &ep->tuple;

	if (ep->program_number < 0 && r->peer_port && !r->error && r->call == AGENT_CALL_ACCEPT &&
	    (!tuple->known || r->peer_port == tuple->peer_port))
		ep->program_number = r->connection;
	if (ep->program_number < 0)
		return !r->peer_port && !r->connection;
	return r->connection == ep->program_number;
}

/* What a send() after the program's own shutdown() is told is no end. */
static bool is_end(const struct endpoint *ep, const struct agent_report *r)
{
	return endpoint_is_end(r) &&
	       !(ep->shut && r->call == AGENT_CALL_WRITE && r->error == EPIPE);
}

static void note_end(struct endpoint *ep, const struct agent_report *r)
{
	if (r->call == AGENT_CALL_HEARTBEAT) {
		note_first(&ep->heartbeat_nsec, r->time_nsec);
	} else if (!r->error) {
		note_first(&ep->eof_nsec, r->time_nsec);
	} else if (ep->error_nsec == NSEC_NONE) {
		ep->error_nsec = r->time_nsec;
		ep->application_error = r->error;
	}
}

int endpoint_report(struct endpoint *ep, const struct agent_report *r)
{
	bool closes = r->call == AGENT_CALL_CLOSE || (r->call == AGENT_CALL_SHUTDOWN && !r->error);

	if (!is_own(ep, r))
		return ep->many ? 0 : endpoint_note_call(ep, r, 0);
	if (r->has_info)
		endpoint_tcp_info(ep, &r->info);
	if (is_end(ep, r))
		note_end(ep, r);
	/* The kernel may have told of it while the call was still on its way. */
	if (closes && (ep->local_close_nsec == NSEC_NONE || r->start_nsec < ep->local_close_nsec))
		ep->local_close_nsec = r->start_nsec;
	ep->shut |= closes && r->call == AGENT_CALL_SHUTDOWN;
	ep->closed |= r->call == AGENT_CALL_CLOSE || r->call == AGENT_CALL_EXIT;
	if (r->call == AGENT_CALL_EXIT) {
		int status = (int)r->result;

		note_first(&ep->exit_nsec, r->time_nsec);
		ep->record.command_status = status;
		ep->record.command_exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		ep->record.command_signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
	}
	return endpoint_note_call(ep, r, 0);
}

bool endpoint_told(const struct endpoint *ep)
{
	return ep->eof_nsec != NSEC_NONE || ep->error_nsec != NSEC_NONE;
}

bool endpoint_exists(const struct endpoint *ep)
{
	return ep->state || endpoint_told(ep);
}

bool endpoint_closed_locally(const struct endpoint *ep)
{
	return ep->local_close_nsec != NSEC_NONE && !endpoint_told(ep) &&
	       (ep->fin_received_nsec == NSEC_NONE || ep->local_close_nsec < ep->fin_received_nsec);
}

bool endpoint_ended(const struct endpoint *ep)
{
	if (ep->powerless)
		return true;
	if (!ep->socket && endpoint_told(ep))
		return true; /* it never was connected */
	if (ep->end_nsec == NSEC_NONE)
		return false;
	return ep->request || ep->command || ep->crashed || ep->heartbeat_nsec != NSEC_NONE ||
	       endpoint_told(ep) || endpoint_closed_locally(ep);
}
