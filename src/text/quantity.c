/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/text/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/cleanup.h"

struct unit {
	const char *name; /* as it stands behind the number */
	uint64_t factor;  /* bytes, bits a second or nanoseconds that it is */
};

/* How much a unit is; 0 where there is none of that name. */
static uint64_t find_unit(const struct unit *units, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(units[i].name, name))
			return units[i].factor;
	return 0;
}

/* What follows the digits; `text` where there are none. */
static const char *scan_digits(const char *text, uint64_t *ret_value, bool *ret_overflow)
{
	char *end = (char *)text;

	errno = 0;
	*ret_value = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
	*ret_overflow = errno == ERANGE;
	return end;
}

/* What follows digits with an optional fraction; `text` where there is no such number. Unlike
 * strtod() it takes no sign, exponent or hexadecimal number. */
static const char *scan_decimal(const char *text, double *ret_value)
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

int quantity_parse_bool(const char *text, bool *ret_value, struct error *err)
{
	bool yes = !strcmp(text, "true");

	if (!yes && strcmp(text, "false"))
		return error_input(err, "'%s' is neither true nor false", text);
	*ret_value = yes;
	return 0;
}

int quantity_parse_count(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value,
			 struct error *err)
{
	uint64_t value;
	bool overflow;

	if (*scan_digits(text, &value, &overflow) || !*text)
		return error_input(err, "'%s' is not a whole number from %" PRIu64 " to %" PRIu64,
				   text, minimum, maximum);
	if (overflow || value < minimum || value > maximum)
		return error_input(err, "%s is out of range; it goes from %" PRIu64 " to %" PRIu64,
				   text, minimum, maximum);
	*ret_value = value;
	return 0;
}

int quantity_parse_bytes(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value,
			 struct error *err)
{
	static const struct unit units[] = {
		{ "", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }
	};
	uint64_t value, unit;
	bool overflow;
	const char *end = scan_digits(text, &value, &overflow);

	if (end == text)
		return error_input(err, "'%s' is not a size; write it like 4096, 64KiB or 1MiB",
				   text);
	end += strspn(end, " ");
	unit = find_unit(units, ARRAY_SIZE(units), end);
	if (!unit)
		return error_input(
			err, "'%s' has an unknown unit '%s'; use none for bytes, KiB, MiB or GiB",
			text, end);
	if (overflow || __builtin_mul_overflow(value, unit, &value) || value < minimum ||
	    value > maximum)
		return error_input(
			err, "%s is out of range; it goes from %" PRIu64 " to %" PRIu64 " bytes",
			text, minimum, maximum);
	*ret_value = value;
	return 0;
}

int quantity_parse_percent(const char *text, double *ret_value, struct error *err)
{
	double value;
	const char *end = scan_decimal(text, &value);

	if (end == text || strcmp(end + strspn(end, " "), "%"))
		return error_input(err, "'%s' is not a percentage; write it like 1%% or 0.5%%",
				   text);
	if (value > 100)
		return error_input(err, "%s is out of range; it goes from 0%% to 100%%", text);
	*ret_value = value / 100;
	return 0;
}

int quantity_parse_rate(const char *text, uint64_t *ret_bps, struct error *err)
{
	static const struct unit units[] = {
		{ "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 }
	};
	double value;
	const char *end = scan_decimal(text, &value);
	uint64_t unit = find_unit(units, ARRAY_SIZE(units), end + strspn(end, " "));

	if (end == text || !unit)
		return error_input(err, "'%s' is not a rate; write it like 64kbit, 10mbit or 1gbit",
				   text);
	value *= (double)unit;
	if (value < 8 || value > 1e12)
		return error_input(err, "%s is out of range; it goes from 8bit to 1000gbit", text);
	*ret_bps = (uint64_t)(value + 0.5);
	return 0;
}

int quantity_parse_time(const char *text, nsec_t *ret_span_nsec, struct error *err)
{
	static const struct unit units[] = {
		{ "ns", 1 },
		{ "us", NSEC_PER_USEC },
		{ "ms", NSEC_PER_MSEC },
		{ "s", NSEC_PER_SEC },
		{ "min", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC },
		{ "d", 86400 * NSEC_PER_SEC },
	};
	double value;
	const char *end = scan_decimal(text, &value);
	bool bare_zero = end != text && !*end && value == 0;
	uint64_t unit;

	if (end == text)
		return error_input(err, "'%s' is not a time; write it like 250ms, 1.5s or 2h",
				   text);
	end += strspn(end, " ");
	if (!*end && !bare_zero)
		return error_input(err, "'%s' has no unit; write one of ns, us, ms, s, min, h, d",
				   text);
	unit = bare_zero ? 1 : find_unit(units, ARRAY_SIZE(units), end);
	if (!unit)
		return error_input(err,
				   "'%s' has an unknown unit '%s'; use ns, us, ms, s, min, h or d",
				   text, end);
	if (value * (double)unit > 9.2e18)
		return error_input(err, "'%s' is longer than 292 years", text);
	*ret_span_nsec = (nsec_t)(value * (double)unit + 0.5);
	return 0;
}
