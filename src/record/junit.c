/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/junit.h"

#include <assert.h>
#include <string.h>

#include "src/util/utf8.h"

static const char *text_of(const char *text)
{
	return text ? text : "";
}

/* Every text is a stranger's, also one that this program would write as a number. */
static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	utf8_put_xml(out, value);
	putc('"', out);
}

static void put_counts(FILE *out, const size_t count[_RESULT_MAX], size_t cases, double took_s,
		       bool with_skipped)
{
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"", cases, count[RESULT_FAIL],
		count[RESULT_ERROR]);
	if (with_skipped)
		fprintf(out, " skipped=\"%zu\"",
			count[RESULT_INCONCLUSIVE] + count[RESULT_IMPOSSIBLE]);
	fprintf(out, " time=\"%.3f\"", took_s);
}

static void put_property(FILE *out, const char *name, const char *value)
{
	if (!*value)
		return;
	fprintf(out, "      <property name=\"%s\"", name);
	put_attribute(out, "value", value);
	fputs("/>\n", out);
}

/* The message of an attribute is one line, since readers show it as one. */
static char *first_line(const struct result_case *item)
{
	size_t n = strcspn(item->lines, "\n");

	return strndup(item->lines, n);
}

static void put_result(FILE *out, const struct result_case *item)
{
	static const struct {
		const char *element, *type; /* NULL: nothing is written */
	} words[] = {
		[RESULT_PASS] = { NULL, NULL },
		[RESULT_FAIL] = { "failure", "expectation" },
		[RESULT_INCONCLUSIVE] = { "skipped", "inconclusive" },
		[RESULT_IMPOSSIBLE] = { "skipped", "capability" },
		[RESULT_ERROR] = { "error", "no record" },
	};
	static_assert(ARRAY_SIZE(words) == _RESULT_MAX, "every result has its words");
	const char *element = words[item->result].element;
	_cleanup_(freep) char *line = first_line(item);
	_cleanup_(freep) char *message = NULL;

	if (!element)
		return;
	if (asprintf(&message, "%s%s", item->result == RESULT_INCONCLUSIVE ? "inconclusive: " : "",
		     text_of(line)) < 0)
		message = NULL;
	fprintf(out, "      <%s type=\"%s\"", element, words[item->result].type);
	put_attribute(out, "message", text_of(message));
	putc('>', out);
	utf8_put_xml(out, item->lines);
	fprintf(out, "</%s>\n", element);
}

static void put_item(FILE *out, const struct result_case *item)
{
	fputs("    <testcase", out);
	put_attribute(out, "classname", item->class);
	put_attribute(out, "name", item->name);
	fprintf(out, " time=\"%.3f\">\n", item->took_s);
	put_result(out, item);
	if (*item->note) {
		fputs("      <system-out>", out);
		utf8_put_xml(out, item->note);
		fputs("</system-out>\n", out);
	}
	fputs("    </testcase>\n", out);
}

static void put_suite(FILE *out, const struct result_suite *suite)
{
	char number[32] = "";

	fputs("  <testsuite", out);
	put_attribute(out, "name", suite->name);
	put_counts(out, suite->count, suite->cases, suite->took_s, true);
	fputs(">\n    <properties>\n", out);
	put_property(out, "kernel", suite->kernel);
	put_property(out, "release", suite->release);
	put_property(out, "engine", suite->engine);
	if (!strcmp(suite->engine, "qemu") && suite->span_s > 0) {
		snprintf(number, sizeof(number), "%.6f", suite->span_s);
		put_property(out, "virtual_s", number);
	}
	fputs("    </properties>\n", out);
}

void junit_write(const struct results *results, const char *name, FILE *out)
{
	_cleanup_(freep) const struct result_case **sorted = results_sorted(results);
	size_t count[_RESULT_MAX], at = 0;
	double took_s = 0;

	for (enum result r = 0; r < _RESULT_MAX; r++)
		count[r] = results_count(results, r);
	for (size_t i = 0; i < results->n_suites; i++)
		took_s += results->suites[i].took_s;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
	put_attribute(out, "name", name);
	/* The schema has no count of those that are skipped here. */
	put_counts(out, count, results->n_cases, took_s, false);
	fputs(">\n", out);
	for (size_t i = 0; sorted && i < results->n_suites && !ferror(out); i++) {
		put_suite(out, &results->suites[i]);
		for (size_t k = 0; k < results->suites[i].cases; k++)
			put_item(out, sorted[at++]);
		fputs("  </testsuite>\n", out);
	}
	fputs("</testsuites>\n", out);
}
