/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Holds settings against their goal on a real kernel, in virtual time: the peer is lost and the
 * path is cut in the worst moment, and an hour of loss goes by, each at several phases of the timer
 * wheel.
 */

#include "src/engine/engine.h"
#include "src/tune/goal.h"
#include "src/util/error.h"

struct tune_verdict {
	size_t trials, broken; /* broken: they did not keep what was promised */
	size_t inconclusive;   /* they measured nothing */
	nsec_t detect_nsec;    /* the latest detection that was measured; NSEC_NONE */
	char first[320];       /* what the first broken one did; "": none is */
	char first_open[320];  /* why the first inconclusive one is; "": none is */
};

/* What is told while it runs: so many trials of so many are over. */
typedef void tune_progress_func(size_t done, size_t total, void *userdata);

/* Holds each of `n` settings, in an engine of virtual time. `kernel` NULL: the newest at hand. Adds
 * to the verdict of each. */
int tune_verify(const struct engine *engine, const struct tune_goal *goal,
		const struct tune_settings *settings, size_t n, const char *kernel,
		tune_progress_func *progress, void *userdata, struct tune_verdict *verdicts,
		struct error *err);
