/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Rules that drop packets on their way in, by nf_tables (libnftables) at the
 * ingress hook of an interface. Neither the sender's stack nor the receiver's sees
 * such a drop. A drop on the way out would be seen by the sender's stack, which
 * treats it as local congestion and changes its retransmission timers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "netns/netns.h"
#include "netns/route.h"

struct packetfilter; /* The rules of one namespace. */

struct packetfilter_rule {
	const char *interface; /* packets that come in by this one are looked at; not owned */
	bool everything;       /* ARP and neighbour discovery too; only `count` is looked at then */
	int family;	       /* AF_INET or AF_INET6 */
	uint8_t tcp_flags_mask; /* which of the TCP flags (RFC 9293 section 3.1, FIN=1, SYN=2,
				 * RST=4, PSH=8, ACK=16) are looked at; 0: any TCP segment */
	uint8_t tcp_flags;	/* what the flags in the mask must be */
	bool payload_only;	/* only segments that carry data */
	uint64_t count;		/* drop exactly this many packets, then let all pass; 0: drop all. A
				 * segment that the sender's stack has not cut yet (GSO) is one packet. At
				 * most 2^32 - 2; dropping starts again after 2^32 - 1 packets that match */
};

/* Loads nothing yet. Fails with ERROR_CAPABILITY when nf_tables is not there. `ns` must outlive it.
 * Rules outlive it, so that nothing gets through while a testbed is taken down: they go with the
 * namespace. */
int packetfilter_new(const struct netns *ns, struct packetfilter **ret_pf, struct error *err);
struct packetfilter *packetfilter_free(struct packetfilter *pf);
DEFINE_CLEANUP(struct packetfilter *, packetfilter_free)

/* Adds a dropping rule; `*ret_handle` names it for packetfilter_remove(). */
int packetfilter_drop(struct packetfilter *pf, const struct packetfilter_rule *rule,
		      unsigned int *ret_handle, struct error *err);
/* Takes a rule away again. It is no error if the rule has gone with its interface. */
int packetfilter_remove(struct packetfilter *pf, unsigned int handle, struct error *err);

/* Returns whether this kernel has the nf_tables ingress hook: 0, 1 or a negative errno. */
int packetfilter_probe(struct error *err);
