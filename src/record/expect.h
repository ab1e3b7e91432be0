/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The verdict: a scenario's expectations held against the record, offline. Each
 * that does not hold adds one line to the record's failures that says what was
 * expected and what was got.
 */

#include "src/record/record.h"

int expect_check(const struct scenario *scenario, struct record *record, struct error *err);

/* Whether the trial has to go on until nothing is left of the connection: `gone` is expected, or a
 * walk in which TIME_WAIT ends. */
bool expect_awaits_gone(const struct expectation *expectation);

/* TCP flags as tcpdump prints them: "S", "S.", ".", "P.", "F.", "R". Returns `buffer` (12 bytes
 * are enough). */
char *expect_format_flags(uint8_t flags, char *buffer, size_t size);

/* A packet pattern of a scenario file: "[S.]", "<[F.]" received, ">[R]" sent, "!" in front of any
 * of these: none may come after the first event. 0, or -EINVAL when it is none. */
struct packet_pattern {
	bool absent, any_direction, sent;
	uint8_t flags;
};
int expect_parse_pattern(const char *text, struct packet_pattern *ret_pattern);
