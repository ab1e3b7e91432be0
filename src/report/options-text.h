/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What users' programs had set on their sockets, a line each: what their predictions go by. */

#include <stdio.h>

#include "src/record/record.h"

/* Writes "keepalive 15 s, 5 s, 3; no user timeout; TCP_NODELAY". Returns `buffer`. */
char *options_text(const struct socket_options *options, char *buffer, size_t size);
/* Prints a line for each end of the records that a user's program was at, and once what is the same
 * in all trials of a scenario. */
void options_print(struct record *const *records, size_t n, FILE *out);
