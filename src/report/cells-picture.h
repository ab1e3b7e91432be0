/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One picture of cells as SVG: a line for each, with its times from least to most on a logarithmic
 * axis, its median, and the predicted interval behind. It needs no script and no browser. */

#include <stdio.h>

#include "src/report/cells.h"

/* -ENOMEM is the only failure. */
int cells_draw(const struct cells *cells, FILE *out);
