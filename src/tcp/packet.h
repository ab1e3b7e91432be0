/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A captured Ethernet frame as a struct tcp_packet. Pure: no descriptor, no clock.
 * What it reads comes from a network and may be cut, corrupt or hostile.
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/observer/observer.h"

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

/* Ethernet + the longest IPv4 header + the longest TCP header. */
#define PACKET_SNAP 134

/* Decodes `captured` bytes of a frame that had `length`. False when it is not a whole TCP header
 * over IPv4 or IPv6 (then *ret_packet is not touched): other protocols, later fragments, lengths
 * that contradict each other. `outgoing` is left false: only the socket knows. */
bool packet_decode(const void *frame, size_t captured, size_t length,
		   struct tcp_packet *ret_packet);
