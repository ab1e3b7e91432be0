/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The summary that people read after a run: a table with a row for each endpoint that has a
 * result, and below it the reasons of failed verdicts. Repeats of the same trial share a row,
 * which has their spread.
 */

#include <stdio.h>

#include "src/record/record.h"

/* `records` may hold NULL for trials without a record. */
void summary_print(struct record *const *records, size_t n, FILE *out);
