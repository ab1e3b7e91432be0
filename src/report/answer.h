/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What stores have to say: a table of cells, why trials are inconclusive, predictions that were
 * wrong, and findings. The same after a sweep, for a terminal and for a ticket.
 */

#include <stdio.h>

#include "src/report/cells-table.h"

struct answer_spec {
	enum cells_format format;
	const char
		*by; /* which dimensions are shown (cells.h); NULL: those that made a difference */
	size_t max_rows; /* 0: all */
};

/* A picture of the same cells as SVG. */
int answer_draw(struct store *const *stores, size_t n, const char *by, FILE *out,
		struct error *err);
int answer_print(struct store *const *stores, size_t n, const struct answer_spec *spec, FILE *out,
		 struct error *err);
