/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The entries of a trace in words: the rows of a ladder. */

#include "src/report/ladder-row.h"

/* Adds a row for each entry. */
void ladder_fill(struct ladder *ladder, const struct trace *trace);

/* "119min", "37sec", "204ms", "1.632ms" (it says ms there too): as `ss -o` writes a time (iproute2,
 * misc/ss.c: print_ms_timer()). Returns `buffer`; 32 bytes are enough. */
char *ladder_format_timer(nsec_t time, char *buffer, size_t size);
