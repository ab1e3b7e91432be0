/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands for tracepoints.c in a build without BPF. */
#include "src/observer/tracepoints.h"

#include <errno.h>

/* A build without clang, bpftool or libbpf. No object exists, so nothing but new() is called. */

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
