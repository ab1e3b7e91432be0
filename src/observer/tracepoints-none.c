/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes the place of tracepoints.c in a build without clang, bpftool or libbpf. */
#include "src/observer/tracepoints.h"

#include <errno.h>

/* As tracepoints_new() always fails, none of the other functions is ever called. */

int tracepoints_new(size_t ring_size, tracepoints_func func, void *userdata,
		    struct tracepoints **ret_bpf, struct error *err)
{
	return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP, "this build has no BPF");
}

struct tracepoints *tracepoints_free(struct tracepoints *bpf)
{
	return NULL;
}

int tracepoints_fd(const struct tracepoints *bpf)
{
	return -1;
}

void tracepoints_drain(struct tracepoints *bpf, unsigned int max)
{
}

int tracepoints_watch(struct tracepoints *bpf, uint64_t netns, struct error *err)
{
	return 0;
}

void tracepoints_unwatch(struct tracepoints *bpf, uint64_t netns)
{
}
