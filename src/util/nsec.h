/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Time. The whole program has one unit of it: signed nanoseconds, `nsec_t`, in names
 * that end in `_nsec` (never `_ns`, which reads as namespace). Points in time are readings
 * of CLOCK_MONOTONIC, which is the clock of the kernel's own tracepoints
 * (bpf_ktime_get_ns).
 */

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef int64_t nsec_t;

#define NSEC_PER_USEC ((nsec_t)1000)
#define NSEC_PER_MSEC ((nsec_t)1000000)
#define NSEC_PER_SEC  ((nsec_t)1000000000)
#define NSEC_NEVER    INT64_MAX /* a point in time that never comes, or a span without end */
#define NSEC_NONE     INT64_MIN /* a time that was not measured, or does not apply */

static inline nsec_t nsec_from_timespec(const struct timespec *ts)
{
	return (nsec_t)ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

static inline double nsec_to_sec(nsec_t time_nsec)
{
	return (double)time_nsec / (double)NSEC_PER_SEC;
}

/* Rounds half away from zero. Records have times in this unit. */
static inline int64_t nsec_to_usec(nsec_t time_nsec)
{
	return (time_nsec < 0 ? time_nsec - 500 : time_nsec + 500) / NSEC_PER_USEC;
}

static inline nsec_t nsec_min(nsec_t a_nsec, nsec_t b_nsec)
{
	return a_nsec < b_nsec ? a_nsec : b_nsec;
}

static inline nsec_t nsec_max(nsec_t a_nsec, nsec_t b_nsec)
{
	return a_nsec > b_nsec ? a_nsec : b_nsec;
}

/* Now, on CLOCK_MONOTONIC. */
nsec_t nsec_now(void);
/* Now, on that clock. If it cannot be read, though it was tried again, this is 0, and counted. */
nsec_t nsec_read_clock(clockid_t clock);
/* How often a clock could not be read. Whoever measures compares two of these counts. */
uint64_t nsec_clock_failures(void);
/* Counts one more, for whoever asks a clock something else than its time. */
void nsec_note_clock_failure(void);

/* Writes a span for people: "250 ms", "6.324 s", "15 min 24.6 s", "2 h 11 min 15 s",
 * "30 d". Returns `buffer`. 64 bytes are enough. */
char *nsec_format(char *buffer, size_t size, nsec_t span_nsec);
/* Writes seconds with six decimals, "-0.001250"; nothing for NSEC_NONE. Returns `buffer`. 32 bytes
 * are enough. */
char *nsec_format_seconds(char *buffer, size_t size, nsec_t time_nsec);
