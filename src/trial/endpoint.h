/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One end of the connection, as it is put together from what the kernel did
 * (observations) and what the program's calls returned (reports). Pure: no clock, no kernel.
 */

#include "src/agent/report.h"
#include "src/observer/observation.h"
#include "src/record/record.h"

/* The connection as the kernel of one end has it. Behind a NAT the other end has another one. */
struct endpoint_tuple {
	bool known;
	struct ip local, peer;
	uint16_t local_port, peer_port; /* host order */
};

struct endpoint {
	enum end_id id;
	bool powerless;		     /* its host lost power, so nothing is known of it any more */
	struct ip server;	     /* the server's address; family 0: any */
	uint16_t port;		     /* at the server, host order */
	struct endpoint_tuple tuple; /* the followed connection, once it is known */
	uint32_t number;	     /* the client: which connection to follow, from 1 */
	uint32_t tried;		     /* the client: how many were tried so far */
	bool many;		     /* it is one of many connections of a built-in client */
	int64_t program_number;	     /* by which number its program reports it; -1: not known */
	bool command; /* its program is the user's own, which tells of nothing but its exit */
	bool crashed; /* its process was killed or told to exit, so no call can tell of the end */
	bool gap;     /* a state change does not begin with the state before it: one was missed */
	bool derived; /* it is told from packets and sock_diag, not by tracepoints */
	nsec_t user_timeout_nsec; /* TCP_USER_TIMEOUT as set by the scenario, or 0 */
	bool replaced;		  /* another socket has its address in the kernel's memory by now */
	uint64_t socket;	  /* as in struct observation; 0: the connection is not known yet */
	uint16_t local_port, peer_port; /* host order; 0: not known yet */
	int state;			/* enum tcp_state; TCP_STATE_NONE before the first */
	nsec_t established_nsec;	/* NSEC_NONE before; absolute, like all times here */
	nsec_t end_nsec;		/* when it came to CLOSE or TIME_WAIT; not when an orphan
					 * came to FIN_WAIT2 */
	/* When the first of each came; NSEC_NONE: none did. A local close is a close() or a
	 * shutdown() of the program. */
	nsec_t fin_received_nsec, reset_received_nsec, reset_sent_nsec, local_close_nsec;
	/* When the program read the end of the stream, when a call first told it of an error, when
	 * its heartbeat gave up, and when it exited by itself; NSEC_NONE: never. */
	nsec_t eof_nsec, error_nsec, heartbeat_nsec, exit_nsec;
	nsec_t killed_nsec;	   /* when a fault killed its process; NSEC_NONE: none did */
	nsec_t last_received_nsec; /* the last packet that came in */
	nsec_t gone_nsec;	   /* when nothing of it was left, minisockets included */
	nsec_t blind_nsec;	   /* as gone_blind_nsec of a record */
	uint64_t queued; /* bytes that were written and not acknowledged, as tcp_info had it last */
	int end_from;	 /* the state that it left for CLOSE (or a minisocket) */
	struct socket_facts facts;	     /* at that moment */
	struct socket_options first_options; /* when it was established */
	int application_error;		     /* errno of error_nsec */
	bool shut;			     /* the program has called shutdown() */
	bool closed;		      /* the program has closed it, so what is left is an orphan */
	bool request;		      /* there is only a request socket so far */
	bool time_wait;		      /* it has been in TIME_WAIT */
	bool minisocket;	      /* a minisocket has taken the place of the full socket */
	size_t n_minisocket_steps;    /* steps of its minisockets that were taken in */
	struct observation *nameless; /* SYN_RECV of sockets without ports so far; owned */
	size_t n_nameless;
	struct record_endpoint
		record; /* its lists, with absolute times until endpoint_conclude() */
};

void endpoint_init(struct endpoint *endpoint, enum end_id id);
void endpoint_deinit(struct endpoint *endpoint);
/* Forgets the connection that was followed so far, in favour of another one. What the program has
 * called stays. */
void endpoint_forget(struct endpoint *endpoint);

/* -ENOMEM is the only failure of these. */
int endpoint_observe(struct endpoint *endpoint, const struct observation *observation);
int endpoint_report(struct endpoint *endpoint, const struct agent_report *report);
/* Whether the report is of the moment at which the program knew that its peer was gone. */
bool endpoint_is_end(const struct agent_report *report);
/* Notes a call that says nothing of the followed connection, because it is of another one, or of a
 * `process` that was started after the first. */
int endpoint_note_call(struct endpoint *endpoint, const struct agent_report *report,
		       unsigned int process);
/* What sock_diag found of a minisocket: a request socket's SYN_RECV before there is a full one;
 * TIME_WAIT or an orphan's FIN_WAIT2 in place of the full one that reported CLOSE; then CLOSE, when
 * it is gone. */
struct minisocket_step {
	nsec_t time_nsec;
	int state;		/* TCP_STATE_* */
	bool by_fin;		/* TIME_WAIT: the time is that of the FIN */
	bool request;		/* of a request socket */
	bool reset, reset_sent; /* CLOSE: by a RST, received or sent */
	nsec_t blind_nsec;	/* CLOSE: as gone_blind_nsec of a record */
	uint16_t local_port, peer_port;
};
/* Whether that step can be taken in yet: most cannot before the full socket is closed. */
bool endpoint_takes_minisocket(const struct endpoint *endpoint, const struct minisocket_step *step);
int endpoint_take_minisocket(struct endpoint *endpoint, const struct minisocket_step *step);
void endpoint_tcp_info(struct endpoint *endpoint, const struct tcp_info *info);

/* Whether an observation is of a connection of the scenario: to the server's address and port, and
 * over the path. */
bool endpoint_in_scenario(const struct endpoint *endpoint, const struct observation *observation);
/* Whether both ports and addresses are those of `tuple`. */
bool endpoint_tuple_is(const struct endpoint_tuple *tuple, const struct observation *observation);

/* Whether the kernel has ended the connection, and the program has too if it is one that tells. */
bool endpoint_ended(const struct endpoint *endpoint);
/* Whether there has been a socket of the connection at this end, or a call that failed for one. */
bool endpoint_exists(const struct endpoint *endpoint);
/* Whether a call has told the program of the end. */
bool endpoint_told(const struct endpoint *endpoint);
/* Whether the program closed the connection by itself, before anything told it to. */
bool endpoint_closed_locally(const struct endpoint *endpoint);
static inline bool endpoint_established(const struct endpoint *endpoint)
{
	return endpoint->established_nsec != NSEC_NONE;
}

/* What became of an endpoint and why; cause_of() finds it. All of it is about one event. */
struct cause {
	enum outcome outcome;
	enum mechanism mechanism;
	int error;	    /* errno, 0: none */
	nsec_t kernel_nsec; /* when the kernel knew; NSEC_NONE: it does not, or there is no event */
	nsec_t application_nsec; /* when the program knew; likewise */
};

struct endpoint_context {
	nsec_t origin_nsec;    /* the first event */
	nsec_t fault_nsec;     /* the first that is a fault; NSEC_NONE: none is */
	nsec_t peer_told_nsec; /* when the timeline first told the peer's program to shut down, to
				* close or to exit; NSEC_NONE: never */
	nsec_t last_heal_nsec; /* NSEC_NONE: nothing was healed */
	bool usable;	       /* data got through after the last heal */
	bool full_term;	       /* watched until the horizon */
};

/* Corrects the end's time by what the program told. Called before cause_of(). */
void endpoint_bound_by_application(struct endpoint *endpoint);
/* Fills `ret_record` with the cause and with relative times, and moves the lists out of the
 * endpoint. */
void endpoint_conclude(struct endpoint *endpoint, const struct endpoint_context *context,
		       const struct cause *cause, struct record_endpoint *ret_record);
