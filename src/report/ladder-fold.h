/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which rows of a ladder stay. */

#include "src/report/ladder-row.h"

/* Takes out what is like its neighbours and says how much that was; then says how long waits
 * were. */
void ladder_fold(struct ladder *ladder);
