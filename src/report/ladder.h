/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A ladder shows the trace of a record to people. Client and server are columns, time goes
 * downwards, and each packet, state, timer, call or event has a line. A long wait is one line,
 * and so is a long run of packets that are all alike.
 */

#include <stdio.h>

#include "src/record/record.h"

struct ladder_style {
	int width;   /* width of a line; characters */
	bool colour; /* lines have a terminal's escapes for colours */
};

/* Returns the style for a stream. The width is the terminal's, else $COLUMNS, else 100. Colour is
 * for terminals only, and not where NO_COLOR is set. */
struct ladder_style ladder_style(FILE *out);

/* Prints the ladder of a record; nothing if the record has no trace. */
void ladder_print(const struct record *record, const struct ladder_style *style, FILE *out);
