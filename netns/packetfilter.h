/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Packets dropped on their way in, by nf_tables (libnftables) at the ingress
 * hook of an interface. The far end's stack cannot see such a drop, and neither
 * can the sender's: a drop that the local stack sees is treated as local
 * congestion and changes its retransmission timers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "netns/netns.h"
#include "netns/route.h"

struct packetfilter; /* one nft table in one namespace */

struct packetfilter_rule {
	const char *interface;	/* whose ingress */
	bool everything;	/* ARP and neighbour discovery too; nothing below is looked at */
	int family;		/* AF_INET, AF_INET6 */
	uint8_t tcp_flags_mask; /* which of the TCP flags (RFC 9293 section 3.1, FIN=1, SYN=2,
				 * RST=4, PSH=8, ACK=16) are looked at; 0: any TCP segment */
	uint8_t tcp_flags;	/* and what they must be */
	bool payload_only;	/* only segments that carry data */
	uint64_t count; /* drop exactly this many, then let pass; 0: for ever. A segment that
			 * the sender's stack has not cut yet (GSO) is one packet. At most
			 * 2^32 - 2, and it starts again after 2^32 - 1 packets that match */
};

/* Loads nothing yet. ERROR_CAPABILITY when nf_tables is not there. `ns` must outlive it. Freeing
 * it leaves the rules as they are, so that nothing gets through while a testbed is taken down:
 * they go with the namespace. */
int packetfilter_new(const struct netns *ns, struct packetfilter **ret_pf, struct error *err);
struct packetfilter *packetfilter_free(struct packetfilter *pf);
DEFINE_CLEANUP(struct packetfilter *, packetfilter_free)

/* Adds a dropping rule; `*ret_handle` names it for the two below. */
int packetfilter_drop(struct packetfilter *pf, const struct packetfilter_rule *rule,
		      unsigned int *ret_handle, struct error *err);
/* Takes a rule away again, whether or not it has run out. */
int packetfilter_remove(struct packetfilter *pf, unsigned int handle, struct error *err);
/* How many packets the rule has dropped so far. -ENOENT when its interface is gone. */
int packetfilter_dropped(struct packetfilter *pf, unsigned int handle, uint64_t *ret_packets,
			 struct error *err);

/* Whether this kernel has the nf_tables ingress hook: 0 or 1. */
int packetfilter_probe(struct error *err);
