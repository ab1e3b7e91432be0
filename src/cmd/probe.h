/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What this machine can do, found out by doing it. Each probe runs in a child
 * process, so that a user namespace it enters or a limit it meets is gone with it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/util/error.h"

struct probe {
	const char *name;
	bool required;	   /* without it the host engine runs nothing */
	bool in_namespace; /* cannot be tried where no network namespace can be made */
	/* Leaves in `detail` what it found. Fails with what is missing. */
	int (*func)(char *detail, size_t size, struct error *err);
	const char *remedy; /* what brings it, one line; or NULL */
};

struct probe_result {
	bool tried, ok;
	char detail[1024]; /* what there is, or what went wrong; may be empty */
};

#define PROBE_NETWORK_NAMESPACES "network namespaces"
/* All there are; ends with a NULL name. */
extern const struct probe probes[];

/* Fails only where no child can be made. */
int probe_run(const struct probe *probe, struct probe_result *ret_result, struct error *err);
