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
	/* Packets that leave by the interface of this name get its address; NULL: no NAT. Not
	 * owned. */
	const char *masquerade;
};

/* Makes `ns` such a router; to be called once for a namespace. Fails with ERROR_CAPABILITY when the
 * kernel has no nf_conntrack, or no NAT if that is asked for. */
int firewall_set(const struct netns *ns, const struct firewall *firewall, struct error *err);

/* Forgets every flow at once, with what NAT knows of it, as `conntrack -F` does. */
int firewall_forget(const struct netns *ns, struct error *err);

/* Returns whether this kernel can do all of this: 0, 1 or a negative errno. */
int firewall_probe(struct error *err);
