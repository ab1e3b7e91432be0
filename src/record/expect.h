/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The verdict: compares a finished record with what its scenario expects. Each
 * expectation that does not hold adds one line to the record's failures, which says
 * what was expected and what was got.
 */

#include "src/record/record.h"

/* Adds the failures to the record. The function itself fails only without memory. */
int expect_check(const struct scenario *scenario, struct record *record, struct error *err);

/* Whether the trial has to go on until the kernel has nothing left of the connection, because the
 * scenario expects something of `gone`, or that TIME_WAIT ends. */
bool expect_awaits_gone(const struct expectation *expectation);
