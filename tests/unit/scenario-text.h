/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Unit tests make a scenario of a text, which begins with HEAD. */

#include <check.h>
#include <string.h>

#include "src/scenario/scenario.h"

static inline struct scenario *load(const char *text)
{
	struct scenario_request request = { 0 };
	struct scenario_list list = { 0 };
	struct error err = { 0 };
	struct scenario *s;

	ck_assert_msg(scenario_parse("t.yaml", text, strlen(text), &request, &list, &err) == 0,
		      "%s", err.text);
	ck_assert_uint_eq(list.count, 1);
	s = list.items[0];
	free(list.items);
	return s;
}

#define HEAD "name: t\nsummary: t\nhorizon: 1h\n"
