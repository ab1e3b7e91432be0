/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a path does to packets, as plain data that names no kernel object: netem's
 * parameters, and what a router does with segments of flows that it does not know.
 * include/uapi/linux/pkt_sched.h (struct tc_netem_qopt) is the source of the units.
 */

#include <stdint.h>

#include "src/util/nsec.h"

struct netem {
	nsec_t delay_nsec;  /* added to each packet; 0: none */
	nsec_t jitter_nsec; /* +- uniformly; 0: none */
	double loss;	    /* probability 0..1 of each packet, independent */
	double duplicate;   /* probability 0..1 */
	double corrupt;	    /* probability 0..1 of a flipped bit (of a segment: in its headers) */
	double reorder;	    /* probability 0..1 of being sent at once; needs a delay */
	uint64_t rate_bps;  /* bits a second; 0: not limited */
	uint32_t limit_packets; /* queue length; 0: 10000, so that a full queue loses nothing */
};

/* What a router does with a segment that neither belongs to a known flow nor opens one (with a SYN
 * without ACK). */
enum firewall_untracked {
	FIREWALL_PASS,	/* It is forwarded, and the kernel takes the flow up again if it can
			 * (nf_conntrack_tcp_loose). */
	FIREWALL_DROP,	/* It is dropped, and nobody is told. */
	FIREWALL_RESET, /* It is answered with a RST in the name of the other end. */
	_FIREWALL_UNTRACKED_MAX,
};
