/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* IP addresses and prefixes of either family, as data and as text. */

#include <netinet/in.h>
#include <stddef.h>

#include "src/util/error.h"

/* An address or prefix of either family. */
struct ip {
	int family; /* AF_INET or AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
	unsigned int prefix; /* length in bits */
};

/* Bits of an address: 32 or 128. */
unsigned int ip_full_prefix(int family);
/* Reads "10.0.1.2/24", or "fd00:1::2" with the full length as its prefix. */
int ip_parse(const char *text, struct ip *ret_ip, struct error *err);
/* Writes the address without the prefix length. Returns `buffer`; INET6_ADDRSTRLEN bytes are
 * enough. */
char *ip_format(char *buffer, size_t size, const struct ip *ip);
