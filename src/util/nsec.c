/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/nsec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/util/cleanup.h"

static const struct {
	const char *name;
	nsec_t nsec;
} units[] = {
	{ "ns", 1 },
	{ "us", NSEC_PER_USEC },
	{ "ms", NSEC_PER_MSEC },
	{ "s", NSEC_PER_SEC },
	{ "min", 60 * NSEC_PER_SEC },
	{ "h", 3600 * NSEC_PER_SEC },
	{ "d", 86400 * NSEC_PER_SEC },
};

nsec_t nsec_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return nsec_from_timespec(&ts);
}

static nsec_t unit_lookup(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].name, name))
			return units[i].nsec;
	return 0;
}

/* Digits with an optional fraction; no sign, exponent or hexadecimal, unlike strtod(). */
static const char *scan_number(const char *text, double *ret_value)
{
	double value = 0, scale = 1;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (*p - '0');
	if (*p == '.' && p != text) {
		if (p[1] < '0' || p[1] > '9')
			return text;
		for (p++; *p >= '0' && *p <= '9'; p++) {
			scale /= 10;
			value += (*p - '0') * scale;
		}
	}
	*ret_value = value;
	return p;
}

int nsec_parse(const char *text, nsec_t *ret_span, struct error *err)
{
	const char *end;
	double value;
	nsec_t unit;

	end = scan_number(text, &value);
	if (end == text)
		return error_input(err, "'%s' is not a time; write it like 250ms, 1.5s or 2h",
				   text);
	if (!*end && value == 0) {
		*ret_span = 0;
		return 0;
	}
	while (*end == ' ')
		end++;
	if (!*end)
		return error_input(err, "'%s' has no unit; write one of ns, us, ms, s, min, h, d",
				   text);
	unit = unit_lookup(end);
	if (!unit)
		return error_input(err,
				   "'%s' has an unknown unit '%s'; use ns, us, ms, s, min, "
				   "h or d",
				   text, end);
	if (value * (double)unit > 9.2e18)
		return error_input(err, "'%s' is longer than 292 years", text);
	*ret_span = (nsec_t)(value * (double)unit + 0.5);
	return 0;
}

char *nsec_format(char *buffer, size_t size, nsec_t span)
{
	double sec = nsec_to_sec(span);
	int64_t whole = span / NSEC_PER_SEC;

	if (span == NSEC_NEVER)
		snprintf(buffer, size, "for ever");
	else if (span == NSEC_NONE)
		snprintf(buffer, size, "-");
	else if (span < 0 && size > 1) {
		buffer[0] = '-';
		nsec_format(buffer + 1, size - 1, -span);
	} else if (span < NSEC_PER_MSEC)
		snprintf(buffer, size, "%.3g us", sec * 1e6);
	else if (span < NSEC_PER_SEC)
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

char *nsec_format_seconds(char *buffer, size_t size, nsec_t t)
{
	int64_t usec = nsec_to_usec(t), plain = usec < 0 ? -usec : usec;

	if (t == NSEC_NONE)
		*buffer = '\0';
	else
		snprintf(buffer, size, "%s%" PRId64 ".%06" PRId64, usec < 0 ? "-" : "",
			 plain / 1000000, plain % 1000000);
	return buffer;
}
