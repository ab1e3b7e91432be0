/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What goes into a prediction beside the scenario, and what comes out. */

#include "src/scenario/scenario.h"
#include "src/tcp/facts.h"

/* net/ipv4/tcp_ipv4.c: tcp_sk_init() sets tcp_syn_linear_timeouts to this. */
#define MODEL_SYN_LINEAR 4

/* A segment in flight. */
struct model_segment {
	nsec_t sent_nsec; /* for the first time */
	uint32_t size;	  /* bytes */
};

/* How a connection stood when its peer fell silent. Times are since the first event, and negative
 * before it. */
struct model_history {
	nsec_t connect_nsec;	 /* the (latest) connect(), or the SYN that came; NSEC_NONE: none */
	nsec_t established_nsec; /* NSEC_NONE: it was not */
	const nsec_t *syns;	 /* when SYNs came, in order; borrowed */
	size_t n_syns;
	nsec_t reset_nsec;    /* the first RST that came; NSEC_NONE: none did */
	nsec_t began_nsec;    /* the first data was sent; NSEC_NONE: none was */
	uint64_t read;	      /* bytes that came */
	bool probed;	      /* the oldest segment in flight was sent alone, after nothing had
			       * come for so long that the timer of a closed window sent it */
	nsec_t leaves_nsec;   /* it is in ESTABLISHED no more; NSEC_NEVER */
	nsec_t orphaned_nsec; /* no process holds the socket any more; NSEC_NEVER */
	nsec_t sent_nsec;     /* the oldest segment that stayed unacknowledged was sent first;
			       * NSEC_NONE:        all was acknowledged */
	nsec_t armed_nsec;    /* the latest packet that acknowledged something in its time, which
			       * armed its timer anew; at the earliest sent_nsec */
	const struct model_segment *segments; /* those that stayed unacknowledged, in order;
					       * borrowed. NULL: the workload tells */
	size_t n_segments;
	const nsec_t *acks; /* when packets without data were sent, in order; borrowed */
	size_t n_acks;
	nsec_t closed_nsec; /* the latest packet that came with a closed window, with nothing in
			     * flight; NSEC_NONE: the window is not closed */
	nsec_t first_probe_nsec; /* the first probe of that window by then; NSEC_NONE: none */
	nsec_t last_probe_nsec;	 /* the latest, likewise */
	unsigned int probes;	 /* so many there were by then */
	nsec_t answered_nsec;	 /* the shortest time that an answer took; NSEC_NONE: none came */
	const nsec_t *heard;	 /* when packets came, in order; borrowed */
	size_t n_heard;
	/* Where there is no such list: when the last one came, and how far they were apart before
	 * that; 0: there was only that one. */
	nsec_t last_heard_nsec, heard_every_nsec;
	nsec_t next_nsec;   /* likewise: so much later is the next segment, where the first may be
			     * answered; 0: it is not */
	nsec_t silent_nsec; /* likewise: keepalive probes of before that are answered */
};

/* What is known of the kernel that runs the trial, and of the connection. */
struct model_facts {
	unsigned int hz;	 /* timer ticks a second */
	unsigned int syn_linear; /* what tcp_syn_linear_timeouts is unless the scenario says; 0
				  * where the kernel has none (before Linux 6.5) */
	bool synack_capped;	 /* tcp_rto_max_ms is the most for SYN-ACKs too: since Linux 6.19,
				  * commit 1e9d3005e02c */
	int64_t phase;	  /* the jiffy of the first event modulo TICK_PHASES; -1: not known */
	nsec_t into_nsec; /* how far in its tick the first event was; NSEC_NONE: not known */
	nsec_t rto_nsec;  /* of the connection before the first event; NSEC_NONE: from path.delay */
	nsec_t rtt_nsec;  /* smoothed, likewise; 0 where the RTO is not known */
	bool rtt_exact;	  /* it is the kernel's own, not reckoned */
	uint32_t cwnd, mss; /* segments that may be in flight by then, and the bytes of one; 0 where
			     * that is not known */
	bool real_time;	    /* the kernel's softirqs wait for processors like anybody: a timer's
			     * handler may run in the tick after its own */
	/* What a program of the user's had set on its socket from the first on; NULL: not known, or
	 * it has changed since; borrowed. */
	const struct socket_options *options;
	const struct model_history *history; /* as it was measured; NULL: nothing was, and the
					      * scenario tells what can be told; borrowed */
};

struct prediction {
	enum mechanism mechanism;	   /* NONE: nothing is predicted */
	nsec_t earliest_nsec, latest_nsec; /* since the first event */
	const char *reason;		   /* why nothing is predicted; NULL: something is */
	/* Where the reason is that microseconds decide: the first and the last moment that it may
	 * be; else both are NSEC_NONE or 0, and mean nothing. */
	nsec_t first_nsec, last_nsec;
};

/* What is known before there is a connection: a kernel of so many ticks a second, with or without
 * tcp_syn_linear_timeouts. */
static inline struct model_facts model_facts_of(unsigned int hz, bool has_syn_linear)
{
	return (struct model_facts){ .hz = hz,
				     .phase = -1,
				     .into_nsec = NSEC_NONE,
				     .rto_nsec = NSEC_NONE,
				     .syn_linear = has_syn_linear ? MODEL_SYN_LINEAR : 0 };
}
