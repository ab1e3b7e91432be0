/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The tracepoint source: loads and attaches the BPF programs, tells them which
 * namespaces are watched, and turns their records into observations. A build
 * without BPF has tracepoints-none.c in its place, whose observer_bpf_new() says so.
 */

#include "src/observer/observer.h"

struct observer_bpf;

/* Called for each record, in the order of the ring buffer; OBSERVATION_LOST too. */
typedef void (*observer_bpf_func)(uint64_t netns, const struct observation *observation,
				  void *userdata);

/* `ring_size`: bytes, a power of two of at least a page. Every failure means that it is not to be
 * had here; the text says why. */
int observer_bpf_new(size_t ring_size, observer_bpf_func func, void *userdata,
		     struct observer_bpf **ret_bpf, struct error *err);
struct observer_bpf *observer_bpf_free(struct observer_bpf *bpf);
DEFINE_CLEANUP(struct observer_bpf *, observer_bpf_free)

/* Readable when there are records. */
int observer_bpf_fd(const struct observer_bpf *bpf);
/* Hands out what is in the ring, at most `max` records. */
void observer_bpf_drain(struct observer_bpf *bpf, unsigned int max);

int observer_bpf_watch(struct observer_bpf *bpf, uint64_t netns, struct error *err);
void observer_bpf_unwatch(struct observer_bpf *bpf, uint64_t netns);
