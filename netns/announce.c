/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct arp_frame {
	struct ether_header ethernet;
	struct ether_arp arp;
} __attribute__((packed));

struct advertisement {
	struct nd_neighbor_advert header;
	struct nd_opt_hdr option;
	struct link_mac mac;
} __attribute__((packed));

struct advertisement_frame {
	struct ether_header ethernet;
	struct ip6_hdr ip;
	struct advertisement advertisement;
} __attribute__((packed));

static struct arp_frame arp_announcement(const struct link_mac *mac, const struct ip *ip)
{
	struct arp_frame f = {
		.ethernet.ether_type = htons(ETHERTYPE_ARP),
		.arp.ea_hdr = { .ar_hrd = htons(ARPHRD_ETHER),
				.ar_pro = htons(ETHERTYPE_IP),
				.ar_hln = ETH_ALEN,
				.ar_pln = sizeof(ip->v4),
				.ar_op = htons(ARPOP_REQUEST) },
	};

	memset(f.ethernet.ether_dhost, 0xff, ETH_ALEN);
	memcpy(f.ethernet.ether_shost, mac->byte, ETH_ALEN);
	memcpy(f.arp.arp_sha, mac->byte, ETH_ALEN);
	memcpy(f.arp.arp_spa, &ip->v4, sizeof(ip->v4));
	memcpy(f.arp.arp_tpa, &ip->v4, sizeof(ip->v4));
	return f;
}

static uint32_t add_words(uint32_t sum, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

/* The checksum of ICMPv6 covers a pseudo-header and the whole message (RFC 8200 section 8.1). */
static uint16_t checksum(const struct advertisement_frame *f)
{
	uint32_t sum = add_words(0, &f->ip.ip6_src, 2 * sizeof(f->ip.ip6_src));

	sum += sizeof(f->advertisement) + IPPROTO_ICMPV6;
	sum = add_words(sum, &f->advertisement, sizeof(f->advertisement));
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static struct advertisement_frame advertisement(const struct link_mac *mac, const struct ip *ip)
{
	static const uint8_t all_nodes[ETH_ALEN] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct advertisement_frame f = {
		.ethernet.ether_type = htons(ETHERTYPE_IPV6),
		.ip = { .ip6_src = ip->v6 },
		.advertisement = { .header = { .nd_na_target = ip->v6 },
				   .option = { ND_OPT_TARGET_LINKADDR, 1 },
				   .mac = *mac },
	};

	memcpy(f.ethernet.ether_dhost, all_nodes, ETH_ALEN);
	memcpy(f.ethernet.ether_shost, mac->byte, ETH_ALEN);
	f.ip.ip6_vfc = 6 << 4;
	f.ip.ip6_plen = htons(sizeof(f.advertisement));
	f.ip.ip6_nxt = IPPROTO_ICMPV6;
	f.ip.ip6_hlim = 255;
	inet_pton(AF_INET6, "ff02::1", &f.ip.ip6_dst);
	f.advertisement.header.nd_na_type = ND_NEIGHBOR_ADVERT;
	f.advertisement.header.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	f.advertisement.header.nd_na_cksum = checksum(&f);
	return f;
}

static int send_frame(int fd, int ifindex, const void *frame, size_t size, struct error *err)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = ifindex,
				  .sll_halen = ETH_ALEN };

	memcpy(to.sll_addr, frame, ETH_ALEN);
	if (sendto(fd, frame, size, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return error_errno(err, -errno, "announce the address");
	return 0;
}

int announce_address(const struct netns *ns, int ifindex, const struct link_mac *mac,
		     const struct ip *ip, struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;
	int rc = netns_socket(ns, AF_PACKET, SOCK_RAW, 0, &fd, err);

	if (rc < 0)
		return rc;
	if (ip->family == AF_INET) {
		struct arp_frame f = arp_announcement(mac, ip);

		return send_frame(fd, ifindex, &f, sizeof(f), err);
	}
	struct advertisement_frame f = advertisement(mac, ip);

	return send_frame(fd, ifindex, &f, sizeof(f), err);
}
