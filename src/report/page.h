/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Writes stores as a page of HTML that needs nothing else: style, script, d3 and data are in it,
 * and a policy that refuses all that is not. The same stores give the same bytes.
 *
 * Everything that a store says may be a stranger's. It goes into the page as JSON in a block that
 * no browser runs, in which each "<" is an escape, so that no text can end the block. The script
 * makes text nodes of it, and never markup.
 */

#include <stdio.h>

#include "src/util/error.h"

/* Is told how many of the trials are read. */
typedef void (*page_progress)(size_t done, size_t total, void *userdata);

/* ERROR_CAPABILITY if this program was built without d3. */
int page_check(struct error *err);
/* Reads `n` stores and writes the page to `out`. If writing fails it stops, and the caller looks at
 * ferror() and errno. `progress` may be NULL. */
int page_write(const char *const *paths, size_t n, FILE *out, page_progress progress,
	       void *userdata, struct error *err);
