/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The verdict: a scenario's expectations held against the record, offline. Each
 * that does not hold adds one line to the record's failures that says what was
 * expected and what was got.
 */

#include "src/record/record.h"

int expect_check(const struct scenario *scenario, struct record *record, struct error *err);

/* Whether the trial has to go on until nothing is left of the connection: `gone` is expected, or a
 * walk in which TIME_WAIT ends. */
bool expect_awaits_gone(const struct expectation *expectation);
