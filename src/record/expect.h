/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Compares a finished record with what its scenario expects. Each expectation that does
 * not hold adds one line to the record's failures, which says what was expected and what
 * was got.
 */

#include "src/record/record.h"

/* Adds the failures to the record. The function itself fails only without memory. */
int expect_check(const struct scenario *scenario, struct record *record, struct error *err);
