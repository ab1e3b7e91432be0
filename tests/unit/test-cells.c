/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stores are summed up to: which axes are shown, the cells, the view of the same name, and an
 * axis' value in CSV. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/report/cells-picture.h"
#include "src/report/cells-table.h"
#include "src/store/export.h"
#include "src/store/sql.h"
#include "src/util/array.h"
#include "tests/unit/suite.h"
#include "tests/unit/two-ends.h"

static char path[] = "/tmp/cells-XXXXXX.db";
static struct store *store;
static size_t position;

static void setup(void)
{
	const struct store_study study = { .name = (char *)"s",
					   .file = (char *)"s.yaml",
					   .text = (char *)"",
					   .engine = (char *)"qemu",
					   .deadpeer = (char *)"1",
					   .shard = 1,
					   .shards = 1 };
	struct error err = { 0 };
	int fd = mkstemps(strcpy(path, "/tmp/cells-XXXXXX.db"), 3);

	ck_assert_int_ge(fd, 0);
	close(fd);
	position = 0;
	ck_assert_msg(store_open(path, STORE_CREATE, &study, &store, &err) >= 0, "%s", err.text);
	ck_assert_msg(store_add_kernel(store, "6.1", "6.1.0", &err) >= 0, "%s", err.text);
	ck_assert_msg(store_begin_session(store, "sweep", NULL, &err) >= 0, "%s", err.text);
}

static void teardown(void)
{
	store_close(store);
	unlink(path);
}

/* A trial at places on the axes `names`, whose client timed out after `seconds`, by a timer or
 * without one. */
static void add(const char *const *names, const char *const *places, double seconds,
		const char *verdict)
{
	struct record *r = record_of_two_ends();
	size_t number = ++position;
	struct record_endpoint *client = &r->endpoint[END_CLIENT],
			       *server = &r->endpoint[END_SERVER];
	struct store_trial trial = {
		.identity = { .trial = number, .cell = number },
		.position = number,
		.kernel = "6.1",
		.axes = names,
		.places = places,
	};
	struct error err = { 0 };

	r->scenario = strdup("loss");
	r->engine = strdup("qemu");
	r->kernel = strdup("6.1.0");
	r->phase = -1;
	for (enum end_id n = 0; n < r->n_ends; n++) {
		struct record_endpoint *e = &r->endpoint[n];

		e->application_nsec = e->wire_nsec = e->recovered_nsec = NSEC_NONE;
		e->earliest_nsec = e->latest_nsec = e->kernel_nsec = NSEC_NONE;
	}
	server->outcome = OUTCOME_NONE;
	client->outcome = seconds > 0 ? OUTCOME_TIMED_OUT : OUTCOME_UNDETECTED;
	if (seconds > 0) {
		client->error = ETIMEDOUT;
		client->mechanism = MECHANISM_RETRANSMISSION;
		client->kernel_nsec = (nsec_t)(seconds * 1e9);
		client->earliest_nsec = client->kernel_nsec - NSEC_PER_MSEC;
		client->latest_nsec = client->kernel_nsec + NSEC_PER_MSEC;
	}
	if (!strcmp(verdict, "fail"))
		ck_assert_int_ge(record_fail(r, "wrong"), 0);
	if (!strcmp(verdict, "inconclusive"))
		ck_assert_int_ge(record_doubt(r, "busy"), 0);
	ck_assert_msg(store_add(store, &trial, r, NULL, &err) >= 0, "%s", err.text);
	record_free(r);
}

static const char *const axes[] = { "client.net.ipv4.tcp_retries2", "path.delay", "path.loss",
				    NULL };

/* retries2 decides, delay matters where that is great, and loss does not matter at all. */
static void fill(void)
{
	static const char *const retries[] = { "3", "8" }, *const delay[] = { "0", "40ms" },
				 *const loss[] = { "0%", "1%" };

	for (size_t r = 0; r < 2; r++)
		for (size_t d = 0; d < 2; d++)
			for (size_t l = 0; l < 2; l++) {
				const char *places[] = { retries[r], delay[d], loss[l], NULL };

				add(axes, places,
				    (r ? 100 : 6) * (r && d ? 1.5 : 1) * (l ? 1.1 : 1), "pass");
			}
}

static struct cells *read_cells(const char *by)
{
	struct cells *cells = cells_new();
	struct error err = { 0 };

	ck_assert_msg(cells_read(cells, store, &err) >= 0, "%s", err.text);
	ck_assert_msg(cells_choose(cells, by, &err) >= 0, "%s", err.text);
	return cells;
}

static enum cells_state state_of(const struct cells *cells, const char *name)
{
	size_t n;
	const struct cells_dimension *d = cells_dimensions(cells, &n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(d[i].name, name))
			return d[i].state;
	ck_abort_msg("no dimension %s", name);
}

START_TEST(what_made_a_difference_is_shown)
{
	_cleanup_(cells_freep) struct cells *cells = NULL;
	struct cell *list;
	size_t n;

	fill();
	cells = read_cells(NULL);
	ck_assert_int_eq(state_of(cells, "client.net.ipv4.tcp_retries2"), CELLS_SHOWN);
	ck_assert_int_eq(state_of(cells, "path.delay"), CELLS_SHOWN);
	ck_assert_int_eq(state_of(cells, "path.loss"), CELLS_NO_MATTER);
	ck_assert_int_eq(state_of(cells, "kernel"), CELLS_CONSTANT);
	ck_assert_int_ge(cells_sum(cells, &list, &n), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(list[3].n_times, 2);
	ck_assert_double_eq_tol(list[3].times[0], 150, 1e-6);
	ck_assert_double_eq_tol(cell_median(&list[3]), 157.5, 1e-6);
	ck_assert_double_eq_tol(list[3].latest, 165.001, 1e-6);
	ck_assert_uint_eq(list[3].passed, 2);
	cells_list_free(list, n);
}
END_TEST

/* Where two trials differ in nothing but a verdict, or one detected nothing, the axis is shown. */
START_TEST(endings_make_a_difference)
{
	static const char *const names[] = { "a", "b", NULL };
	static const char *const places[][3] = {
		{ "1", "x" }, { "1", "y" }, { "2", "x" }, { "2", "y" }
	};
	_cleanup_(cells_freep) struct cells *cells = NULL;

	add(names, places[0], 5, "pass");
	add(names, places[1], 5, _i == 0 ? "fail" : "pass");
	add(names, places[2], 5, "pass");
	add(names, places[3], _i == 1 ? 0 : 5,
	    _i == 0   ? "fail"
	    : _i == 2 ? "inconclusive"
		      : "pass");
	cells = read_cells(NULL);
	ck_assert_int_eq(state_of(cells, "a"), _i == 1 ? CELLS_SHOWN : CELLS_NO_MATTER);
	ck_assert_int_eq(state_of(cells, "b"), _i == 2 ? CELLS_NO_MATTER : CELLS_SHOWN);
}
END_TEST

/* Axes of which each value comes with one value of the other cannot be told apart, and are both
 * shown. */
START_TEST(what_cannot_be_compared_is_shown)
{
	static const char *const names[] = { "a", "b", NULL };
	static const char *const places[][3] = { { "1", "x" }, { "2", "y" } };
	_cleanup_(cells_freep) struct cells *cells = NULL;

	add(names, places[0], 5, "pass");
	add(names, places[1], 5, "pass");
	cells = read_cells(NULL);
	ck_assert_int_eq(state_of(cells, "a"), CELLS_SHOWN);
	ck_assert_int_eq(state_of(cells, "b"), CELLS_SHOWN);
}
END_TEST

START_TEST(users_choose)
{
	_cleanup_(cells_freep) struct cells *cells = NULL;
	struct cell *list;
	size_t n;

	fill();
	cells = read_cells("loss");
	ck_assert_int_eq(state_of(cells, "path.loss"), CELLS_SHOWN);
	ck_assert_int_eq(state_of(cells, "path.delay"), CELLS_SUMMED);
	ck_assert_int_eq(state_of(cells, "kernel"), CELLS_CONSTANT);
	ck_assert_int_ge(cells_sum(cells, &list, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(list[0].n_times, 4);
	ck_assert_str_eq(list[1].values[6], "1%");
	cells_list_free(list, n);
}
END_TEST

static const struct {
	const char *by, *says;
} wrong[] = {
	{ "los", "no axis 'los'; did you mean 'loss'?" },
	{ "", "no axis ''" },
	{ "loss,", "no axis ''" },
	{ "oss", "no axis 'oss'" },
};

START_TEST(wrong_choices_are_refused)
{
	_cleanup_(cells_freep) struct cells *cells = cells_new();
	struct error err = { 0 };

	fill();
	ck_assert_int_ge(cells_read(cells, store, &err), 0);
	ck_assert_int_lt(cells_choose(cells, wrong[_i].by, &err), 0);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_msg(strstr(err.text, wrong[_i].says), "%s", err.text);
}
END_TEST

static char *exported(const char *format)
{
	struct error err = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_msg(export_from_name(format)(store, out, &err) >= 0, "%s", err.text);
	fclose(out);
	return text;
}

/* No setting of these records has a delay, so that it is a default wherever the axis has one. */
START_TEST(csv_has_an_axis_where_it_is_the_default)
{
	_cleanup_(freep) char *text = NULL;

	fill();
	text = exported("csv");
	ck_assert_ptr_nonnull(
		strstr(text, ",client.net.ipv4.tcp_retries2,path.delay,path.loss,endpoint"));
	ck_assert_ptr_nonnull(strstr(text, ",3,0,0%,client,"));
	ck_assert_ptr_nonnull(strstr(text, ",8,40ms,1%,client,"));
}
END_TEST

START_TEST(the_view_has_a_column_for_each_axis)
{
	static const char *const names[] = { "it's \"a\"", NULL };
	static const char *const places[][2] = { { "1" }, { "2" } };
	struct error err = { 0 };
	int64_t n = 0;

	add(names, places[0], 5, "pass");
	add(names, places[0], 9, "pass");
	add(names, places[0], 6, "fail");
	add(names, places[1], 0, "pass");
	add(names, places[1], 7, "inconclusive");
	ck_assert_msg(store_make_cells(store, NULL, &err) >= 0, "%s", err.text);
	ck_assert_msg(store_make_cells(store, NULL, &err) >= 0, "%s", err.text);
	ck_assert_int_ge(store_number(store,
				      "SELECT count(*) FROM cells WHERE \"it's \"\"a\"\"\" = '1' "
				      "AND trials = 3 AND "
				      "passed = 2 AND failed = 1 AND least_s = 5 AND median_s = 6 "
				      "AND most_s = 9 AND "
				      "outcomes = 'timed-out' AND abs(latest_s - 9.001) < 1e-6",
				      &n, &err),
			 0);
	ck_assert_int_eq(n, 1);
	ck_assert_int_ge(store_number(store,
				      "SELECT count(*) FROM cells WHERE \"it's \"\"a\"\"\" = '2' "
				      "AND trials = 2 AND "
				      "passed = 1 AND inconclusive = 1 AND median_s IS NULL AND "
				      "outcomes = 'undetected'",
				      &n, &err),
			 0);
	ck_assert_int_eq(n, 1);
}
END_TEST

/* What a stranger's store has is text in a table of Markdown. */
START_TEST(markdown_is_inert)
{
	static const char *const names[] = { "a", NULL };
	static const char *const places[][2] = { { "<script>|`x`\n" }, { "2" } };
	_cleanup_(cells_freep) struct cells *cells = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	add(names, places[0], 5, "pass");
	add(names, places[1], 50, "pass");
	cells = read_cells(NULL);
	ck_assert_int_ge(cells_print(cells, CELLS_MARKDOWN, 0, out), 0);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "| &lt;script&gt;\\|\\`x\\`"));
	ck_assert_ptr_null(strstr(text, "<script>|"));
	ck_assert_ptr_nonnull(strstr(text, "| 50.000 | 49.999..50.001 |"));
	free(text);
}
END_TEST

START_TEST(pictures_are_inert)
{
	static const char *const names[] = { "a", NULL };
	static const char *const places[][2] = { { "<script>&\"" }, { "2" } };
	_cleanup_(cells_freep) struct cells *cells = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	add(names, places[0], 5, "pass");
	add(names, places[1], 0, "pass");
	cells = read_cells(NULL);
	ck_assert_int_ge(cells_draw(cells, out), 0);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "a &lt;script>&amp;&quot;, client</text>"));
	ck_assert_ptr_null(strstr(text, "<script"));
	ck_assert_ptr_nonnull(strstr(text, "<title>5 s, from 5 to 5 s</title>"));
	ck_assert_ptr_nonnull(strstr(text, "1 of 1 pass, none</text>"));
	free(text);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_made_a_difference_is_shown);
	tcase_add_loop_test(tc, endings_make_a_difference, 0, 3);
	tcase_add_test(tc, what_cannot_be_compared_is_shown);
	tcase_add_test(tc, users_choose);
	tcase_add_loop_test(tc, wrong_choices_are_refused, 0, ARRAY_SIZE(wrong));
	tcase_add_test(tc, csv_has_an_axis_where_it_is_the_default);
	tcase_add_test(tc, the_view_has_a_column_for_each_axis);
	tcase_add_test(tc, markdown_is_inert);
	tcase_add_test(tc, pictures_are_inert);
}

int main(void)
{
	return suite_main("cells", add_tests);
}
