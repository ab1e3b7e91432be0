/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The work on a trace that is being made: what its parts (trace-join, trace-lists,
 * trace-build) know and how they add an entry.
 */

#include "src/record/record.h"
#include "src/record/sighting.h"

/* A packet that one end saw, and what was found out about it. */
struct trace_seen {
	const struct sighting_packet *packet;
	nsec_t time_nsec;	  /* the packet's, but never before the other end sent it */
	struct trace_seen *other; /* the same as the other end saw it, or NULL */
	bool in_pieces;		  /* sent: its bytes arrived otherwise cut; received: likewise */
	size_t flow;		  /* index of its connection, or TRACE_NO_FLOW */
};
#define TRACE_NO_FLOW SIZE_MAX

/* A connection by its four-tuple, from one SYN to the next. What is said of an end is about what
 * that end sends. */
struct trace_flow {
	uint16_t port[_ENDPOINT_MAX][2]; /* as each end knows it: local, peer */
	struct {
		bool known;	    /* `base` is */
		uint32_t base;	    /* absolute number that is written as 0 */
		uint32_t top;	    /* behind all that was sent */
		uint32_t acked;	    /* up to where the other end is known to have it */
		bool heard;	    /* the other end sent something: `acked` and `shut` are known */
		bool shut;	    /* the other end's window is closed */
		uint32_t repeated;  /* where the last retransmission began */
		unsigned int times; /* how often that was sent again in a row */
		unsigned int probes; /* sent in a row without an answer */
	} end[_ENDPOINT_MAX];
};

struct trace_work {
	struct record *record;
	const struct sighting_log *sightings;
	struct trace_seen *seen[_ENDPOINT_MAX]; /* one for each packet of the sightings; owned */
	struct trace_flow *flows;		/* owned */
	size_t n_flows;
	size_t next_packet[_ENDPOINT_MAX]; /* index in `seen` of the first without an entry */
	bool *shown[_ENDPOINT_MAX]; /* the record's retransmissions that have a packet; owned */
	nsec_t slowest_nsec;	    /* the longest that a packet took */
};

/* Adds an entry with `at_nsec` as its time; NULL when out of memory. */
struct trace_entry *trace_add_entry(struct trace_work *work, enum trace_kind kind, nsec_t at_nsec,
				    enum node_id node);
/* Notes in an entry why it was sent again. `retransmission` NULL: nothing is known of that. */
void trace_note_again(struct trace_entry *entry,
		      const struct record_retransmission *retransmission);

/* Finds for each packet of one end what the other end saw of it. -ENOMEM is the only failure. */
int trace_join(struct trace_work *work);
/* Adds the entries that are not of packets. -ENOMEM is the only failure. */
int trace_take_lists(struct trace_work *work);
