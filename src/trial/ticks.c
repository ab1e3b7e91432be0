/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/ticks.h"

#include <stdio.h>

#include "src/util/cleanup.h"
#include "src/util/tick.h"

#define READINGS_MAX 16

nsec_t ticks_length(void)
{
	return NSEC_PER_SEC / tick_hz();
}

/* The coarse clock moves once in each tick (kernel/time/timekeeping.c: update_wall_time()), so the
 * moment at which it moves is the beginning of a tick. */
static nsec_t await_tick(void)
{
	uint64_t failures = nsec_clock_failures();
	nsec_t before_nsec = nsec_read_clock(CLOCK_MONOTONIC_COARSE), now_nsec;

	do
		now_nsec = nsec_read_clock(CLOCK_MONOTONIC_COARSE);
	while (now_nsec == before_nsec && nsec_clock_failures() == failures);
	return nsec_now();
}

/* The list has a line "jiffies: 4294911234" for each processor, after that processor's timers.
 * Returns -1 if there is none. */
static int64_t read_jiffies(void)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/timer_list", "re");
	unsigned long long jiffies;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "jiffies: %llu", &jiffies) == 1)
			return (int64_t)(uint32_t)jiffies;
	return -1;
}

static void wait_until(nsec_t at_nsec)
{
	uint64_t failures = nsec_clock_failures();

	while (nsec_now() < at_nsec && nsec_clock_failures() == failures)
		;
}

/* The kernel takes as long as a tick to print the list, and prints the number in the last moments
 * of that: the number is of the tick in which the reading ends, unless that tick has only just
 * begun. If the kernel does not tell, ticks are counted from the start of the clock, and a phase
 * means another one after each boot. */
static struct ticks measure(void)
{
	struct ticks ticks = { .jiffies = -1 };

	for (int i = 0; i < READINGS_MAX && ticks.jiffies < 0; i++) {
		nsec_t edge_nsec = await_tick(), passed_nsec;
		int64_t jiffies;

		wait_until(edge_nsec + i % 4 * ticks_length() / 4);
		jiffies = read_jiffies();
		passed_nsec = nsec_now() - edge_nsec;
		if (jiffies >= 0 && passed_nsec % ticks_length() > ticks_length() / 4)
			ticks = (struct ticks){ jiffies - passed_nsec / ticks_length(), edge_nsec,
						true };
	}
	if (ticks.jiffies < 0)
		ticks = (struct ticks){ 0, nsec_now() / ticks_length() * ticks_length(), false };
	return ticks;
}

/* What a clock had a part in that could not be read is measured anew by the next call. */
const struct ticks *ticks_get(void)
{
	static struct ticks ticks;
	static bool measured;
	uint64_t failures = nsec_clock_failures();

	if (!measured)
		ticks = measure();
	measured |= nsec_clock_failures() == failures;
	return &ticks;
}

/* A tick begins some microseconds before the coarse clock shows it, and what a timer's handler
 * sends is in that tick, not in the one before. */
#define EDGE_SEEN_LATE (40 * NSEC_PER_USEC)

int64_t ticks_phase(nsec_t time_nsec, nsec_t *ret_into_nsec)
{
	const struct ticks *ticks = ticks_get();
	nsec_t length_nsec = ticks_length(),
	       passed_nsec = time_nsec - ticks->edge_nsec + EDGE_SEEN_LATE;
	nsec_t n = passed_nsec >= 0 ? passed_nsec / length_nsec
				    : -((-passed_nsec + length_nsec - 1) / length_nsec);
	int64_t phase = (ticks->jiffies + n) % TICK_PHASES;

	*ret_into_nsec = passed_nsec - n * length_nsec;
	if (!ticks->numbered)
		return -1;
	return phase < 0 ? phase + TICK_PHASES : phase;
}
