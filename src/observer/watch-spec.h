/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is to be watched: one network namespace, and the packets of one of its interfaces. */

#include "netns/netns.h"

struct observer_watch_spec {
	const struct netns *ns;
	int family;	       /* AF_INET, AF_INET6 */
	int ifindex;	       /* the interface whose packets are taken; 0: none are, but
				* with pcap_path those of every interface */
	const char *interface; /* its name */
	const char *pcap_path; /* also write every packet of it (ARP, ICMP, ...) to this file, or
				* NULL; nanosecond pcap, times of CLOCK_REALTIME */
};
