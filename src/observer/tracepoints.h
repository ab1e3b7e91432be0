/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The tracepoint source of the observer: loads and attaches the BPF programs
 * (bpf/observer.bpf.c), tells these which namespaces are watched, and turns their events
 * into observations. A build without BPF has tracepoints-none.c in place of
 * tracepoints.c; its tracepoints_new() fails.
 */

#include "src/observer/observation.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"

struct tracepoints;

/* Called for each event in the order of the ring buffer, and with OBSERVATION_LOST. `netns` is the
 * cookie of the namespace. */
typedef void (*tracepoints_func)(uint64_t netns, const struct observation *observation,
				 void *userdata);

/* Attaches the BPF programs. `ring_size` is in bytes, a power of two of at least a page. An
 * ERROR_CAPABILITY means that this machine or user has no BPF; the error text says why, and so does
 * the errno: EOPNOTSUPP this build has none, EPERM or EACCES it is not permitted, ENOSYS the kernel
 * has none, ENOENT the kernel does not tell its types. With another one BPF should be there, but
 * did not work. */
int tracepoints_new(size_t ring_size, tracepoints_func func, void *userdata,
		    struct tracepoints **ret_bpf, struct error *err);
struct tracepoints *tracepoints_free(struct tracepoints *bpf);
DEFINE_CLEANUP(struct tracepoints *, tracepoints_free)

/* Returns a descriptor that is readable when the ring has events; it stays the source's. */
int tracepoints_fd(const struct tracepoints *bpf);
/* Hands out the events in the ring, at most `max` of them. Returns a negative errno where events
 * were lost and the kernel does not tell of which namespace. */
int tracepoints_drain(struct tracepoints *bpf, unsigned int max);

/* Begins and ends the handing out of a namespace's events; `netns` is its cookie. */
int tracepoints_watch(struct tracepoints *bpf, uint64_t netns, struct error *err);
void tracepoints_unwatch(struct tracepoints *bpf, uint64_t netns);
