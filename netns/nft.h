/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * nft's language, carried out inside a namespace by libnftables. Whoever writes
 * commands puts names in them that are known to be plain.
 */

#include <stdarg.h>

#include "netns/netns.h"

/* ERROR_CAPABILITY when the kernel has no nf_tables, or does not let us use them in `ns`. */
int nft_check(const struct netns *ns, struct error *err);

/* Runs commands, one a line, all or none. `ret_output` may be NULL; else the caller frees what is
 * put there. ERROR_CAPABILITY where a command asks for what the kernel does not have. */
int nft_run(const struct netns *ns, const char *commands, char **ret_output, struct error *err);
__attribute__((format(printf, 4, 5))) int nft_runf(const struct netns *ns, char **ret_output,
						   struct error *err, const char *format, ...);
