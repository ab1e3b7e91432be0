/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Finds in a finished record why its trial is inconclusive: observations were lost, or the
 * connection was over before the first event, so that there was nothing to measure, or its end was
 * looked for too late. What only the trial or its engine knows - a look at the kernel that failed,
 * an event that came late - they add by record_doubt() themselves.
 */

#include "src/record/record.h"

/* Adds the reasons to the record. The function itself fails only without memory. */
int doubt_check(struct record *record, struct error *err);
