/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/report/markdown.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"
#include "src/util/utf8.h"

#define GAP	  2 /* between columns */
#define WIDTH_MIN 8 /* a column of texts is not made narrower */

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
	[TABLE_PLAIN] = "",	   [TABLE_GOOD] = "\033[32m", [TABLE_BAD] = "\033[31m",
	[TABLE_OPEN] = "\033[33m", [TABLE_DIM] = "\033[2m",
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

void table_cell(struct table *t, enum table_style style, const char *text)
{
	struct cell *cell = array_append(&t->cells, &t->n_cells, sizeof(*cell));

	if (!cell)
		return;
	*cell = (struct cell){ utf8_plain(text), style, t->section };
	t->section = NULL;
}

void table_format(struct table *t, enum table_style style, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = format_newv(format, ap);
	va_end(ap);
	table_cell(t, style, text ? text : "?");
}

void table_section(struct table *t, const char *text)
{
	t->section = text;
}

const char *table_seconds(double seconds, char *buffer, size_t size)
{
	if (isnan(seconds))
		return "-";
	snprintf(buffer, size, seconds < 1 ? "%.6f" : "%.3f", seconds);
	return buffer;
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

static const char *text_of(const struct table *t, size_t cell)
{
	return t->cells[cell].text ? t->cells[cell].text : "?";
}

static int column_width(const struct table *t, size_t column)
{
	int width = width_of(title_of(t, column));

	for (size_t i = column; i < t->n_cells; i += t->columns)
		if (width_of(text_of(t, i)) > width)
			width = width_of(text_of(t, i));
	return width;
}

/* How a table is printed so that it fits. */
struct layout {
	int *widths; /* of each column; 0: it has one text in all rows, and stands above them; owned
		      */
	bool as_fields; /* no columns: each row takes a line for each of its cells */
	bool colour;
	FILE *out;
};

/* The width of the terminal; 0: there is none, so that lines may be of any length. */
static int width_limit(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)))
		return 0;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return getenv("COLUMNS") ? atoi(getenv("COLUMNS")) : 0;
}

static int line_width(const struct table *t, const int *widths)
{
	int width = -GAP;

	for (size_t c = 0; c < t->columns; c++)
		width += widths[c] ? widths[c] + GAP : 0;
	return width;
}

static bool is_constant(const struct table *t, size_t column)
{
	for (size_t i = column; i < t->n_cells; i += t->columns)
		if (strcmp(text_of(t, i), text_of(t, column)) != 0)
			return false;
	return t->n_cells > t->columns;
}

/* The widest column that can still be made narrower; -1: there is none. Numbers are not broken. */
static int widest(const struct table *t, const int *widths)
{
	int found = -1;

	for (size_t c = 0; c < t->columns; c++)
		if (!is_right(t, c) && widths[c] > WIDTH_MIN &&
		    (found < 0 || widths[c] > widths[found]))
			found = (int)c;
	return found;
}

/* Takes out what says nothing, and then breaks the longest texts, until the lines fit. */
static void fit(const struct table *t, struct layout *layout, int limit)
{
	int column;

	for (size_t c = 0; c < t->columns && line_width(t, layout->widths) > limit; c++)
		if (!is_right(t, c) && is_constant(t, c))
			layout->widths[c] = 0;
	while (line_width(t, layout->widths) > limit && (column = widest(t, layout->widths)) >= 0)
		layout->widths[column]--;
	layout->as_fields = line_width(t, layout->widths) > limit;
}

/* The bytes of a text that go into a line of that width: to the last place where it may be broken,
 * or as many as there is room for. */
static size_t piece_of(const char *text, int width)
{
	size_t n = 0, broken = 0;

	for (int columns = 0; text[n]; n++) {
		columns += ((unsigned char)text[n] & 0xc0) != 0x80;
		if (columns > width)
			return broken ? broken : n;
		if (strchr(" /,.-_", text[n]))
			broken = n + 1;
	}
	return n;
}

static void put_styled(const struct layout *layout, const char *text, size_t n,
		       enum table_style style)
{
	bool colour = layout->colour && *escapes[style] && n;

	fprintf(layout->out, "%s%.*s%s", colour ? escapes[style] : "", (int)n, text,
		colour ? "\033[0m" : "");
}

/* Prints one line of a cell, and moves `*rest` to what is left of it. */
static void print_piece(const struct table *t, const struct layout *layout, size_t column,
			const char **rest, enum table_style style, bool last)
{
	size_t n = piece_of(*rest, layout->widths[column]);
	int pad = layout->widths[column];

	for (size_t i = 0; i < n; i++)
		pad -= ((unsigned char)(*rest)[i] & 0xc0) != 0x80;
	if (is_right(t, column))
		fprintf(layout->out, "%*s", pad, "");
	put_styled(layout, *rest, n, style);
	if (!last)
		fprintf(layout->out, "%*s", GAP + (is_right(t, column) ? 0 : pad), "");
	*rest += n;
}

/* Prints a row of texts, one for each column, in as many lines as the longest needs. */
static void print_row(const struct table *t, const struct layout *layout, const char **texts,
		      const enum table_style *styles)
{
	size_t last = 0;
	bool more = true;

	for (size_t c = 0; c < t->columns; c++)
		if (layout->widths[c])
			last = c;
	while (more) {
		more = false;
		for (size_t c = 0; c < t->columns; c++) {
			if (!layout->widths[c])
				continue;
			print_piece(t, layout, c, &texts[c], styles[c], c == last);
			more |= *texts[c] != 0;
		}
		fputc('\n', layout->out);
	}
}

static void print_fields(const struct table *t, const struct layout *layout, size_t first)
{
	int title = 0;

	for (size_t c = 0; c < t->columns; c++)
		if (width_of(title_of(t, c)) > title)
			title = width_of(title_of(t, c));
	for (size_t c = 0; c < t->columns; c++) {
		put_styled(layout, title_of(t, c), strlen(title_of(t, c)), TABLE_DIM);
		fprintf(layout->out, "%*s", GAP + title - width_of(title_of(t, c)), "");
		put_styled(layout, text_of(t, first + c), strlen(text_of(t, first + c)),
			   t->cells[first + c].style);
		fputc('\n', layout->out);
	}
	fputc('\n', layout->out);
}

static void print_body(const struct table *t, const struct layout *layout, const char **texts,
		       enum table_style *styles)
{
	for (size_t i = 0; i < t->n_cells; i += t->columns) {
		if (t->cells[i].section) {
			putc('\n', layout->out);
			utf8_put_plain(layout->out, t->cells[i].section);
			putc('\n', layout->out);
		}
		if (layout->as_fields) {
			print_fields(t, layout, i);
			continue;
		}
		for (size_t c = 0; c < t->columns; c++) {
			texts[c] = i + c < t->n_cells ? text_of(t, i + c) : "";
			styles[c] = i + c < t->n_cells ? t->cells[i + c].style : TABLE_PLAIN;
		}
		print_row(t, layout, texts, styles);
	}
}

static void print_head(const struct table *t, const struct layout *layout, const char **texts,
		       enum table_style *styles)
{
	if (layout->as_fields)
		return;
	for (size_t c = 0; c < t->columns; c++) {
		texts[c] = title_of(t, c);
		styles[c] = TABLE_DIM;
		if (!layout->widths[c])
			fprintf(layout->out, "%s: %s\n", title_of(t, c), text_of(t, c));
	}
	print_row(t, layout, texts, styles);
}

void table_print(const struct table *t, FILE *out)
{
	struct layout layout = { .widths = calloc(t->columns, sizeof(*layout.widths)),
				 .colour = table_is_terminal(out) && !getenv("NO_COLOR"),
				 .out = out };
	_cleanup_(freep) const char **texts = calloc(t->columns, sizeof(*texts));
	_cleanup_(freep) enum table_style *styles = calloc(t->columns, sizeof(*styles));
	int limit = width_limit(out);

	if (layout.widths && texts && styles) {
		for (size_t c = 0; c < t->columns; c++)
			layout.widths[c] = column_width(t, c);
		if (limit)
			fit(t, &layout, limit);
		print_head(t, &layout, texts, styles);
		print_body(t, &layout, texts, styles);
	}
	free(layout.widths);
}

void table_print_markdown(const struct table *t, FILE *out)
{
	for (size_t c = 0; c < t->columns; c++) {
		fputs("| ", out);
		markdown_put(out, title_of(t, c));
		putc(' ', out);
	}
	fputs("|\n", out);
	for (size_t c = 0; c < t->columns; c++)
		fputs(is_right(t, c) ? "|---:" : "|---", out);
	fputs("|\n", out);
	for (size_t i = 0; i < t->n_cells; i++) {
		fputs("| ", out);
		markdown_put(out, text_of(t, i));
		fputs(i % t->columns + 1 == t->columns ? " |\n" : " ", out);
	}
}
