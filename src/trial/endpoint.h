/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One end of the connection, as it is put together from what the kernel did
 * (observations) and what the program felt (reports). Pure: no clock, no kernel.
 */

#include "src/agent/report.h"
#include "src/observer/observation.h"
#include "src/record/record.h"

struct endpoint {
	enum node_id node;
	bool powerless;	      /* its host lost power: nothing can be said of it any more */
	uint16_t port;	      /* the server's; 0: any (the user's own command) */
	uint16_t client_port; /* the client's, where the scenario says it; 0: any */
	bool many;	      /* others like it are on its host: packets go by both ports only */
	bool command;	      /* the user's own: nothing but its exit is felt */
	bool crashed;	      /* its process was killed: nobody is left to feel anything */
	bool gap;	      /* a state change began where none had ended: one was missed */
	bool derived;	      /* made from packets and sock_diag, not from tracepoints */
	nsec_t user_timeout_nsec; /* TCP_USER_TIMEOUT, or 0: derived facts cannot tell */
	bool replaced;		  /* another socket has its place in the kernel's memory by now */
	uint64_t socket;	  /* the connection's, once it is known */
	uint16_t local_port, peer_port;
	int state;		 /* TCP_*; 0 before the first */
	nsec_t established_nsec; /* NSEC_NONE before; absolute, like all times here */
	nsec_t kernel_nsec;	 /* when the kernel ended it */
	nsec_t application_nsec; /* when the program knew */
	nsec_t fin_received_nsec, reset_received_nsec, reset_sent_nsec, local_close_nsec;
	nsec_t last_received_nsec; /* the last packet that came in */
	nsec_t gone_nsec;	   /* when nothing of it was left, minisockets included */
	int end_from;		   /* the state that it left for CLOSE (or a minisocket) */
	struct socket_facts facts; /* at that moment */
	int application_error;	   /* errno; 0 with application_nsec set: end of file */
	bool heartbeat;		   /* the application gave up */
	bool closed;		   /* the program has closed it: what is left is an orphan */
	bool request;		   /* no more than a request socket, so far */
	bool time_wait;		   /* it has been in TIME_WAIT */
	bool minisocket;	   /* a minisocket is in the full one's place, or was */
	size_t n_minisocket_steps; /* steps of its minisockets that were taken in */
	struct record_endpoint
		record; /* its lists, with absolute times until endpoint_conclude() */
};

void endpoint_init(struct endpoint *endpoint, enum node_id node);
void endpoint_deinit(struct endpoint *endpoint);

/* -ENOMEM is the only failure of these. */
int endpoint_observe(struct endpoint *endpoint, const struct observation *observation);
int endpoint_report(struct endpoint *endpoint, const struct agent_report *report);
/* Whether the report is of the moment at which the program knew that its peer was gone. */
bool endpoint_is_end(const struct agent_report *report);
/* Notes a call without a word on what it means for the connection: of another connection, or of the
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
	uint16_t local_port, peer_port;
};
/* Whether that step can be taken in already: not before the full socket is closed. */
bool endpoint_takes_minisocket(const struct endpoint *endpoint, const struct minisocket_step *step);
int endpoint_take_minisocket(struct endpoint *endpoint, const struct minisocket_step *step);
void endpoint_tcp_info(struct endpoint *endpoint, const struct tcp_info *info);

/* Whether a packet is of the followed connection, as far as its ports are known. */
bool endpoint_fits_packet(const struct endpoint *endpoint, const struct observation *packet);

/* The kernel ended it, and so did the program, if it is one that tells. */
bool endpoint_ended(const struct endpoint *endpoint);
/* The program closed it of its own accord, before the kernel ended it. */
bool endpoint_closed_locally(const struct endpoint *endpoint);
static inline bool endpoint_established(const struct endpoint *endpoint)
{
	return endpoint->established_nsec != NSEC_NONE;
}

/* What became of an endpoint and why; cause_of() finds it. */
struct cause {
	enum outcome outcome;
	enum mechanism mechanism;
	int error; /* errno, 0: none */
};

struct endpoint_context {
	nsec_t origin_nsec;    /* the first event */
	nsec_t last_heal_nsec; /* NSEC_NONE: nothing was healed */
	bool usable;	       /* data got through after the last heal */
	bool full_term;	       /* watched until the horizon */
};

/* Fills `ret_record` with the cause and with relative times, and moves the lists out of the
 * endpoint. */
void endpoint_conclude(struct endpoint *endpoint, const struct endpoint_context *context,
		       const struct cause *cause, struct record_endpoint *ret_record);
