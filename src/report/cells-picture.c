/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/cells-picture.h"

#include <math.h>
#include <string.h>

#include "src/scenario/outcome.h"
#include "src/util/array.h"
#include "src/util/utf8.h"

#define WIDTH  1000 /* of the picture; pixels, as all that follow */
#define LEFT   420  /* where the axis begins */
#define RIGHT  110  /* what is left for counts behind it */
#define ROW    22
#define TOP    50
#define BOTTOM 16
#define LABEL  60 /* characters that have room; more are set narrower */

static const struct {
	double seconds;
	const char *text;
} ticks[] = {
	{ 1e-6, "1 us" },  { 1e-5, "10 us" },  { 1e-4, "0.1 ms" }, { 1e-3, "1 ms" },
	{ 0.01, "10 ms" }, { 0.1, "0.1 s" },   { 1, "1 s" },	   { 5, "5 s" },
	{ 30, "30 s" },	   { 120, "2 min" },   { 900, "15 min" },  { 7200, "2 h" },
	{ 86400, "1 d" },  { 864000, "10 d" },
};

/* The axis, from one tick to another. */
struct axis {
	double low, high; /* seconds */
};

static struct axis axis_of(const struct cell *list, size_t n)
{
	struct axis axis = { INFINITY, 0 };
	size_t first = 0, last = ARRAY_SIZE(ticks) - 1;

	for (size_t i = 0; i < n; i++) {
		if (!list[i].n_times)
			continue;
		axis.low = fmin(axis.low, fmin(list[i].times[0], list[i].earliest));
		axis.high =
			fmax(axis.high, fmax(list[i].times[list[i].n_times - 1], list[i].latest));
	}
	if (axis.high <= 0)
		return (struct axis){ 1, 30 };
	while (first + 1 < ARRAY_SIZE(ticks) && ticks[first + 1].seconds <= axis.low)
		first++;
	while (last > first + 1 && ticks[last - 1].seconds >= axis.high)
		last--;
	return (struct axis){ ticks[first].seconds, ticks[last].seconds };
}

static double place(const struct axis *axis, double seconds)
{
	double part = log(fmax(seconds, axis->low) / axis->low) / log(axis->high / axis->low);

	return LEFT + fmin(part, 1) * (WIDTH - LEFT - RIGHT);
}

/* A store's texts are a stranger's. */
static void put_text(FILE *out, const char *text)
{
	_cleanup_(freep) char *plain = utf8_plain(text);

	for (const char *p = plain; p && *p; p++) {
		if (*p == '<')
			fputs("&lt;", out);
		else if (*p == '&')
			fputs("&amp;", out);
		else if (*p == '"')
			fputs("&quot;", out);
		else
			putc(*p, out);
	}
}

static void put_label(const struct cell *cell, const struct cells_dimension *d, size_t n, double y,
		      FILE *out)
{
	char text[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < n && used < sizeof(text); i++)
		if (d[i].state == CELLS_SHOWN)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s, ",
						 d[i].is_axis ? d[i].title : "",
						 d[i].is_axis ? " " : "", cell->values[i]);
	if (used < sizeof(text))
		snprintf(text + used, sizeof(text) - used, "%s", cell->endpoint);
	fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\"%s>", LEFT - 12, y + 4,
		strlen(text) > LABEL ? " textLength=\"400\" lengthAdjust=\"spacingAndGlyphs\""
				     : "");
	put_text(out, text);
	fputs("</text>\n", out);
}

static size_t count_undetected(const struct cell *cell)
{
	size_t n = 0;

	for (size_t i = 0; i < cell->n_endings; i++)
		if (cell->endings[i].outcome &&
		    !strcmp(cell->endings[i].outcome, outcome_name(OUTCOME_UNDETECTED)))
			n += cell->endings[i].count;
	return n;
}

static void put_cell(const struct axis *axis, const struct cell *cell, double y, FILE *out)
{
	size_t n = cell->n_times, undetected = count_undetected(cell);
	const char *colour = cell->failed ? "#b3261e" : "#0b63a5";

	if (!isnan(cell->earliest)) {
		double from = place(axis, cell->earliest), to = place(axis, cell->latest);

		fprintf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\" "
			"fill=\"#d8dee6\"/>\n",
			from, y - 7, fmax(to - from, 2));
	}
	if (n) {
		double median = cell_median(cell);

		fprintf(out,
			"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
			"stroke-width=\"3\"/>\n"
			"<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"><title>%g s, from %g "
			"to %g s</title></circle>\n",
			place(axis, cell->times[0]), y, place(axis, cell->times[n - 1]), y, colour,
			place(axis, median), y, colour, median, cell->times[0], cell->times[n - 1]);
	}
	fprintf(out, "<text x=\"%d\" y=\"%.1f\" fill=\"%s\">%zu of %zu pass%s</text>\n",
		WIDTH - RIGHT + 10, y + 4, colour, cell->passed, cell_count(cell),
		undetected ? ", none" : "");
}

static void put_axis(const struct axis *axis, double height, FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(ticks); i++) {
		double x = place(axis, ticks[i].seconds);

		if (ticks[i].seconds < axis->low || ticks[i].seconds > axis->high)
			continue;
		fprintf(out,
			"<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#d0d0d0\"/>\n"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" "
			"fill=\"#555555\">%s</text>\n",
			x, TOP - 14, x, height - BOTTOM, x, TOP - 20, ticks[i].text);
	}
}

int cells_draw(const struct cells *cells, FILE *out)
{
	size_t n = 0, n_dimensions;
	const struct cells_dimension *d = cells_dimensions(cells, &n_dimensions);
	struct cell *list = NULL;
	struct axis axis;
	double height;
	int rc = cells_sum(cells, &list, &n);

	if (rc < 0)
		return rc;
	axis = axis_of(list, n);
	height = TOP + (double)n * ROW + BOTTOM;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
		"height=\"%.0f\" "
		"font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n"
		"<title>Time until the loss of the peer was noticed</title>\n"
		"<desc>A line for each combination: least to most, a dot at the median, the "
		"predicted interval "
		"behind. Logarithmic.</desc>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		WIDTH, height, WIDTH, height);
	put_axis(&axis, height, out);
	for (size_t i = 0; i < n; i++) {
		double y = TOP + ROW * ((double)i + 0.5);

		put_label(&list[i], d, n_dimensions, y, out);
		put_cell(&axis, &list[i], y, out);
	}
	fputs("</svg>\n", out);
	cells_list_free(list, n);
	return 0;
}
