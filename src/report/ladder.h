/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A record's trace for people: client and server as columns, time downwards, one
 * line a packet, state, timer, call or event. Long waits are one line, and so are
 * long rows of packets of which each is like the last.
 */

#include <stdio.h>

#include "src/record/record.h"

struct ladder_style {
	int width;   /* of a line, characters */
	bool colour; /* with the escapes of a terminal */
};

/* The style for a stream: the terminal's width, else $COLUMNS, else 100; colour on a terminal only,
 * and not where NO_COLOR is set. */
struct ladder_style ladder_style(FILE *out);

/* Prints nothing where the record has no trace. */
void ladder_print(const struct record *record, const struct ladder_style *style, FILE *out);
