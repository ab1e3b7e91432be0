/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The tracepoint source: loads and attaches the BPF programs, tells them which
 * namespaces are watched, and turns their records into observations. A build
 * without BPF has tracepoints-none.c in its place, whose tracepoints_new() says so.
 */

#include "src/observer/observation.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"

struct tracepoints;

/* Called for each record, in the order of the ring buffer; OBSERVATION_LOST too. */
typedef void (*tracepoints_func)(uint64_t netns, const struct observation *observation,
				 void *userdata);

/* `ring_size`: bytes, a power of two of at least a page. A failure means that this machine or
 * user has no BPF; the text says why. */
int tracepoints_new(size_t ring_size, tracepoints_func func, void *userdata,
		    struct tracepoints **ret_bpf, struct error *err);
struct tracepoints *tracepoints_free(struct tracepoints *bpf);
DEFINE_CLEANUP(struct tracepoints *, tracepoints_free)

/* Readable when there are records. */
int tracepoints_fd(const struct tracepoints *bpf);
/* Hands out what is in the ring, at most `max` records. */
void tracepoints_drain(struct tracepoints *bpf, unsigned int max);

int tracepoints_watch(struct tracepoints *bpf, uint64_t netns, struct error *err);
void tracepoints_unwatch(struct tracepoints *bpf, uint64_t netns);
