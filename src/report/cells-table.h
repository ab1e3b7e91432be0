/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What came of the trials of stores, as a table of cells: for a terminal, or as Markdown. */

#include <stdio.h>

#include "src/report/cells.h"

enum cells_format {
	CELLS_TABLE, /* as after a sweep */
	CELLS_TEXT,  /* the same with a bar for each time */
	CELLS_MARKDOWN,
};

/* Prints the cells as cells_choose() has chosen, at most `max_rows` of them (0: all), and says
 * which dimensions are not shown, and why. -ENOMEM is the only failure. */
int cells_print(const struct cells *cells, enum cells_format format, size_t max_rows, FILE *out);
