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
	TRACE_RETRANSMISSION, /* that no packet shows: it did not get as far as the wire */
	TRACE_STATE,
	TRACE_TIMER,
	TRACE_CALL,
	TRACE_SAMPLE, /* of queues, where the scenario has some taken */
	TRACE_EVENT,  /* of the timeline */
	_TRACE_KIND_MAX,
};

enum trace_fate {
	TRACE_ARRIVED,
	TRACE_LOST,
	TRACE_IN_PIECES, /* cut up or put together on the way: what arrived has entries of its own
			  */
	TRACE_UNDER_WAY, /* when the trial ended */
	_TRACE_FATE_MAX,
};

/* Why something is sent that was sent before, or that says nothing new. */
enum trace_again {
	TRACE_NEW, /* it is not */
	TRACE_TIMEOUT,
	TRACE_LOSS_PROBE,
	TRACE_FAST,	 /* by ACKs */
	TRACE_AGAIN,	 /* a retransmission of unknown cause */
	TRACE_KEEPALIVE, /* a probe */
	TRACE_WINDOW,	 /* a probe of a window that is closed */
	_TRACE_AGAIN_MAX,
};

/* As tcpdump writes it: relative numbers, but absolute ones in a SYN and in what acknowledges
 * nothing. */
struct trace_packet {
	bool foreign;	     /* neither end sent it: `node` is the end it came to */
	nsec_t sent_nsec;    /* NSEC_NONE: foreign, or a piece */
	nsec_t arrived_nsec; /* NSEC_NONE: it did not, or in pieces */
	enum trace_fate fate;
	uint8_t flags; /* as in struct tcp_packet */
	uint32_t seq, ack, length;
	uint16_t window;
};

struct trace_timer {
	enum tcp_timer kind; /* TCP_TIMER_OFF: none is running */
	nsec_t expires_nsec; /* from then */
	unsigned int count;  /* retransmissions or probes so far */
};

struct trace_call {
	enum agent_call call;
	nsec_t start_nsec;
	int64_t result;
	int error;		 /* errno, positive; 0: it succeeded */
	unsigned int connection; /* of its process, counted from 0 */
	unsigned int process;	 /* the node's agents, counted from 0 */
};

struct trace_sample {
	int state; /* TCP_* */
	uint32_t send_queue, receive_queue;
	uint32_t open; /* of many connections; 0: there is one, or none is */
};

struct trace_entry {
	enum trace_kind kind;
	nsec_t time_nsec;  /* when it was sent, left the queue, changed, was read, returned */
	enum node_id node; /* whose; of a packet the sender, or see `foreign`; not of an EVENT */
	unsigned int connection; /* of a PACKET; in the order of their first packets, from 0 */
	enum trace_again again;	 /* PACKET and RETRANSMISSION */
	unsigned int number;	 /* of retransmissions of the same, or unanswered probes; 0: none */
	nsec_t rto_nsec;	 /* TIMEOUT: that expired; NSEC_NONE: not known */
	union {
		struct trace_packet packet;
		struct {
			int from, to; /* TCP_* */
		} state;
		struct trace_timer timer;
		struct trace_call call;
		struct trace_sample sample;
		struct {
			nsec_t took_nsec;
			char *what; /* "power-loss server"; owned */
		} event;
	};
};

struct trace {
	bool present; /* it was asked for */
	struct trace_entry *entries;
	size_t count;
};

void trace_deinit(struct trace *trace);

DECLARE_NAMES(trace_kind, enum trace_kind)   /* "packet" */
DECLARE_NAMES(trace_fate, enum trace_fate)   /* "arrived" */
DECLARE_NAMES(trace_again, enum trace_again) /* "keepalive-probe"; NEW has no name */
