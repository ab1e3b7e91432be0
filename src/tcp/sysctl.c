/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tcp/sysctl.h"

#include <stddef.h>
#include <string.h>

#include "src/util/cleanup.h"

const char *sysctl_since(const char *key)
{
	static const struct {
		const char *key, *since;
	} known[] = {
		{ "net.ipv4.tcp_syn_linear_timeouts", "6.5" },
		{ "net.ipv4.tcp_rto_min_us", "6.11" },
		{ "net.ipv4.tcp_rto_max_ms", "6.15" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(key, known[i].key) == 0)
			return known[i].since;
	return NULL;
}
