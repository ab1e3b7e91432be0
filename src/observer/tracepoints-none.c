/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/observer/tracepoints.h"

#include <errno.h>

/* A build without clang, bpftool or libbpf. No object exists, so nothing but new() is called. */

int observer_bpf_new(size_t ring_size, observer_bpf_func func, void *userdata,
		     struct observer_bpf **ret_bpf, struct error *err)
{
	return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP, "this build has no BPF");
}

struct observer_bpf *observer_bpf_free(struct observer_bpf *bpf)
{
	return NULL;
}

int observer_bpf_fd(const struct observer_bpf *bpf)
{
	return -1;
}

void observer_bpf_drain(struct observer_bpf *bpf, unsigned int max)
{
}

int observer_bpf_watch(struct observer_bpf *bpf, uint64_t netns, struct error *err)
{
	return 0;
}

void observer_bpf_unwatch(struct observer_bpf *bpf, uint64_t netns)
{
}
