/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Probes: each finds out by trying whether this machine can do one thing. A probe runs in a
 * child process, so that a user namespace that it enters, or a limit that it meets, ends with
 * it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "netns/netns.h"
#include "src/util/error.h"

struct probe {
	const char *name;  /* of what is tried, for people; static */
	bool required;	   /* without it the host engine runs nothing */
	bool in_namespace; /* it is tried in a network namespace, and not without one */
	/* Leaves in `detail` what it found. Fails with what is missing. `ns` is the namespace, or
	 * NULL; not owned. */
	int (*func)(struct netns *ns, char *detail, size_t size, struct error *err);
	/* One line that says what brings it, or NULL; static. An error that knows its cause has a
	 * better one, behind PROBE_REMEDY. */
	const char *remedy;
	/* What the host engine cannot do without it, or NULL: nothing, or nothing by this alone. */
	const char *limits;
};
/* What stands in the text of an error between the cause and what would bring it. */
#define PROBE_REMEDY ". Remedy: "

struct probe_result {
	bool tried, ok;	   /* whether it was tried, and whether the machine has it */
	char detail[1024]; /* what there is, or what went wrong; may be empty */
	char remedy[512];  /* what would bring it; empty: nothing is known, or it is there */
};

/* The names of probes that decide what else can be done. All those in a namespace depend on the
 * first. */
#define PROBE_NETWORK_NAMESPACES "network namespaces"
#define PROBE_TRACEPOINTS	 "BPF tracepoints"
#define PROBE_QEMU		 "QEMU without KVM"
#define PROBE_KERNELS		 "kernels for guests"
/* All probes; the last entry has no name. */
extern const struct probe probes[];

/* Tries it in a child process. Fails only where no child can be made. */
int probe_run(const struct probe *probe, struct probe_result *ret_result, struct error *err);
