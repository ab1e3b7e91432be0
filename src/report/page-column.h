/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Columns of whole numbers and the texts that they stand for, as the page's script reads them. Ten
 * thousand trials have to be small: a text is written once, in a dictionary, and a column has the
 * numbers of texts; a column whose values are all the same is that one value; one whose values
 * differ little from the ones before has the differences.
 */

#include <stdint.h>
#include <stdio.h>

#include "src/util/cleanup.h"

#define COLUMN_NULL INT64_MIN

struct column {
	int64_t *values; /* owned */
	size_t n;	 /* values in use */
};

void column_deinit(struct column *column);
/* Appends a value. Returns -ENOMEM without memory. */
int column_add(struct column *column, int64_t value);
/* Fills up to `n` values with COLUMN_NULL: a column that begins late has none for rows before. */
int column_pad(struct column *column, size_t n);
/* Writes 5 where all values are 5, else [5,6,null], or {"d":[5,1,-2]} for 5, 6, 4 where that is
 * shorter. */
void column_put(const struct column *column, FILE *out);

/* Texts that have numbers, from 0 in the order in which they came. */
struct texts {
	void *tree;   /* of struct text, for tsearch(); owned */
	char **items; /* by number; owned */
	size_t n;     /* items in use */
};

void texts_deinit(struct texts *texts);
/* Finds the number of a text, which gets one if it has none. COLUMN_NULL for NULL. Returns -ENOMEM
 * without memory. */
int texts_number(struct texts *texts, const char *text, int64_t *ret_number);
/* Writes all of them as a list of JSON. */
void texts_put(const struct texts *texts, FILE *out);
