/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A captured Ethernet frame as a struct tcp_packet. Pure: no descriptor, no clock.
 * What it reads comes from a network and may be cut, corrupt or hostile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/ip.h"

enum packet_flag {
	PACKET_FIN = 1,
	PACKET_SYN = 2,
	PACKET_RST = 4,
	PACKET_PSH = 8,
	PACKET_ACK = 16,
	PACKET_URG = 32,
	PACKET_ECE = 64,
	PACKET_CWR = 128,
};

struct tcp_packet {
	bool outgoing; /* sent by the watched node */
	struct ip source, destination;
	uint16_t source_port, destination_port; /* host order, as all numbers here */
	uint32_t seq, ack;
	uint8_t flags;	  /* mask of enum packet_flag */
	uint16_t window;  /* as in the header, not scaled */
	uint32_t payload; /* bytes */
	uint16_t id;	  /* IPv4: identification; 0 with IPv6 */
	uint32_t stamp;	  /* TSval of the timestamps option, 0 without one */
};

/* The bytes of an Ethernet header, the longest IPv4 header and the longest TCP header. */
#define PACKET_SNAP 134

/* Decodes `captured` bytes of a frame that had `length`. False when it is not a whole TCP header
 * over IPv4 or IPv6 (then *ret_packet is not touched): other protocols, later fragments, lengths
 * that contradict each other. `outgoing` is left false: only the socket knows. */
bool packet_decode(const void *frame, size_t captured, size_t length,
		   struct tcp_packet *ret_packet);

/* TCP flags as tcpdump prints them: "S", "S.", ".", "P.", "F.", "R". Returns `buffer` (12 bytes
 * are enough). */
char *packet_format_flags(uint8_t flags, char *buffer, size_t size);

/* A packet that a scenario file expects: "[S.]", "<[F.]" received, ">[R]" sent. */
struct packet_pattern {
	bool absent;	    /* "!" in front: no such packet may come after the first event */
	bool any_direction; /* sent or received */
	bool sent;	    /* unless any_direction: sent, not received */
	uint8_t flags;	    /* mask of enum packet_flag: these, and no others */
};
/* Returns 0, or -EINVAL for what is no pattern. */
int packet_parse_pattern(const char *text, struct packet_pattern *ret_pattern);
