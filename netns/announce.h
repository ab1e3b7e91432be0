/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tells everybody on a link which host has an address now. A host that takes
 * another's address over sends this unasked (arping -U, keepalived), so that its
 * neighbours need not find out by themselves.
 */

#include "netns/link.h"
#include "netns/route.h"

/* Sends one frame: for IPv4 an ARP announcement (RFC 5227 section 3), for IPv6 an unsolicited
 * neighbour advertisement with the override flag (RFC 4861 section 7.2.6). */
int announce_address(const struct netns *ns, int ifindex, const struct link_mac *mac,
		     const struct ip *ip, struct error *err);
