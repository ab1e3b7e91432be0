/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The second table that `run` prints: how many of the repeats of a trial, if they ended
 * differently, or of a client's many connections, came to which end.
 */

#include <stdio.h>

#include "src/record/record.h"

void summary_print_rates(struct record *const *records, size_t n, FILE *out);
