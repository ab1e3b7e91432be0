/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tcp/packet.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <string.h>

/* What follows the IP header. */
struct transport {
	const uint8_t *bytes; /* in the captured frame */
	size_t captured;      /* bytes of it that were captured */
	size_t length;	      /* bytes that the IP header claims, without Ethernet padding */
};

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

static void set_ip(struct ip *ip, int family, const void *address)
{
	*ip = (struct ip){ .family = family, .prefix = family == AF_INET ? 32 : 128 };
	memcpy(&ip->v6, address, ip->prefix / 8);
}

/* The length that an IP header claims. It is 0 in an offloaded packet of more than 64 KiB (BIG
 * TCP), whose length is that of the frame. */
static size_t claimed(size_t in_header, size_t offloaded)
{
	return in_header ? in_header : offloaded;
}

static bool decode_ipv4(const uint8_t *p, size_t captured, size_t length, struct tcp_packet *packet,
			struct transport *ret_transport)
{
	size_t header, total;
	struct iphdr ip;

	if (captured < sizeof(ip))
		return false;
	memcpy(&ip, p, sizeof(ip));
	header = ip.ihl * 4;
	total = claimed(ntohs(ip.tot_len), length);
	if (ip.version != 4 || header < sizeof(ip) || header > captured || total < header ||
	    total > length || ip.protocol != IPPROTO_TCP || ntohs(ip.frag_off) & 0x1fff)
		return false;
	packet->id = ntohs(ip.id);
	set_ip(&packet->source, AF_INET, &ip.saddr);
	set_ip(&packet->destination, AF_INET, &ip.daddr);
	*ret_transport = (struct transport){ p + header, captured - header, total - header };
	return true;
}

/* Extension headers are not followed: Linux puts none before its own TCP segments. */
static bool decode_ipv6(const uint8_t *p, size_t captured, size_t length, struct tcp_packet *packet,
			struct transport *ret_transport)
{
	struct ipv6hdr ip;
	size_t payload;

	if (captured < sizeof(ip))
		return false;
	memcpy(&ip, p, sizeof(ip));
	payload = claimed(ntohs(ip.payload_len), length - sizeof(ip));
	if (ip.version != 6 || ip.nexthdr != IPPROTO_TCP || payload > length - sizeof(ip))
		return false;
	set_ip(&packet->source, AF_INET6, &ip.saddr);
	set_ip(&packet->destination, AF_INET6, &ip.daddr);
	*ret_transport = (struct transport){ p + sizeof(ip), captured - sizeof(ip), payload };
	return true;
}

/* TSval of the timestamps option (RFC 7323, 3.2), or 0. An option is kind and length, but for those
 * of a single byte (RFC 9293, 3.1). */
static uint32_t find_stamp(const uint8_t *p, size_t size)
{
	enum { END, NOP, TIMESTAMPS = 8 };

	while (size > 1 && *p != END) {
		size_t n = *p == NOP ? 1 : p[1];

		if (*p == TIMESTAMPS && n == 10 && size >= n)
			return get_u32(p + 2);
		if (n == 0 || n > size)
			break;
		p += n;
		size -= n;
	}
	return 0;
}

static bool decode_tcp(const struct transport *t, struct tcp_packet *packet)
{
	const uint8_t *p = t->bytes;
	size_t header;

	if (t->captured < 20)
		return false;
	header = (size_t)(p[12] >> 4) * 4;
	if (header < 20 || header > t->length)
		return false;
	packet->source_port = get_u16(p);
	packet->destination_port = get_u16(p + 2);
	packet->seq = get_u32(p + 4);
	packet->ack = get_u32(p + 8);
	packet->flags = p[13];
	packet->window = get_u16(p + 14);
	packet->payload = (uint32_t)(t->length - header);
	packet->stamp = find_stamp(p + 20, (header < t->captured ? header : t->captured) - 20);
	return true;
}

bool packet_decode(const void *frame, size_t captured, size_t length, struct tcp_packet *ret_packet)
{
	const uint8_t *p = frame;
	struct tcp_packet packet = { 0 };
	struct transport transport;
	bool ok = false;

	if (captured > length || captured < ETH_HLEN)
		return false;
	switch (get_u16(p + 12)) {
	case ETH_P_IP:
		ok = decode_ipv4(p + ETH_HLEN, captured - ETH_HLEN, length - ETH_HLEN, &packet,
				 &transport);
		break;
	case ETH_P_IPV6:
		ok = decode_ipv6(p + ETH_HLEN, captured - ETH_HLEN, length - ETH_HLEN, &packet,
				 &transport);
		break;
	}
	if (!ok || !decode_tcp(&transport, &packet))
		return false;
	*ret_packet = packet;
	return true;
}

/* What tcpdump prints for each of the eight flags, the lowest bit first. */
static const char flag_letters[] = "FSRP.UEW";

char *packet_format_flags(uint8_t flags, char *buffer, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; flag_letters[i] && n + 1 < size; i++)
		if (flags & 1u << i)
			buffer[n++] = flag_letters[i];
	buffer[n] = '\0';
	return buffer;
}

static int parse_flags(const char **p, uint8_t *ret_flags)
{
	uint8_t flags = 0;

	for (; **p && **p != ']'; (*p)++) {
		const char *letter = strchr(flag_letters, **p);

		if (!letter)
			return -EINVAL;
		flags |= (uint8_t)(1u << (letter - flag_letters));
	}
	*ret_flags = flags;
	return flags ? 0 : -EINVAL;
}

int packet_parse_pattern(const char *text, struct packet_pattern *ret_pattern)
{
	struct packet_pattern p = { .any_direction = true };

	if (*text == '!') {
		p.absent = true;
		text++;
	}
	if (*text == '<' || *text == '>') {
		p.any_direction = false;
		p.sent = *text == '>';
		text++;
	}
	if (*text++ != '[' || parse_flags(&text, &p.flags) < 0 || strcmp(text, "]") != 0)
		return -EINVAL;
	*ret_pattern = p;
	return 0;
}
