/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/wheel.h"

/* kernel/time/timer.c: LVL_SIZE, LVL_CLK_SHIFT, and LVL_DEPTH with HZ > 100. */
#define SIZE   64
#define SHIFT  3
#define LEVELS 9

/* LVL_START(n + 1): spans below it lie in level n or in one that is finer. */
static int64_t end_of_level(unsigned int level)
{
	return (int64_t)(SIZE - 1) << (level * SHIFT);
}

int64_t wheel_expiry(int64_t clock, int64_t expires, int64_t *granule)
{
	int64_t ahead = expires - clock, width;
	unsigned int level = 0;

	if (ahead < 0)
		return clock;
	while (level + 1 < LEVELS && ahead >= end_of_level(level))
		level++;
	if (ahead >= end_of_level(LEVELS - 1)) /* WHEEL_TIMEOUT_MAX */
		expires = clock + end_of_level(LEVELS - 1) - ((int64_t)1 << (LEVELS - 1) * SHIFT);
	width = (int64_t)1 << (level * SHIFT);
	if (granule && *granule < width)
		*granule = width;
	return (expires / width + 1) * width;
}

static int64_t round_up(unsigned int hz, int64_t time, int64_t units)
{
	return (time * hz + units - 1) / units;
}

int64_t wheel_usecs_to_jiffies(unsigned int hz, int64_t usecs)
{
	return round_up(hz, usecs, 1000000);
}

int64_t wheel_msecs_to_jiffies(unsigned int hz, int64_t msecs)
{
	return round_up(hz, msecs, 1000);
}
