/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Commands in nft's language, which libnftables carries out inside a namespace.
 * The caller makes sure that no name in a command has a character that means
 * something to nft.
 */

#include "netns/netns.h"

/* Fails with ERROR_CAPABILITY when the kernel has no nf_tables, or does not let us use them in
 * `ns`. */
int nft_check(const struct netns *ns, struct error *err);

/* Runs commands, one a line: all of them or none. Fails with ERROR_CAPABILITY when a command asks
 * for something that the kernel does not have. */
__attribute__((format(printf, 3, 4))) int nft_run(const struct netns *ns, struct error *err,
						  const char *format, ...);
