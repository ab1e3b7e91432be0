/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Addresses, routes and permanent neighbours. All functions open requests that
 * take effect at the next nl_commit(). Interfaces are named by index, which
 * link_get() tells.
 */

#include <netinet/in.h>
#include <stdbool.h>

#include "netns/link.h"
#include "netns/nl.h"
#include "src/util/ip.h"

enum route_type {
	ROUTE_UNICAST,	   /* forwarded */
	ROUTE_BLACKHOLE,   /* dropped without a word */
	ROUTE_UNREACHABLE, /* dropped; the sender is told host unreachable (v6: address unreachable)
			    */
	ROUTE_PROHIBIT,	   /* dropped; the sender is told it is administratively prohibited */
	_ROUTE_TYPE_MAX,
};

/* IPv6 addresses are usable at once (IFA_F_NODAD). Replaces an equal one. */
void route_put_address(struct nl *nl, int ifindex, const struct ip *ip);
void route_put_address_delete(struct nl *nl, int ifindex, const struct ip *ip);

/* Waits until the namespace takes packets for its address. IPv6 finishes a new address in the
 * background, without duplicate detection too (net/ipv6/addrconf.c: addrconf_dad_work): until then
 * it has not joined the solicited-node group, and whoever asks for it tries again only a second
 * later. -ETIMEDOUT. */
int route_wait_address(struct nl *nl, const struct ip *ip, nsec_t timeout_nsec, struct error *err);

struct route {
	enum route_type type;
	struct ip destination; /* prefix 0: the default route */
	const struct ip *via;  /* the next hop, or NULL */
	int ifindex;	       /* or 0 */
	unsigned int metric;   /* priority, the lowest wins; 0: the kernel's default */
	uint32_t table;	       /* 0: the main table */
};

/* Replaces a route to the same destination with the same metric. */
void route_put(struct nl *nl, const struct route *route);
void route_put_delete(struct nl *nl, const struct route *route);

/* What comes in by `interface` is looked up in `table` before the main one: routes there leave
 * alone what this namespace sends itself, its ICMP errors too. ip-rule(8): "iif NAME lookup TABLE".
 * `priority` is below 32766, which is the main table's. */
void route_put_rule(struct nl *nl, int family, const char *interface, uint32_t table,
		    uint32_t priority);

/* Forgets every neighbour entry of the interface. Works at once. */
int route_flush_neighbours(struct nl *nl, int ifindex, struct error *err);
