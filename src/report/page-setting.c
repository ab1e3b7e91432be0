/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/page-setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/scenario/option.h"
#include "src/util/cleanup.h"

static bool find_type(const char *key, enum field_type *ret_type)
{
	const char *dot = strchr(key, '.');
	int option = dot ? option_from_key(dot + 1) : -1;

	if (option >= 0) {
		*ret_type = option_definitions[option].type;
		return true;
	}
	for (size_t i = 0; i < n_scenario_fields; i++)
		if (!strcmp(scenario_fields[i].key, key)) {
			*ret_type = scenario_fields[i].type;
			return true;
		}
	return false;
}

/* Writes seconds with the unit in which they are a short number. */
static int put_time(char **ret, double seconds)
{
	if (seconds != 0 && seconds < 1e-3)
		return asprintf(ret, "%.9gus", seconds * 1e6);
	if (seconds != 0 && seconds < 1)
		return asprintf(ret, "%.9gms", seconds * 1e3);
	return asprintf(ret, "%.9gs", seconds);
}

char *page_setting(const char *key, const char *text)
{
	enum field_type type = FIELD_WORD;
	char *end, *made = NULL;
	double number = strtod(text, &end);
	bool is_number = *text >= '0' && *text <= '9' && !*end && find_type(key, &type);
	int n = 0;

	if (is_number && type == FIELD_TIME)
		n = put_time(&made, number);
	else if (is_number && type == FIELD_BOOL)
		n = asprintf(&made, "%s", number != 0 ? "true" : "false");
	else if (is_number && type == FIELD_PERCENT)
		n = asprintf(&made, "%.9g%%", number * 100);
	else if (is_number && type == FIELD_RATE)
		n = asprintf(&made, "%sbit", text);
	else
		made = strdup(text);
	return n < 0 ? NULL : made;
}
