/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/ladder-row.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/util/array.h"

void ladder_row_deinit(struct ladder_row *row)
{
	free(row->text);
	free(row->aside);
}

void ladder_deinit(struct ladder *ladder)
{
	for (size_t i = 0; i < ladder->n_rows; i++)
		ladder_row_deinit(&ladder->rows[i]);
	free(ladder->rows);
}

void ladder_say(struct ladder_row *row, const char *format, ...)
{
	va_list ap;

	if (!row)
		return;
	va_start(ap, format);
	if (vasprintf(&row->text, format, ap) < 0)
		row->text = NULL;
	va_end(ap);
}

struct ladder_row *ladder_add(struct ladder *ladder, nsec_t time_nsec, enum ladder_side side,
			      enum ladder_weight weight, enum ladder_colour colour)
{
	struct ladder_row *row = array_append(&ladder->rows, &ladder->n_rows, sizeof(*row));

	if (row)
		*row = (struct ladder_row){ .time_nsec = time_nsec,
					    .end_nsec = time_nsec,
					    .side = side,
					    .weight = weight,
					    .colour = colour,
					    .count.rows = 1 };
	return row;
}
