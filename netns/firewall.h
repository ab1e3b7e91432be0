/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A router that knows the flows passing through it: connection tracking
 * (nf_conntrack), a NAT on top of it, and what becomes of the segments that belong
 * to no flow it knows. All of it is in one namespace and goes with that.
 */

#include "netns/netem.h"
#include "netns/netns.h"

struct firewall {
	enum firewall_untracked untracked;
	const char *masquerade; /* what leaves by this interface gets its address; NULL: no NAT */
};

/* ERROR_CAPABILITY when the kernel has no nf_conntrack, or no NAT if that is asked for. Once a
 * namespace. */
int firewall_set(const struct netns *ns, const struct firewall *firewall, struct error *err);

/* Forgets every flow at once, as `conntrack -F` does; the timers of its NAT go with it. */
int firewall_forget(const struct netns *ns, struct error *err);

/* Whether this kernel can do all of it: 0 or 1. */
int firewall_probe(struct error *err);
