/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/results.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/util/array.h"

#define SUITE_IMPOSSIBLE "not possible here"
#define SUITE_NO_RECORD	 "no record"

struct results *results_new(void)
{
	return calloc(1, sizeof(struct results));
}

struct results *results_free(struct results *results)
{
	if (!results)
		return NULL;
	for (size_t i = 0; i < results->n_cases; i++) {
		free(results->cases[i].class);
		free(results->cases[i].name);
		free(results->cases[i].note);
		free(results->cases[i].lines);
	}
	for (size_t i = 0; i < results->n_suites; i++) {
		free(results->suites[i].name);
		free(results->suites[i].class);
		free(results->suites[i].kernel);
		free(results->suites[i].release);
		free(results->suites[i].engine);
	}
	free(results->cases);
	strings_free(results->findings);
	free(results->suites);
	free(results);
	return NULL;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* Returns the place of the suite of that name, which it makes if there is none; negative errno.
 * A study's cases come suite by suite, so the search begins at the last. */
static ssize_t find_suite(struct results *results, const char *name, const char *class,
			  const struct result_source *source)
{
	bool several = !source->scenario || source->result == RESULT_IMPOSSIBLE;
	struct result_suite *suite;

	for (size_t i = results->n_suites; i--;)
		if (!strcmp(results->suites[i].name, name))
			return (ssize_t)i;
	suite = array_append(&results->suites, &results->n_suites, sizeof(*suite));
	if (!suite)
		return -ENOMEM;
	*suite = (struct result_suite){ .name = strdup(name),
					.class = strdup(class),
					.kernel = strdup(several ? "" : or_empty(source->kernel)),
					.release = strdup(several ? "" : or_empty(source->release)),
					.engine = strdup(or_empty(source->engine)) };
	return suite->name && suite->class && suite->kernel && suite->release && suite->engine
		       ? (ssize_t)results->n_suites - 1
		       : -ENOMEM;
}

static char *class_of(const struct result_source *c)
{
	char *text;

	if (!c->scenario)
		return strdup(SUITE_NO_RECORD);
	return asprintf(&text, "%s%s%s", c->scenario, c->variant ? "/" : "", or_empty(c->variant)) <
			       0
		       ? NULL
		       : text;
}

static char *name_of(const struct result_source *c)
{
	char *text;

	if (!c->scenario)
		return asprintf(&text, "trial %s", or_empty(c->trial)) < 0 ? NULL : text;
	return asprintf(&text, "%s%s%s, repeat %s", or_empty(c->places), c->places ? ", " : "",
			or_empty(c->family), or_empty(c->repeat)) < 0
		       ? NULL
		       : text;
}

static char *suite_of(const struct result_source *c, const char *class)
{
	char *text;

	if (c->result == RESULT_IMPOSSIBLE)
		return strdup(SUITE_IMPOSSIBLE);
	if (!c->scenario)
		return strdup(SUITE_NO_RECORD);
	return asprintf(&text, "%s%s%s%s%s", class, c->kernel ? " on " : "", or_empty(c->kernel),
			c->run ? ", run " : "", or_empty(c->run)) < 0
		       ? NULL
		       : text;
}

static char *note_of(const struct result_source *c)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (c->trial)
		fprintf(out, "trial: %s\n", c->trial);
	if (c->release)
		fprintf(out, "kernel: %s\n", c->release);
	if (c->span_s > 0)
		fprintf(out, "%s: %.6f\n",
			c->engine && !strcmp(c->engine, "qemu") ? "virtual_s" : "span_s",
			c->span_s);
	return fclose(out) == 0 ? text : NULL;
}

static double time_or_0(double value)
{
	return isfinite(value) && value > 0 ? value : 0;
}

int results_add(struct results *results, const struct result_source *c)
{
	_cleanup_(freep) char *suite_name = NULL;
	struct result_case *item = array_append(&results->cases, &results->n_cases, sizeof(*item));
	struct result_suite *suite;
	ssize_t place;

	if (!item)
		return -ENOMEM;
	*item = (struct result_case){ .class = class_of(c),
				      .name = name_of(c),
				      .note = note_of(c),
				      .lines = strdup(or_empty(c->lines)),
				      .took_s = time_or_0(c->took_s),
				      .span_s = time_or_0(c->span_s),
				      .result = c->result };
	suite_name = item->class ? suite_of(c, item->class) : NULL;
	if (!item->name || !item->note || !item->lines || !suite_name)
		return -ENOMEM;
	place = find_suite(results, suite_name, item->class, c);
	if (place < 0)
		return (int)place;
	item->suite = (size_t)place;
	suite = &results->suites[place];
	suite->count[c->result]++;
	suite->cases++;
	suite->took_s += item->took_s;
	suite->span_s += item->span_s;
	return 0;
}

int results_add_record(struct results *results, const struct record *record)
{
	static const enum result by_verdict[_VERDICT_MAX] = {
		[VERDICT_PASS] = RESULT_PASS,
		[VERDICT_FAIL] = RESULT_FAIL,
		[VERDICT_INCONCLUSIVE] = RESULT_INCONCLUSIVE,
	};
	enum verdict verdict = record_verdict(record);
	bool open = verdict == VERDICT_INCONCLUSIVE;
	char *const *lines = open ? record->doubts : record->failures;
	size_t n = open ? record->n_doubts : record->n_failures, size;
	_cleanup_(freep) char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	char repeat[24];

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? "\n" : "", lines[i]);
	if (fclose(out) != 0)
		return -ENOMEM;
	snprintf(repeat, sizeof(repeat), "%u", record->repeat);
	return results_add(results, &(struct result_source){
					    .scenario = record->scenario,
					    .variant = record->variant,
					    .kernel = record->kernel,
					    .release = record->kernel,
					    .engine = record->engine,
					    .family = family_name(record->family),
					    .repeat = repeat,
					    .took_s = nsec_to_sec(record->took_nsec),
					    .span_s = record->span_nsec == NSEC_NONE
							      ? 0
							      : nsec_to_sec(record->span_nsec),
					    .result = by_verdict[verdict],
					    .lines = text });
}

int results_add_finding(struct results *results, const char *line)
{
	return strings_append(&results->findings, &results->n_findings, line);
}

size_t results_count(const struct results *results, enum result result)
{
	size_t count = 0;

	for (size_t i = 0; i < results->n_suites; i++)
		count += results->suites[i].count[result];
	return count;
}

const struct result_case **results_sorted(const struct results *results)
{
	const struct result_case **sorted = calloc(results->n_cases + 1, sizeof(*sorted));
	_cleanup_(freep) size_t *next = calloc(results->n_suites + 1, sizeof(*next));

	if (!sorted || !next) {
		free(sorted);
		return NULL;
	}
	for (size_t i = 1; i < results->n_suites; i++)
		next[i] = next[i - 1] + results->suites[i - 1].cases;
	for (size_t i = 0; i < results->n_cases; i++)
		sorted[next[results->cases[i].suite]++] = &results->cases[i];
	return sorted;
}
