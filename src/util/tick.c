/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/tick.h"

#include <errno.h>

#include "src/util/nsec.h"

#define USUAL_HZ 250
#define TRIES	 3

/* The resolution of the coarse clocks is one tick (kernel/time/posix-timers.c:
 * posix_get_coarse_res), which is how a kernel without /proc/config.gz tells CONFIG_HZ. */
static int read_hz(void)
{
	struct timespec resolution = { 0 };
	nsec_t tick_nsec;
	int rc = -1;

	for (int tries = TRIES; rc < 0 && tries--;)
		rc = clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
	if (rc < 0)
		return -errno;
	tick_nsec = nsec_from_timespec(&resolution);
	if (tick_nsec <= 0 || tick_nsec > NSEC_PER_SEC)
		return -ERANGE;
	return (int)((NSEC_PER_SEC + tick_nsec / 2) / tick_nsec);
}

/* Positive: as the kernel told, which is for good. */
static int known_hz(void)
{
	static int hz;

	if (hz <= 0)
		hz = read_hz();
	return hz;
}

int tick_init(struct error *err)
{
	int hz = known_hz();

	return hz < 0 ? error_errno(err, hz,
				    "the kernel does not tell the length of its tick: "
				    "clock_getres(CLOCK_MONOTONIC_COARSE)")
		      : 0;
}

unsigned int tick_hz(void)
{
	int hz = known_hz();

	if (hz > 0)
		return (unsigned int)hz;
	nsec_note_clock_failure();
	return USUAL_HZ;
}
