/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Shortens a ladder, so that people can read it. */

#include "src/report/ladder-row.h"

/* Takes out rows that are like their neighbours and says how many they were, then adds a row for
 * each long wait. `names` are those of the two ends. */
void ladder_fold(struct ladder *ladder, const char *const names[static 2]);
