/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/tick.h"

#include <time.h>

#include "src/util/nsec.h"

#define USUAL_HZ 250

/* The resolution of the coarse clocks is one tick (kernel/time/posix-timers.c:
 * posix_get_coarse_res), which is how a kernel without /proc/config.gz tells CONFIG_HZ. */
unsigned int tick_hz(void)
{
	struct timespec resolution = { 0 };
	nsec_t tick_nsec;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) < 0)
		return USUAL_HZ;
	tick_nsec = nsec_from_timespec(&resolution);
	if (tick_nsec <= 0)
		return USUAL_HZ;
	return (unsigned int)((NSEC_PER_SEC + tick_nsec / 2) / tick_nsec);
}
