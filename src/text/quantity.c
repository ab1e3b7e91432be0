/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/text/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "src/util/cleanup.h"

static const char *scan_digits(const char *text, uint64_t *ret_value, bool *ret_overflow)
{
	uint64_t value = 0;
	const char *p;

	*ret_overflow = false;
	for (p = text; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			*ret_overflow = true;
	*ret_value = value;
	return p;
}

/* Digits with an optional fraction. Returns `text` when there is no number. */
static const char *scan_decimal(const char *text, double *ret_value)
{
	double value = 0, scale = 1;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (*p - '0');
	if (p == text)
		return text;
	if (*p == '.' && p[1] >= '0' && p[1] <= '9')
		for (p++; *p >= '0' && *p <= '9'; p++) {
			scale /= 10;
			value += (*p - '0') * scale;
		}
	*ret_value = value;
	return p;
}

int quantity_parse_bool(const char *text, bool *ret_value, struct error *err)
{
	if (!strcmp(text, "true"))
		*ret_value = true;
	else if (!strcmp(text, "false"))
		*ret_value = false;
	else
		return error_input(err, "'%s' is neither true nor false", text);
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
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = { { "", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 } };
	const char *end;
	uint64_t value;
	bool overflow;

	end = scan_digits(text, &value, &overflow);
	if (end == text)
		return error_input(err, "'%s' is not a size; write it like 4096, 64KiB or 1MiB",
				   text);
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].name, end))
			continue;
		if (overflow || __builtin_mul_overflow(value, units[i].bytes, &value) ||
		    value < minimum || value > maximum)
			return error_input(err,
					   "%s is out of range; it goes from %" PRIu64
					   " to %" PRIu64 " bytes",
					   text, minimum, maximum);
		*ret_value = value;
		return 0;
	}
	return error_input(err,
			   "'%s' has an unknown unit '%s'; use none for bytes, KiB, MiB or GiB",
			   text, end);
}

int quantity_parse_percent(const char *text, double *ret_value, struct error *err)
{
	const char *end;
	double value;

	end = scan_decimal(text, &value);
	while (end != text && *end == ' ')
		end++;
	if (end == text || strcmp(end, "%"))
		return error_input(err, "'%s' is not a percentage; write it like 1%% or 0.5%%",
				   text);
	if (value > 100)
		return error_input(err, "%s is out of range; it goes from 0%% to 100%%", text);
	*ret_value = value / 100;
	return 0;
}

int quantity_parse_rate(const char *text, uint64_t *ret_bps, struct error *err)
{
	static const struct {
		const char *name;
		double bps;
	} units[] = { { "bit", 1 }, { "kbit", 1e3 }, { "mbit", 1e6 }, { "gbit", 1e9 } };
	const char *end;
	double value;

	end = scan_decimal(text, &value);
	while (end != text && *end == ' ')
		end++;
	for (size_t i = 0; end != text && i < ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].name, end))
			continue;
		value *= units[i].bps;
		if (value < 8 || value > 1e12)
			return error_input(err, "%s is out of range; it goes from 8bit to 1000gbit",
					   text);
		*ret_bps = (uint64_t)(value + 0.5);
		return 0;
	}
	return error_input(err, "'%s' is not a rate; write it like 64kbit, 10mbit or 1gbit", text);
}
