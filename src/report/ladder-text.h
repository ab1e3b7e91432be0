/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Makes the rows of a ladder from the entries of a trace. */

#include "src/report/ladder-row.h"

/* Adds a row for each entry that is of the followed connection with that number, from 0, or an
 * event, or a line that a program wrote. `names` are those of the connection's ends. */
void ladder_fill(struct ladder *ladder, const struct trace *trace, size_t connection,
		 const char *const names[static 2]);

/* Writes a time as `ss -o` does (iproute2, misc/ss.c: print_ms_timer()): "119min", "37sec",
 * "204ms", and for 1.632 s "1.632ms". Returns `buffer`; 32 bytes are enough. */
char *ladder_format_timer(nsec_t time_nsec, char *buffer, size_t size);
