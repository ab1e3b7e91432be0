/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

unsigned int ip_full_prefix(int family)
{
	return family == AF_INET ? 32 : 128;
}

struct ip ip_unmap(struct ip ip)
{
	struct ip v4 = { .family = AF_INET, .prefix = ip_full_prefix(AF_INET) };

	if (ip.family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&ip.v6))
		return ip;
	memcpy(&v4.v4, &ip.v6.s6_addr[12], sizeof(v4.v4));
	return v4;
}

bool ip_is_same(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(&a->v6, &b->v6, ip_full_prefix(a->family) / 8);
}

static int parse_prefix(const char *text, unsigned int max, unsigned int *ret_prefix)
{
	unsigned long prefix;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	prefix = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || prefix > max)
		return -EINVAL;
	*ret_prefix = (unsigned int)prefix;
	return 0;
}

int ip_parse(const char *text, struct ip *ret_ip, struct error *err)
{
	struct ip ip = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];

	if (n >= sizeof(address))
		return error_input(err, "'%s' is not an IP address", text);
	memcpy(address, text, n);
	address[n] = '\0';
	if (inet_pton(ip.family, address, &ip.v6) != 1)
		return error_input(err, "'%s' is not an IP address", text);
	ip.prefix = ip_full_prefix(ip.family);
	if (slash && parse_prefix(slash + 1, ip.prefix, &ip.prefix) < 0)
		return error_input(err, "'%s': the prefix length is a number from 0 to %u", text,
				   ip_full_prefix(ip.family));
	*ret_ip = ip;
	return 0;
}

char *ip_format(char *buffer, size_t size, const struct ip *ip)
{
	if (!inet_ntop(ip->family, &ip->v6, buffer, (socklen_t)size) && size > 0)
		buffer[0] = '\0';
	return buffer;
}
