/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What happened in a trial as one list in the order of time: packets, state
 * changes, timers, calls and events of both ends. Plain data; part of a record.
 * Times are relative to the first event, like all of a record's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/scenario/scenario.h"
#include "src/tcp/state.h"
#include "src/util/nsec.h"

enum trace_kind {
	TRACE_PACKET,
	TRACE_RETRANSMISSION, /* one that no packet shows: it did not get as far as the wire */
	TRACE_STATE,
	TRACE_TIMER,
	TRACE_CALL,
	TRACE_SAMPLE, /* a look at the queues, where the scenario asks for some */
	TRACE_EVENT,  /* an event of the timeline */
	_TRACE_KIND_MAX,
};

enum trace_fate {
	TRACE_ARRIVED,
	TRACE_LOST,
	TRACE_IN_PIECES, /* cut up or put together on the way: what arrived has entries of its own
			  */
	TRACE_UNDER_WAY, /* it had not arrived when the trial ended, but still may */
	_TRACE_FATE_MAX,
};

/* Why something is sent that was sent before, or that says nothing new. */
enum trace_again {
	TRACE_NEW, /* it was not sent before */
	TRACE_TIMEOUT,
	TRACE_LOSS_PROBE,
	TRACE_FAST,	 /* ACKs told that it was lost */
	TRACE_AGAIN,	 /* a retransmission of unknown cause */
	TRACE_KEEPALIVE, /* a keepalive probe */
	TRACE_WINDOW,	 /* a probe of a closed window */
	_TRACE_AGAIN_MAX,
};

/* Numbers are relative, as tcpdump writes them, but absolute in a SYN and in a packet that
 * acknowledges nothing. */
struct trace_packet {
	bool foreign;	     /* neither end sent it: the entry's `node` is the end that got it */
	nsec_t sent_nsec;    /* NSEC_NONE: it is foreign, or a piece of another */
	nsec_t arrived_nsec; /* NSEC_NONE: it did not arrive, or in pieces */
	enum trace_fate fate;
	uint8_t flags; /* enum packet_flag */
	uint32_t seq, ack, length;
	uint16_t window;
};

struct trace_timer {
	enum tcp_timer kind; /* TCP_TIMER_OFF: none is running */
	nsec_t expires_nsec; /* how long after the look it expires */
	unsigned int count;  /* how many retransmissions or probes there were so far */
};

/* A change of state, and a call of a program, as a record has them too. */
struct record_state {
	nsec_t time_nsec;
	int from, to; /* enum tcp_state */
};

struct record_call {
	nsec_t time_nsec;  /* when it returned */
	nsec_t start_nsec; /* when it was entered */
	enum agent_call call;
	int64_t result;
	int error;		 /* errno, positive; 0: it succeeded */
	unsigned int connection; /* which of its process's connections, counted from 0 */
	unsigned int process;	 /* which of the host's programs, counted from 0 as they start */
};

struct trace_sample {
	int state;			    /* enum tcp_state */
	uint32_t send_queue, receive_queue; /* bytes */
	uint32_t open; /* how many of many connections there are; 0: none, or there was only one */
};

struct trace_entry {
	enum trace_kind kind;
	nsec_t time_nsec;  /* when it happened; of a packet when it was sent, of a call when it
			      returned */
	enum node_id node; /* at which end; of a packet its sender; not used of an EVENT */
	/* PACKET: which connection's, counted from 0 in the order of their first packets. */
	unsigned int connection;
	enum trace_again again; /* PACKET and RETRANSMISSION */
	unsigned int
		number;	 /* which retransmission of the same, or which unanswered probe; 0: none */
	nsec_t rto_nsec; /* TIMEOUT: the timeout that expired; NSEC_NONE: it is not known */
	union {
		struct trace_packet packet;
		struct record_state state;
		struct trace_timer timer;
		struct record_call call;
		struct trace_sample sample;
		struct {
			nsec_t took_nsec; /* how long it took until the kernel had done it */
			char *what;	  /* "power-loss server"; owned */
		} event;
	};
};

struct trace {
	bool present; /* a trace was asked for */
	struct trace_entry *entries;
	size_t count;
};

void trace_deinit(struct trace *trace);

DECLARE_NAMES(trace_kind, enum trace_kind)   /* "packet" */
DECLARE_NAMES(trace_fate, enum trace_fate)   /* "arrived" */
DECLARE_NAMES(trace_again, enum trace_again) /* "keepalive-probe"; NEW has no name */
