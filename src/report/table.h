/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tables of text in aligned columns, for people. They have colours on a terminal only, and not
 * where NO_COLOR is set. On a terminal they also fit its width: what is the same in all rows stands
 * above them, long texts take several lines, and where that is not enough each cell takes a line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum table_style {
	TABLE_PLAIN,
	TABLE_GOOD, /* green */
	TABLE_BAD,  /* red */
	TABLE_OPEN, /* yellow: neither good nor bad */
	TABLE_DIM,  /* grey */
};

struct table;

/* `headers` has `columns` strings, which must outlive the table. A '>' in front of one aligns its
 * column to the right, and is not printed. NULL: out of memory. */
struct table *table_new(size_t columns, const char *const *headers);
struct table *table_free(struct table *table);
/* Adds the next cell; rows fill up from left to right. table_cell() copies the text. */
void table_cell(struct table *table, enum table_style style, const char *text);
__attribute__((format(printf, 3, 4))) void table_format(struct table *table, enum table_style style,
							const char *format, ...);
/* Puts a line of its own above the rows that follow. The text must outlive the table. */
void table_section(struct table *table, const char *text);
void table_print(const struct table *table, FILE *out);
/* The same as a table of Markdown, in which no cell can be anything but text. */
void table_print_markdown(const struct table *table, FILE *out);

/* Writes seconds with as many decimals as are worth reading; "-" for NAN. */
const char *table_seconds(double seconds, char *buffer, size_t size);

/* Tells whether `file` is a terminal that has colours and can move its cursor. */
bool table_is_terminal(FILE *file);
