/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What cells.c, which reads stores, and cells-sum.c, which sums up, share. */

#include "src/report/cells.h"

#define CELLS_DIMENSIONS_MAX 24 /* a study has 16 axes at most */

/* One endpoint of one trial. Numbers are indexes of values, endpoints and endings. */
struct cells_row {
	int values[CELLS_DIMENSIONS_MAX];
	int endpoint, ending;	       /* ending -1: none, or the trial was inconclusive */
	double time, earliest, latest; /* NAN: none */
	enum verdict verdict;
	bool derived;
};

struct cells {
	struct cells_dimension dimensions[CELLS_DIMENSIONS_MAX];
	size_t n_dimensions;
	struct cells_row *rows; /* in the order of the trials; owned */
	size_t n_rows;
	char **endpoints; /* NULL-terminated, owned */
	size_t n_endpoints;
	struct cells_ending *endings; /* with texts that are owned */
	size_t n_endings;
	char *study; /* of the first store; owned */
};

/* For each dimension whether it is shown; rows are added up over the others. */
typedef bool cells_mask[CELLS_DIMENSIONS_MAX];
/* The cells are in the order of their values, those of the dimension `last` after all others, so
 * that cells that differ in it alone follow each other. */
int cells_sum_by(const struct cells *cells, const cells_mask shown, size_t last,
		 struct cell **ret_list, size_t *ret_count);
