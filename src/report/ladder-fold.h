/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which rows of a ladder stay. */

#include "src/report/ladder-row.h"

/* Takes out rows that are like their neighbours and says how many they were, then adds a row for
 * each long wait. */
void ladder_fold(struct ladder *ladder);
