/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tells a link who has an address now, unasked: what a host that takes another's
 * address over sends (arping -U, keepalived), so that the neighbours need not find
 * out by themselves.
 */

#include "netns/link.h"
#include "netns/route.h"

/* IPv4: an ARP announcement (RFC 5227 section 3). IPv6: an unsolicited neighbour advertisement with
 * the override flag (RFC 4861 section 7.2.6). One frame to everybody on the link. */
int announce_address(const struct netns *ns, int ifindex, const struct link_mac *mac,
		     const struct ip *ip, struct error *err);
