/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses the dimensions that are shown. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/cells-internal.h"
#include "src/text/suggest.h"

/* What the timer wheel may add to a timer: levels above the first have granules of an eighth, and
 * on the first a tick or two is little beside 20 ms. */
#define WHEEL_SHARE 0.125
#define WHEEL_LEAST 0.02 /* s */

#define FEW 5 /* trials */

/* How far two shares may be apart by chance: 1.96 standard deviations, as 95 % of all are. */
#define DEVIATIONS 1.96

static const char *last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

/* The last part of a name, or the whole where another dimension's ends in the same. */
static int give_titles(struct cells *cells)
{
	for (size_t i = 0; i < cells->n_dimensions; i++) {
		struct cells_dimension *d = &cells->dimensions[i];
		const char *title = last_part(d->name);

		for (size_t k = 0; k < cells->n_dimensions; k++)
			if (k != i && !strcmp(last_part(cells->dimensions[k].name), title))
				title = d->name;
		free(d->title);
		d->title = strdup(title);
		if (!d->title)
			return -ENOMEM;
	}
	return 0;
}

static double share(const struct cell *cell, size_t count)
{
	size_t n = cell->passed + cell->failed;

	return n ? (double)count / (double)n : 0;
}

static size_t count_like(const struct cell *cell, const struct cells_ending *ending)
{
	for (size_t i = 0; i < cell->n_endings; i++)
		if (cell->endings[i].outcome == ending->outcome &&
		    cell->endings[i].errno_name == ending->errno_name &&
		    cell->endings[i].mechanism == ending->mechanism)
			return cell->endings[i].count;
	return 0;
}

static bool is_rate_alike(const struct cell *a, const struct cell *b, size_t count_a,
			  size_t count_b)
{
	double n_a = (double)(a->passed + a->failed), n_b = (double)(b->passed + b->failed);
	double both = (double)(count_a + count_b) / (n_a + n_b);
	double deviation = sqrt(both * (1 - both) * (1 / n_a + 1 / n_b));

	return fabs(share(a, count_a) - share(b, count_b)) <= DEVIATIONS * deviation + 1e-9;
}

static bool ends_alike(const struct cell *a, const struct cell *b)
{
	for (size_t i = 0; i < a->n_endings; i++)
		if (!is_rate_alike(a, b, a->endings[i].count, count_like(b, &a->endings[i])))
			return false;
	for (size_t i = 0; i < b->n_endings; i++)
		if (!is_rate_alike(b, a, b->endings[i].count, count_like(a, &b->endings[i])))
			return false;
	return true;
}

/* Of few trials the median says little, so that the nearest two count. */
static bool lasts_alike(const struct cell *a, const struct cell *b)
{
	double x = cell_median(a), y = cell_median(b);

	if (!a->n_times || !b->n_times)
		return a->n_times == b->n_times;
	if (a->n_times < FEW || b->n_times < FEW) {
		const struct cell *low = x < y ? a : b, *high = x < y ? b : a;

		x = low->times[low->n_times - 1];
		y = fmax(x, high->times[0]);
	}
	return fabs(x - y) <= WHEEL_LEAST + WHEEL_SHARE * fmax(x, y);
}

/* Trials that measured nothing show no difference. */
static bool is_alike(const struct cell *a, const struct cell *b)
{
	if (!(a->passed + a->failed) || !(b->passed + b->failed))
		return true;
	return ends_alike(a, b) && lasts_alike(a, b) && (a->failed > 0) == (b->failed > 0);
}

static bool is_same_but_for(const struct cells *cells, const struct cell *a, const struct cell *b,
			    size_t dimension)
{
	for (size_t i = 0; i < cells->n_dimensions; i++)
		if (i != dimension && a->values[i] != b->values[i])
			return false;
	return a->endpoint == b->endpoint;
}

/* Says whether a dimension makes no difference to the cells that are shown with it. Where there is
 * nothing to compare, that is not known. Returns -ENOMEM, 0, or 1: it makes none. */
static int makes_none(struct cells *cells, cells_mask shown, size_t dimension)
{
	struct cell *list = NULL;
	size_t count = 0, compared = 0;
	bool alike = true;
	int rc = cells_sum_by(cells, shown, dimension, &list, &count);

	for (size_t i = 0; rc >= 0 && alike && i < count; i++)
		for (size_t k = i + 1;
		     alike && k < count && is_same_but_for(cells, &list[i], &list[k], dimension);
		     k++, compared++)
			alike = is_alike(&list[i], &list[k]);
	cells_list_free(list, count);
	return rc < 0 ? rc : alike && compared > 0;
}

static bool is_constant(const struct cells_dimension *d)
{
	return d->n_values <= 1;
}

/* Drops the dimension if it makes no difference. */
static int try_without(struct cells *cells, cells_mask shown, size_t dimension)
{
	struct cells_dimension *d = &cells->dimensions[dimension];
	int rc = shown[dimension] ? makes_none(cells, shown, dimension) : 0;

	if (rc > 0) {
		shown[dimension] = false;
		d->state = CELLS_NO_MATTER;
	}
	return rc;
}

/* The study and the scenario are what is asked about, and stay. */
#define FIRST_TO_DROP 2

/* The family matters least to the reader, then the kernel, and then the last axis. Returns how many
 * were dropped, or -ENOMEM. */
static int drop_all(struct cells *cells, cells_mask shown)
{
	size_t kernel = FIRST_TO_DROP, family = FIRST_TO_DROP + 1;
	int rc = try_without(cells, shown, family), dropped = rc;

	if (rc >= 0)
		rc = try_without(cells, shown, kernel);
	for (size_t i = cells->n_dimensions; rc >= 0 && i-- > family + 1;) {
		dropped += rc;
		rc = try_without(cells, shown, i);
	}
	return rc < 0 ? rc : dropped + rc;
}

static int choose_by_difference(struct cells *cells)
{
	cells_mask shown = { false };
	int rc;

	for (size_t i = 0; i < cells->n_dimensions; i++) {
		shown[i] = !is_constant(&cells->dimensions[i]);
		cells->dimensions[i].state = shown[i] ? CELLS_SHOWN : CELLS_CONSTANT;
	}
	rc = drop_all(cells, shown);
	while (rc > 0) /* what is left may be clearer now that there is less of it */
		rc = drop_all(cells, shown);
	return rc;
}

/* "tcp_retries2" and "ipv4.tcp_retries2" are client.net.ipv4.tcp_retries2, if nothing else is. */
static bool is_meant(const char *name, const char *word, size_t length)
{
	size_t n = strlen(name);

	return n >= length && !strncmp(name + n - length, word, length) &&
	       (n == length || name[n - length - 1] == '.');
}

static int find(const struct cells *cells, const char *word, size_t length, struct error *err)
{
	_cleanup_(freep) char *text = strndup(word, length);
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];
	int found = -1;

	if (!text)
		return error_errno(err, -ENOMEM, "--by");
	suggestion_init(&suggestion, text);
	for (size_t i = 0; i < cells->n_dimensions; i++) {
		suggestion_offer(&suggestion, cells->dimensions[i].title);
		if (!is_meant(cells->dimensions[i].name, word, length))
			continue;
		if (strlen(cells->dimensions[i].name) == length)
			return (int)i;
		if (found >= 0)
			return error_input(err, "--by: '%s' may be %s or %s", text,
					   cells->dimensions[found].name,
					   cells->dimensions[i].name);
		found = (int)i;
	}
	return found >= 0 ? found
			  : error_input(err, "--by: there is no axis '%s'%s", text,
					suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

static int choose_by_name(struct cells *cells, const char *by, struct error *err)
{
	for (size_t i = 0; i < cells->n_dimensions; i++)
		cells->dimensions[i].state =
			is_constant(&cells->dimensions[i]) ? CELLS_CONSTANT : CELLS_SUMMED;
	for (const char *word = by;; word++) {
		size_t length = strcspn(word, ",");
		int found = find(cells, word, length, err);

		if (found < 0)
			return found;
		cells->dimensions[found].state = CELLS_SHOWN;
		word += length;
		if (!*word)
			return 0;
	}
}

int cells_choose(struct cells *cells, const char *by, struct error *err)
{
	int rc = give_titles(cells);

	if (rc >= 0 && by)
		return choose_by_name(cells, by, err);
	if (rc >= 0)
		rc = choose_by_difference(cells);
	return rc < 0 ? error_errno(err, rc, "results") : 0;
}
