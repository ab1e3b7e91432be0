/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The state that the files which make a trace share (trace-build.c, trace-join.c and
 * trace-lists.c), and the functions by which these files call each other.
 */

#include "src/record/record.h"
#include "src/record/sighting.h"

/* A packet that one end saw, with what is found out about the packet. */
struct trace_seen {
	const struct sighting_packet *packet; /* of the sightings; not owned */
	nsec_t time_nsec;	  /* CLOCK_MONOTONIC; never before the other end sent the packet */
	struct trace_seen *other; /* the same packet as the other end saw it, or NULL; not owned */
	bool in_pieces;		  /* the bytes of the packet arrived cut into other packets than
				   * they were sent in */
	size_t flow; /* index in `flows` of the packet's connection, or TRACE_NO_FLOW */
};
#define TRACE_NO_FLOW SIZE_MAX

/* A connection: the packets of one four-tuple from one SYN to the next. The fields of an end are
 * about the bytes that this end sends. */
struct trace_flow {
	size_t followed;	    /* between the ends of which followed connection, from 0 */
	unsigned int number;	    /* among those, from 0 */
	uint16_t port[_END_MAX][2]; /* the local and the peer's port, as each end sees them */
	struct {
		bool known;	     /* `base` is set */
		uint32_t base;	     /* the sequence number that the trace writes as 0 */
		uint32_t top;	     /* the sequence number behind all bytes sent so far */
		uint32_t acked;	     /* the highest acknowledgement that came in */
		bool heard;	     /* an acknowledgement came in: `acked` and `shut` are set */
		bool shut;	     /* the other end's window is closed */
		uint32_t repeated;   /* the sequence number of the last retransmission */
		unsigned int times;  /* how often `repeated` was sent again without an answer */
		unsigned int probes; /* how many probes were sent without an answer */
	} end[_END_MAX];
};

/* All that trace_build() knows while it makes one trace. */
struct trace_work {
	struct record *record;		      /* gets the trace; not owned */
	const struct sighting_log *sightings; /* the record's; not owned */
	struct trace_seen *seen[_END_MAX];    /* one for each packet of the sightings; owned */
	struct trace_flow *flows;	      /* owned */
	size_t n_flows;
	size_t next_packet[_END_MAX]; /* index in `seen` of the first packet to be taken */
	bool *shown[_END_MAX]; /* for each retransmission of the record, whether a packet shows
				* it; owned */
	nsec_t slowest_nsec;   /* the longest delay between both ends of any packet */
};

/* Adds an entry with `at_nsec` as its time to the record's trace, which owns the entry. Returns
 * NULL when out of memory. */
struct trace_entry *trace_add_entry(struct trace_work *work, enum trace_kind kind, nsec_t at_nsec,
				    enum end_id end);
/* Notes in the entry of a repeated packet why it was sent again. `retransmission` is the record's,
 * or NULL if the record has none for this packet. */
void trace_note_again(struct trace_entry *entry,
		      const struct record_retransmission *retransmission);

/* Finds for each packet the same one at the other end. -ENOMEM is the only failure. */
int trace_join(struct trace_work *work);
/* Adds the entries of all kinds but TRACE_PACKET. -ENOMEM is the only failure. */
int trace_take_lists(struct trace_work *work);
