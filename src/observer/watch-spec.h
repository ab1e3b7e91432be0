/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The order to watch one network namespace, and the packets of one of its interfaces. */

#include "netns/netns.h"

struct observer_watch_spec {
	const struct netns *ns; /* not owned, nor are the texts; copied where needed */
	int family;		/* of the watched connections: AF_INET, AF_INET6 */
	int ifindex;		/* the interface whose packets are taken; 0: no packets are taken,
				 * or with pcap_path those of every interface */
	const char *interface;	/* the interface's name, for error texts */
	const char *pcap_path;	/* the file to which every packet (ARP, ICMP, ...) is also written,
				 * as a nanosecond pcap with times of CLOCK_REALTIME; NULL: none */
};
