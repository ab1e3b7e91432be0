/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/page-column.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdbool.h>
#include <string.h>

#include "src/util/array.h"
#include "src/util/utf8.h"

/* A text in the tree, which is sorted by text. */
struct text {
	const char *text; /* not owned: the item of that number is the same */
	int64_t number;	  /* of the item */
};

void column_deinit(struct column *column)
{
	free(column->values);
	*column = (struct column){ 0 };
}

int column_add(struct column *column, int64_t value)
{
	int64_t *place = array_append(&column->values, &column->n, sizeof(*place));

	if (!place)
		return -ENOMEM;
	*place = value;
	return 0;
}

int column_pad(struct column *column, size_t n)
{
	int rc = 0;

	while (rc >= 0 && column->n < n)
		rc = column_add(column, COLUMN_NULL);
	return rc;
}

static size_t put_value(int64_t value, FILE *out)
{
	int n = value == COLUMN_NULL ? fprintf(out, "null") : fprintf(out, "%" PRId64, value);

	return n > 0 ? (size_t)n : 0;
}

/* Counts the characters that a value takes. */
static size_t width(int64_t value)
{
	char buffer[24];

	return value == COLUMN_NULL ? strlen("null")
				    : (size_t)snprintf(buffer, sizeof(buffer), "%" PRId64, value);
}

/* Tells whether the differences are shorter. There are none beside a NULL. */
static bool prefers_differences(const struct column *c)
{
	size_t plain = 0, differences = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->values[i] == COLUMN_NULL)
			return false;
		plain += width(c->values[i]);
		differences += width(i ? c->values[i] - c->values[i - 1] : c->values[0]);
	}
	return differences + strlen("{\"d\":}") < plain;
}

void column_put(const struct column *c, FILE *out)
{
	bool same = c->n > 0, differences;

	for (size_t i = 1; i < c->n; i++)
		same = same && c->values[i] == c->values[0];
	if (same) {
		put_value(c->values[0], out);
		return;
	}
	differences = prefers_differences(c);
	fputs(differences ? "{\"d\":[" : "[", out);
	for (size_t i = 0; i < c->n; i++) {
		if (i)
			putc(',', out);
		put_value(differences && i ? c->values[i] - c->values[i - 1] : c->values[i], out);
	}
	fputs(differences ? "]}" : "]", out);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct text *)a)->text, ((const struct text *)b)->text);
}

void texts_deinit(struct texts *texts)
{
	tdestroy(texts->tree, free);
	strings_free(texts->items);
	*texts = (struct texts){ 0 };
}

static int add(struct texts *texts, const char *text, int64_t *ret_number)
{
	_cleanup_(freep) struct text *new = calloc(1, sizeof(*new));

	if (!new || strings_append(&texts->items, &texts->n, text) < 0)
		return -ENOMEM;
	new->number = (int64_t)texts->n - 1;
	new->text = texts->items[new->number];
	if (!tsearch(new, &texts->tree, compare))
		return -ENOMEM;
	*ret_number = take_ptr(new)->number;
	return 0;
}

int texts_number(struct texts *texts, const char *text, int64_t *ret_number)
{
	struct text wanted = { .text = text }, **found;

	*ret_number = COLUMN_NULL;
	if (!text)
		return 0;
	found = tfind(&wanted, &texts->tree, compare);
	if (!found)
		return add(texts, text, ret_number);
	*ret_number = (*found)->number;
	return 0;
}

void texts_put(const struct texts *texts, FILE *out)
{
	putc('[', out);
	for (size_t i = 0; i < texts->n; i++) {
		fputs(i ? ",\"" : "\"", out);
		utf8_put_json(out, texts->items[i]);
		putc('"', out);
	}
	putc(']', out);
}
