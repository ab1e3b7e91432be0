/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Addresses, routes, rules and neighbours. The functions route_put*() open requests
 * that take effect at the next nl_commit(); the other functions work at once.
 */

#include <netinet/in.h>
#include <stdbool.h>

#include "netns/link.h"
#include "netns/nl.h"
#include "src/util/ip.h"

enum route_type {
	ROUTE_UNICAST,	   /* the packet is forwarded */
	ROUTE_BLACKHOLE,   /* the packet is dropped, and nobody is told */
	ROUTE_UNREACHABLE, /* dropped; ICMP says host (IPv6: address) unreachable */
	ROUTE_PROHIBIT,	   /* dropped; ICMP says administratively prohibited */
	_ROUTE_TYPE_MAX,
};

/* Gives the interface an address, without duplicate address detection (IFA_F_NODAD). An equal one
 * is replaced. */
void route_put_address(struct nl *nl, int ifindex, const struct ip *ip);
void route_put_address_delete(struct nl *nl, int ifindex, const struct ip *ip);

/* Waits until the namespace takes packets for its address, or returns -ETIMEDOUT. IPv4 does so as
 * soon as the request for the address is acknowledged. IPv6 finishes an address in the background,
 * even without duplicate address detection (net/ipv6/addrconf.c: addrconf_dad_work): until then the
 * host has not joined the solicited-node group, and a neighbour that asks for the address gets no
 * answer and asks again only a second later. */
int route_wait_address(struct nl *nl, const struct ip *ip, nsec_t timeout_nsec, struct error *err);

struct route {
	enum route_type type;
	struct ip destination; /* with prefix 0 it is the default route */
	const struct ip *via;  /* the next hop, not owned, or NULL */
	int ifindex;	       /* the interface to send by, or 0 */
	unsigned int metric;   /* of two routes the one with the lower wins; 0: kernel's default */
	uint32_t table;	       /* 0: the main table */
};

/* Replaces a route to the same destination with the same metric. */
void route_put(struct nl *nl, const struct route *route);
void route_put_delete(struct nl *nl, const struct route *route);

/* Has packets that come in by `interface` looked up in `table` before the main table, as ip-rule(8)
 * does with "iif NAME lookup TABLE". Packets that this namespace sends itself, such as ICMP errors,
 * do not see the table. `priority` is below 32766, which is that of the main table. */
void route_put_rule(struct nl *nl, int family, const char *interface, uint32_t table,
		    uint32_t priority);

/* Forgets every neighbour of the interface. */
int route_flush_neighbours(struct nl *nl, int ifindex, struct error *err);
