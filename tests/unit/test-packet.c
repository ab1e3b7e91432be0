/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests that whole frames are decoded, and broken ones refused. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "src/tcp/packet.h"
#include "src/util/cleanup.h"
#include "tests/unit/suite.h"

/* The frame is 10.0.1.2:40000 > 10.0.2.2:80, seq 0x01020304, ack 0x0a0b0c0d, [P.], window 500,
 * with the data "abc". */
static const uint8_t ipv4[] = {
	2,    0,    0,	 0,  0, 1, 2,	 0, 0,	 0,   0,   2,	8,    0, /* Ethernet */
	0x45, 0,    0,	 43, 0, 0, 0x40, 0, 64,	 6,   0,   0,	10,   0,
	1,    2,    10,	 0,  2, 2, /* IPv4 */
	0x9c, 0x40, 0,	 80, 1, 2, 3,	 4, 0xa, 0xb, 0xc, 0xd, 0x50, 0x18,
	1,    0xf4, 0,	 0,  0, 0, /* TCP */
	'a',  'b',  'c', 0,  0, 0  /* padding to the least Ethernet frame */
};

/* The frame is fd00::1:40000 > fd00::2:80, a SYN with an MSS option. */
static const uint8_t ipv6[] = {
	2,    0,    0, 0,   0, 1,  2, 0,  0, 0, 0, 2, 0x86, 0xdd,	/* Ethernet */
	0x60, 0,    0, 0,   0, 24, 6, 64,				/* IPv6 */
	0xfd, 0,    0, 0,   0, 0,  0, 0,  0, 0, 0, 0, 0,    0,	  0, 1, /* */
	0xfd, 0,    0, 0,   0, 0,  0, 0,  0, 0, 0, 0, 0,    0,	  0, 2, /* */
	0x9c, 0x40, 0, 80,  1, 2,  3, 4,  0, 0, 0, 0, 0x60, 2,	  1, 0xf4, 0, 0, 0, 0, /* TCP */
	2,    4,    5, 0xb4 /* MSS 1460 */
};

START_TEST(packet_over_ipv4)
{
	struct tcp_packet p;
	char text[INET6_ADDRSTRLEN];

	ck_assert(packet_decode(ipv4, sizeof(ipv4), sizeof(ipv4), &p));
	ck_assert_str_eq(ip_format(text, sizeof(text), &p.source), "10.0.1.2");
	ck_assert_str_eq(ip_format(text, sizeof(text), &p.destination), "10.0.2.2");
	ck_assert_uint_eq(p.source_port, 40000);
	ck_assert_uint_eq(p.destination_port, 80);
	ck_assert_uint_eq(p.seq, 0x01020304);
	ck_assert_uint_eq(p.ack, 0x0a0b0c0d);
	ck_assert_uint_eq(p.flags, PACKET_PSH | PACKET_ACK);
	ck_assert_uint_eq(p.window, 500);
	ck_assert_uint_eq(p.payload, 3);
	ck_assert(!p.outgoing);
}
END_TEST

START_TEST(packet_over_ipv6)
{
	struct tcp_packet p;
	char text[INET6_ADDRSTRLEN];

	ck_assert(packet_decode(ipv6, sizeof(ipv6), sizeof(ipv6), &p));
	ck_assert_str_eq(ip_format(text, sizeof(text), &p.source), "fd00::1");
	ck_assert_uint_eq(p.flags, PACKET_SYN);
	ck_assert_uint_eq(p.payload, 0);
}
END_TEST

/* A frame of which only the headers are captured is decoded. Segmentation offload leaves lengths
 * that exceed the MTU, or are 0. */
START_TEST(packet_cut_and_offloaded)
{
	uint8_t frame[sizeof(ipv4)];
	struct tcp_packet p;

	memcpy(frame, ipv4, sizeof(frame));
	frame[16] = 0xff;
	frame[17] = 0;
	ck_assert(packet_decode(frame, 54, 14 + 0xff00, &p));
	ck_assert_uint_eq(p.payload, 0xff00 - 40);
	frame[16] = 0;
	ck_assert(packet_decode(frame, 54, 200000, &p));
	ck_assert_uint_eq(p.payload, 200000 - 54);
}
END_TEST

static const struct {
	const char *name;
	size_t at;
	uint8_t value;
} broken[] = {
	{ "another protocol above Ethernet", 13, 6 },
	{ "IP version", 14, 0x65 },
	{ "header shorter than itself", 14, 0x44 },
	{ "header longer than the frame", 14, 0x4f },
	{ "total length below the header's", 17, 19 },
	{ "total length without room for TCP", 17, 30 },
	{ "total length beyond the frame", 16, 0xff },
	{ "another protocol above IP", 23, 17 },
	{ "a later fragment", 21, 1 },
	{ "TCP header shorter than itself", 46, 0x40 },
	{ "TCP header longer than the packet", 46, 0xf0 },
};

START_TEST(packet_refuses)
{
	uint8_t frame[sizeof(ipv4)];
	struct tcp_packet p = { .seq = 7 };

	memcpy(frame, ipv4, sizeof(frame));
	frame[broken[_i].at] = broken[_i].value;
	ck_assert_msg(!packet_decode(frame, sizeof(frame), sizeof(frame), &p), "%s",
		      broken[_i].name);
	ck_assert_uint_eq(p.seq, 7);
}
END_TEST

static void cut_everywhere(const uint8_t *frame, size_t size, size_t needed)
{
	for (size_t captured = 0; captured <= size; captured++) {
		/* ASan and valgrind notice a read beyond the end of an exact copy. */
		uint8_t *exact = malloc(captured ? captured : 1);
		struct tcp_packet p;

		memcpy(exact, frame, captured);
		ck_assert_int_eq(packet_decode(exact, captured, size, &p), captured >= needed);
		packet_decode(exact, captured, captured, &p);
		free(exact);
	}
}

START_TEST(packet_cut_anywhere)
{
	cut_everywhere(ipv4, sizeof(ipv4), 54);
	cut_everywhere(ipv6, sizeof(ipv6), 74);
}
END_TEST

START_TEST(packet_random_bytes)
{
	uint32_t random = 1;

	for (int i = 0; i < suite_rounds(200000); i++) {
		bool six = i & 1;
		size_t size = six ? sizeof(ipv6) : sizeof(ipv4);
		uint8_t frame[sizeof(ipv6)];
		struct tcp_packet p;

		memcpy(frame, six ? ipv6 : ipv4, size);
		for (int n = 0; n < 3; n++) {
			random = random * 1664525 + 1013904223;
			frame[(random >> 8) % size] = (uint8_t)(random >> 24);
		}
		if (packet_decode(frame, size, size, &p))
			ck_assert_uint_le(p.payload, size);
	}
}
END_TEST

START_TEST(packet_patterns)
{
	struct packet_pattern p;
	char flags[12];

	ck_assert_int_eq(packet_parse_pattern("!<[R.]", &p), 0);
	ck_assert(p.absent && !p.any_direction && !p.sent);
	ck_assert_uint_eq(p.flags, 4 | 16);
	ck_assert_int_eq(packet_parse_pattern("[S]", &p), 0);
	ck_assert(!p.absent && p.any_direction);
	ck_assert_int_eq(packet_parse_pattern("[]", &p), -EINVAL);
	ck_assert_int_eq(packet_parse_pattern("[X]", &p), -EINVAL);
	ck_assert_int_eq(packet_parse_pattern("[S", &p), -EINVAL);
	ck_assert_int_eq(packet_parse_pattern("[S]x", &p), -EINVAL);
	ck_assert_str_eq(packet_format_flags(8 | 16, flags, sizeof(flags)), "P.");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, packet_patterns);
	tcase_add_test(tc, packet_over_ipv4);
	tcase_add_test(tc, packet_over_ipv6);
	tcase_add_test(tc, packet_cut_and_offloaded);
	tcase_add_loop_test(tc, packet_refuses, 0, ARRAY_SIZE(broken));
	tcase_add_test(tc, packet_cut_anywhere);
	tcase_add_test(tc, packet_random_bytes);
}

int main(void)
{
	return suite_main("packet", add_tests);
}
