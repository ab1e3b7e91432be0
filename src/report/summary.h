/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What people read after a run: one table of all records, one row an endpoint
 * that has a result, and below it why verdicts failed. Repeats of the same trial
 * share a row with their spread.
 */

#include <stdio.h>

#include "src/record/record.h"

/* `records` may hold NULL for trials without a record. */
void summary_print(struct record *const *records, size_t n, FILE *out);
