/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The second table of `run`: of repeats that ended differently, and of many connections, how many
 * came to which end.
 */

#include <stdio.h>

#include "src/record/record.h"

void summary_print_rates(struct record *const *records, size_t n, FILE *out);
