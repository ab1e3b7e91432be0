/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A trace: all that happened in a trial as one list in the order of time, with the
 * packets, state changes, timers, calls and events of both ends. A trace is plain data
 * and part of a record. Like all times of a record, those of a trace count from the
 * first event of the timeline.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/scenario/scenario.h"
#include "src/tcp/state.h"
#include "src/util/nsec.h"

enum trace_kind {
	TRACE_PACKET,
	TRACE_RETRANSMISSION, /* one that no packet shows, because it did not reach the wire */
	TRACE_STATE,
	TRACE_TIMER,
	TRACE_CALL,
	TRACE_SAMPLE, /* a look at the queues of a socket */
	TRACE_EVENT,  /* an event of the timeline */
	TRACE_OUTPUT, /* a line that a program of the user's wrote */
	_TRACE_KIND_MAX,
};

/* What became of a packet. */
enum trace_fate {
	TRACE_ARRIVED,
	TRACE_LOST,
	TRACE_IN_PIECES, /* it was cut up or put together with others on the way; the packets that
			  * arrived have entries of their own */
	TRACE_UNDER_WAY, /* it had not arrived when the trial ended, but may still arrive */
	_TRACE_FATE_MAX,
};

/* Why a packet is sent that was sent before, or that carries nothing new. */
enum trace_again {
	TRACE_NEW,	  /* it was not sent before */
	TRACE_TIMEOUT,	  /* the retransmission timeout (RTO) expired */
	TRACE_LOSS_PROBE, /* a tail loss probe (RFC 8985) */
	TRACE_FAST,	  /* acknowledgements told that the packet was lost */
	TRACE_AGAIN,	  /* a retransmission of unknown cause */
	TRACE_KEEPALIVE,  /* a keepalive probe */
	TRACE_WINDOW,	  /* a probe of a closed window */
	_TRACE_AGAIN_MAX,
};

/* `seq` and `ack` are relative to the SYN, as tcpdump writes them, but absolute in a SYN and in a
 * packet without the ACK flag. */
struct trace_packet {
	bool foreign;	  /* neither end sent it; the entry's `node` is the end that received it */
	nsec_t sent_nsec; /* when it was sent; NSEC_NONE: it is foreign, or a piece of another */
	nsec_t arrived_nsec; /* when it arrived; NSEC_NONE: it did not, or did in pieces */
	enum trace_fate fate;
	uint8_t flags;		   /* mask of enum packet_flag */
	uint32_t seq, ack, length; /* length: payload, bytes */
	uint16_t window;	   /* as in the header, not scaled */
};

/* The timer of a socket, as a look at the socket found it. */
struct trace_timer {
	enum tcp_timer kind; /* TCP_TIMER_OFF: none is running */
	nsec_t expires_nsec; /* how long after the look the timer expires */
	unsigned int count;  /* retransmissions or probes that are unanswered so far */
};

/* A change of state. A record has a list of these too. */
struct record_state {
	nsec_t time_nsec;
	int from, to; /* enum tcp_state */
};

/* A call of a program, with its result. A record has a list of these too. */
struct record_call {
	nsec_t time_nsec;  /* when the call returned */
	nsec_t start_nsec; /* when the call was entered */
	enum agent_call call;
	int64_t result;		 /* what the call returned, such as a number of bytes */
	int error;		 /* errno, positive; 0: the call succeeded */
	unsigned int connection; /* which of its process's connections, counted from 0 */
	unsigned int process;	 /* which of the host's programs, counted from 0 as they start */
};

/* A look at the queues of a socket. */
struct trace_sample {
	int state;			    /* enum tcp_state */
	uint32_t send_queue, receive_queue; /* bytes */
	uint32_t open; /* of a client with many connections: how many there still are; else 0 */
};

/* One line of a trace. Which of the fields are used depends on the kind. */
struct trace_entry {
	enum trace_kind kind;
	nsec_t time_nsec; /* PACKET: when it was sent, or if nobody saw that, when it arrived; CALL:
			   * when it returned; others: when it happened */
	enum end_id end;  /* PACKET: its sender; EVENT and OUTPUT: not used; others: the end that it
			     is of */
	/* PACKET: the number of its connection, from 0 in the order of their first packets. */
	unsigned int connection;
	enum trace_again again; /* PACKET and RETRANSMISSION */
	/* PACKET: how often the segment has been sent again without an answer, or the number of the
	 * unanswered probe, from 1; 0: neither. OUTPUT: the number of the line, from 0. */
	unsigned int number;
	nsec_t rto_nsec; /* again is TRACE_TIMEOUT: the timeout that expired; NSEC_NONE: unknown */
	union {
		struct trace_packet packet;
		struct record_state state;
		struct trace_timer timer;
		struct record_call call;
		struct trace_sample sample;
		struct {
			nsec_t took_nsec; /* how long the kernel took to carry out the event */
			char *what;	  /* "power-loss server"; owned */
		} event;
		struct {
			char *host, *line; /* owned */
		} output;
	};
};

struct trace {
	bool present;		     /* a trace was asked for */
	struct trace_entry *entries; /* owned */
	size_t count;
};

/* Frees what a trace owns. Idempotent. */
void trace_deinit(struct trace *trace);

DECLARE_NAMES(trace_kind, enum trace_kind)   /* "packet" */
DECLARE_NAMES(trace_fate, enum trace_fate)   /* "arrived" */
DECLARE_NAMES(trace_again, enum trace_again) /* "keepalive-probe"; NEW has no name */
