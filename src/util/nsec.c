/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/nsec.h"

#include <stdio.h>
#include <string.h>

#include "src/util/format.h"

#define CLOCK_TRIES 3

static uint64_t clock_failures;

nsec_t nsec_read_clock(clockid_t clock)
{
	struct timespec ts = { 0 };

	for (int i = 0; i < CLOCK_TRIES; i++)
		if (clock_gettime(clock, &ts) == 0)
			return nsec_from_timespec(&ts);
	clock_failures++;
	return nsec_from_timespec(&ts);
}

nsec_t nsec_now(void)
{
	return nsec_read_clock(CLOCK_MONOTONIC);
}

uint64_t nsec_clock_failures(void)
{
	return clock_failures;
}

void nsec_note_clock_failure(void)
{
	clock_failures++;
}

char *nsec_format(char *buffer, size_t size, nsec_t span_nsec)
{
	double sec = nsec_to_sec(span_nsec);
	int64_t whole = span_nsec / NSEC_PER_SEC;

	if (span_nsec == NSEC_NEVER)
		snprintf(buffer, size, "for ever");
	else if (span_nsec == NSEC_NONE)
		snprintf(buffer, size, "-");
	else if (span_nsec < 0 && size > 1) {
		buffer[0] = '-';
		nsec_format(buffer + 1, size - 1, -span_nsec);
	} else if (span_nsec < NSEC_PER_MSEC)
		snprintf(buffer, size, "%.3g us", sec * 1e6);
	else if (span_nsec < NSEC_PER_SEC)
		snprintf(buffer, size, "%.3g ms", sec * 1e3);
	else if (whole < 100)
		snprintf(buffer, size, "%.3f s", sec);
	else if (whole < 3600)
		snprintf(buffer, size, "%" PRId64 " min %.1f s", whole / 60,
			 sec - (double)(whole / 60 * 60));
	else if (whole < 86400)
		snprintf(buffer, size, "%" PRId64 " h %" PRId64 " min %" PRId64 " s", whole / 3600,
			 whole % 3600 / 60, whole % 60);
	else
		snprintf(buffer, size, "%" PRId64 " d %" PRId64 " h", whole / 86400,
			 whole % 86400 / 3600);
	return buffer;
}

char *nsec_format_seconds(char *buffer, size_t size, nsec_t time_nsec)
{
	int64_t usec = nsec_to_usec(time_nsec);
	uint64_t plain = usec < 0 ? -(uint64_t)usec : (uint64_t)usec;
	char text[FORMAT_DIGITS_SIZE] = "", *start = text + sizeof(text) - 1;

	if (time_nsec != NSEC_NONE) {
		start = format_digits(start, plain % 1000000, 6);
		*--start = '.';
		start = format_digits(start, plain / 1000000, 1);
		if (usec < 0)
			*--start = '-';
	}
	if (size) {
		strncpy(buffer, start, size - 1);
		buffer[size - 1] = '\0';
	}
	return buffer;
}
