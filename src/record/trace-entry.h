/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the parts of a tracer share: trace-build.c (packets) and trace-lists.c (what
 * the record says besides). Nobody else includes it.
 */

#include "src/record/trace-build.h"

/* A connection by its four-tuple, from one SYN to the next. What is said of an end is its own
 * sending direction's. */
struct tracer_flow {
	uint16_t port[_ENDPOINT_MAX][2]; /* as each end knows it: local, peer */
	struct {
		bool known;	    /* `base` is */
		uint32_t base;	    /* absolute number that is written as 0 */
		uint32_t top;	    /* behind all that was sent */
		uint32_t acked;	    /* up to where the other end is known to have it */
		bool heard;	    /* of the other end: `acked` and `shut` are known */
		bool shut;	    /* its window is closed */
		uint32_t repeated;  /* where the last retransmission began */
		unsigned int times; /* how often in a row */
		unsigned int probes;
	} end[_ENDPOINT_MAX];
};

struct tracer_build {
	struct tracer *tracer;
	struct record *record;
	nsec_t origin_nsec;
	struct tracer_flow *flows; /* owned */
	size_t n_flows;
	size_t next_packet[_ENDPOINT_MAX];
	bool *shown[_ENDPOINT_MAX]; /* the record's retransmissions that have a packet; owned */
	nsec_t slowest_nsec;	    /* the longest that a packet took */
};

/* NULL when out of memory. */
struct trace_entry *tracer_add_entry(struct tracer_build *b, enum trace_kind kind, nsec_t at_nsec,
				     enum node_id node);
/* `r` NULL: nothing is known of it. */
void tracer_note_again(struct trace_entry *entry, const struct record_retransmission *r);

/* States, calls, samples, timers, events, and the retransmissions that no packet showed. -ENOMEM is
 * the only failure. */
int tracer_take_lists(struct tracer_build *b);
