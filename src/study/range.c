/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads ranges of values: {from: 0, to: 15}, {from: 5s, to: 60s, step: 5s}, {from: 1ms, to: 1s,
 * factor: 10}. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/scenario/option.h"
#include "src/study/study.h"
#include "src/text/grammar.h"
#include "src/text/quantity.h"
#include "src/util/array.h"

/* A number and its unit. Units are kept if all are the same; times of different units become
 * nanoseconds. */
struct amount {
	double number;
	const char *unit;
};

struct range {
	struct amount from, to, step;
	bool factor; /* each value is `step` times the one before */
	bool time;   /* the numbers are times in nanoseconds */
};

static int read_amount(const struct document_node *map, const char *key, struct amount *ret,
		       struct error *err)
{
	const struct document_node *node = document_get(map, key);
	char *end;
	int rc;

	if (!node)
		return document_error(map, err, "a range needs '%s'", key);
	rc = document_require(node, DOCUMENT_SCALAR, key, err);
	if (rc < 0)
		return rc;
	if (!(node->text[0] >= '0' && node->text[0] <= '9'))
		return document_error(node, err, "%s: '%s' is no number", key, node->text);
	ret->number = strtod(node->text, &end);
	ret->unit = end;
	return 0;
}

static int refuse_keys(const struct document_node *map, struct error *err)
{
	static const char *const keys[] = { "from", "to", "step", "factor" };
	int rc = grammar_refuse_unknown(map, keys, ARRAY_SIZE(keys), "a range has no", err);

	if (rc >= 0 && document_get(map, "step") && document_get(map, "factor"))
		return document_error(map, err, "a range has a step or a factor, not both");
	return rc;
}

static int to_time(const struct document_node *map, const char *key, struct amount *amount,
		   struct error *err)
{
	const struct document_node *node = document_get(map, key);
	nsec_t span_nsec;
	int rc = quantity_parse_time(node->text, &span_nsec, err);

	if (rc < 0) {
		error_prefix(err, rc, "%s", key);
		return document_prefix(node, rc, err);
	}
	*amount = (struct amount){ (double)span_nsec, "" };
	return 0;
}

static int unify_units(const struct document_node *map, struct range *range, struct error *err)
{
	bool step = document_get(map, "step");
	int rc;

	if (!strcmp(range->from.unit, range->to.unit) &&
	    (!step || !strcmp(range->step.unit, range->to.unit)))
		return 0;
	range->time = true;
	rc = to_time(map, "from", &range->from, err);
	if (rc >= 0)
		rc = to_time(map, "to", &range->to, err);
	if (rc >= 0 && step)
		rc = to_time(map, "step", &range->step, err);
	return rc;
}

static int read_range(const struct document_node *map, struct range *range, struct error *err)
{
	int rc = refuse_keys(map, err);

	if (rc >= 0)
		rc = read_amount(map, "from", &range->from, err);
	if (rc >= 0)
		rc = read_amount(map, "to", &range->to, err);
	if (rc < 0)
		return rc;
	range->factor = document_get(map, "factor");
	range->step = (struct amount){ 1, range->to.unit };
	if (range->factor)
		rc = read_amount(map, "factor", &range->step, err);
	else if (document_get(map, "step"))
		rc = read_amount(map, "step", &range->step, err);
	if (rc < 0)
		return rc;
	if (range->factor &&
	    (*range->step.unit || range->step.number <= 1 || range->from.number <= 0))
		return document_error(map, err,
				      "a factor is a plain number above 1, and begins above 0");
	rc = unify_units(map, range, err);
	if (rc < 0)
		return rc;
	if (range->step.number <= 0)
		return document_error(map, err, "a step of nothing");
	if (range->from.number > range->to.number)
		return document_error(map, err, "a range goes upwards: from %s is above to %s",
				      document_get(map, "from")->text,
				      document_get(map, "to")->text);
	return 0;
}

static char *format_amount(const struct range *range, double number)
{
	char buffer[64];
	char *text;

	if (range->time)
		return strdup(option_format(OPTION_INTERVAL, (int64_t)llrint(number), buffer,
					    sizeof(buffer)));
	return asprintf(&text, "%.10g%s", number, range->to.unit) < 0 ? NULL : text;
}

int study_read_range(const struct document_node *map, char ***ret_values, struct error *err)
{
	_cleanup_(strings_freep) char **values = calloc(STUDY_MAX_VALUES + 1, sizeof(char *));
	struct range range = { 0 };
	double number;
	int rc = read_range(map, &range, err);

	if (rc < 0)
		return rc;
	if (!values)
		return error_errno(err, -ENOMEM, "range");
	for (size_t i = 0;; i++) {
		number = range.factor ? range.from.number * pow(range.step.number, (double)i)
				      : range.from.number + range.step.number * (double)i;
		if (number > range.to.number * (1 + 1e-9))
			break;
		if (i == STUDY_MAX_VALUES)
			return document_error(map, err, "a range of more than %d values",
					      STUDY_MAX_VALUES);
		values[i] = format_amount(&range, number);
		if (!values[i])
			return error_errno(err, -ENOMEM, "range");
	}
	*ret_values = take_ptr(values);
	return 0;
}
