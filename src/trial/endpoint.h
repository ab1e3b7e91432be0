/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One end of the connection, as it is put together from what the kernel did
 * (observations) and what the program's calls returned (reports). Pure: no clock, no kernel.
 */

#include "src/agent/report.h"
#include "src/observer/observation.h"
#include "src/record/record.h"

struct endpoint {
	enum node_id node;
	bool powerless;	      /* its host lost power, so nothing is known of it any more */
	uint16_t port;	      /* at the server, host order; 0: any, for the user's own command */
	uint16_t client_port; /* at the client, host order; 0: the scenario does not say */
	bool many; /* it is one of many connections, so both ports are needed to know its packets */
	bool command; /* its program is the user's own, which tells of nothing but its exit */
	bool crashed; /* its process was killed, so no call can tell of the end */
	bool gap;     /* a state change does not begin with the state before it: one was missed */
	bool derived; /* it is told from packets and sock_diag, not by tracepoints */
	nsec_t user_timeout_nsec; /* TCP_USER_TIMEOUT as set by the scenario, or 0 */
	bool replaced;		  /* another socket has its address in the kernel's memory by now */
	uint64_t socket;	  /* as in struct observation; 0: the connection is not known yet */
	uint16_t local_port, peer_port; /* host order; 0: not known yet */
	int state;			/* enum tcp_state; TCP_STATE_NONE before the first */
	nsec_t established_nsec;	/* NSEC_NONE before; absolute, like all times here */
	nsec_t kernel_nsec;		/* when the kernel ended it */
	nsec_t application_nsec;	/* when the program knew */
	/* When the first of each came; NSEC_NONE: none did. */
	nsec_t fin_received_nsec, reset_received_nsec, reset_sent_nsec, local_close_nsec;
	nsec_t last_received_nsec; /* the last packet that came in */
	nsec_t gone_nsec;	   /* when nothing of it was left, minisockets included */
	int end_from;		   /* the state that it left for CLOSE (or a minisocket) */
	struct socket_facts facts; /* at that moment */
	int application_error;	   /* errno; 0 with application_nsec set: end of file */
	bool heartbeat;	 /* the program gave up, because its heartbeats were not answered */
	bool closed;	 /* the program has closed it, so what is left is an orphan */
	bool request;	 /* there is only a request socket so far */
	bool time_wait;	 /* it has been in TIME_WAIT */
	bool minisocket; /* a minisocket has taken the place of the full socket */
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
	uint16_t local_port, peer_port;
};
/* Whether that step can be taken in yet: most cannot before the full socket is closed. */
bool endpoint_takes_minisocket(const struct endpoint *endpoint, const struct minisocket_step *step);
int endpoint_take_minisocket(struct endpoint *endpoint, const struct minisocket_step *step);
void endpoint_tcp_info(struct endpoint *endpoint, const struct tcp_info *info);

/* Whether a packet is of the followed connection, as far as its ports are known. */
bool endpoint_fits_packet(const struct endpoint *endpoint, const struct observation *packet);

/* Whether the kernel has ended the connection, and the program has too if it is one that tells. */
bool endpoint_ended(const struct endpoint *endpoint);
/* Whether the program closed the connection by itself, before the kernel ended it. */
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
