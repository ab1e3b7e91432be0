/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/util/array.h"

struct cell {
	char *text; /* owned; NULL: there was no memory for it */
	enum table_style style;
	const char *section; /* printed above the row that begins here, or NULL; not owned */
};

struct table {
	size_t columns;
	const char *const *headers; /* of the columns, as table_new() got them; not owned */
	struct cell *cells;	    /* row after row; owned */
	size_t n_cells;
	const char *section; /* to be printed above the next row, or NULL; not owned */
};

static const char *const escapes[] = {
	[TABLE_PLAIN] = "",
	[TABLE_GOOD] = "\033[32m",
	[TABLE_BAD] = "\033[31m",
	[TABLE_DIM] = "\033[2m",
};

struct table *table_new(size_t columns, const char *const *headers)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t)
		*t = (struct table){ .columns = columns, .headers = headers };
	return t;
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
	return NULL;
}

/* Takes `text` over. */
static void add_cell(struct table *t, enum table_style style, char *text)
{
	struct cell *cell = array_append(&t->cells, &t->n_cells, sizeof(*cell));

	if (!cell) {
		free(text);
		return;
	}
	*cell = (struct cell){ text, style, t->section };
	t->section = NULL;
}

void table_cell(struct table *t, enum table_style style, const char *text)
{
	add_cell(t, style, strdup(text));
}

void table_format(struct table *t, enum table_style style, const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	add_cell(t, style, text);
}

void table_section(struct table *t, const char *text)
{
	t->section = text;
}

bool table_is_terminal(FILE *file)
{
	const char *term = getenv("TERM");

	return isatty(fileno(file)) && !(term && !strcmp(term, "dumb"));
}

/* The width of a text on the screen, where continuation bytes of UTF-8 take no column. */
static int width_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static bool is_right(const struct table *t, size_t column)
{
	return t->headers[column][0] == '>';
}

static const char *title_of(const struct table *t, size_t column)
{
	return t->headers[column] + is_right(t, column);
}

static int column_width(const struct table *t, size_t column)
{
	int width = width_of(title_of(t, column));

	for (size_t i = column; i < t->n_cells; i += t->columns)
		if (t->cells[i].text && width_of(t->cells[i].text) > width)
			width = width_of(t->cells[i].text);
	return width;
}

static void print_cell(const struct table *t, size_t column, const char *text,
		       enum table_style style, bool colour, FILE *out)
{
	int pad = column_width(t, column) - width_of(text);
	bool last = column + 1 == t->columns;

	if (is_right(t, column))
		fprintf(out, "%*s", pad, "");
	if (colour && *escapes[style])
		fprintf(out, "%s%s\033[0m", escapes[style], text);
	else
		fputs(text, out);
	if (!last)
		fprintf(out, "%*s  ", is_right(t, column) ? 0 : pad, "");
	else
		fputc('\n', out);
}

void table_print(const struct table *t, FILE *out)
{
	bool colour = table_is_terminal(out) && !getenv("NO_COLOR");

	for (size_t c = 0; c < t->columns; c++)
		print_cell(t, c, title_of(t, c), TABLE_DIM, colour, out);
	for (size_t i = 0; i < t->n_cells; i++) {
		if (t->cells[i].section)
			fprintf(out, "\n%s\n", t->cells[i].section);
		print_cell(t, i % t->columns, t->cells[i].text ? t->cells[i].text : "?",
			   t->cells[i].style, colour, out);
	}
}
