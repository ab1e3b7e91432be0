/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where the ticks of the running kernel lie on CLOCK_MONOTONIC, which a trial with a
 * pinned phase has to know.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/util/nsec.h"

/* Tick number `jiffies` began at `edge_nsec`, and each tick is as long as the others. */
struct ticks {
	int64_t jiffies;
	nsec_t edge_nsec;
	bool numbered; /* the kernel told the number; else ticks are counted from its clock's zero
			*/
};

/* The first call measures where the ticks lie, which takes some ticks. Who has no time for that
 * later calls it before. Where a clock cannot be read, nsec_clock_failures() counts it. */
const struct ticks *ticks_get(void);
/* How long a tick is. */
nsec_t ticks_length(void);
/* The phase of a moment of the past, which is the number of its tick modulo TICK_PHASES, and in
 * *ret_into_nsec how far in its tick it was. -1 where the kernel does not tell the number. */
int64_t ticks_phase(nsec_t time_nsec, nsec_t *ret_into_nsec);
