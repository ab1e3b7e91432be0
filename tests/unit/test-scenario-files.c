/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of scenario files on a disk: that those of the catalogue are right, how one is found, and
 * the message for each wrong one. */
#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "src/scenario/call.h"
#include "src/scenario/option.h"
#include "src/scenario/outcome.h"
#include "src/scenario/scenario.h"
#include "tests/unit/suite.h"

#define SECOND NSEC_PER_SEC

START_TEST(shipped_files_load)
{
	_cleanup_(freep) char **paths = NULL;
	struct error err = { 0 };
	int found = 0;

	ck_assert_int_eq(setenv("DEADPEER_SCENARIOS", TEST_SOURCE_DIR "/scenarios", 1), 0);
	ck_assert_msg(scenario_find_all(&paths, &err) == 0, "%s", err.text);
	for (char **path = paths; *path; path++, found++) {
		struct scenario_request request = { .what = *path };
		struct scenario_list list = { 0 };
		const char *file = strrchr(*path, '/') + 1;
		struct scenario *s;

		ck_assert_msg(scenario_load(&request, &list, &err) == 0, "%s", err.text);
		s = list.items[0];
		ck_assert_msg(s->id && (s->has_quick || s->horizon_nsec <= 120 * SECOND), "%s",
			      file);
		ck_assert_msg(!strncmp(s->name, file, strlen(s->name)) &&
				      !strcmp(file + strlen(s->name), ".yaml"),
			      "%s is called '%s'", file, s->name);
		ck_assert_msg(strlen(s->explanation) > 200, "%s explains too little", file);
		scenario_list_deinit(&list);
		request.quick = true;
		ck_assert_msg(scenario_load(&request, &list, &err) == 0, "%s", err.text);
		for (size_t i = 0; i < list.count; i++)
			ck_assert_msg(list.items[i]->horizon_nsec <= 120 * SECOND, "%s", file);
		scenario_list_deinit(&list);
		free(*path);
	}
	ck_assert_int_ge(found, 15);
}
END_TEST

START_TEST(found_by_name_and_id)
{
	static const char *const what[] = {
		"E16", "e16", "power-loss-busy",
		TEST_SOURCE_DIR "/scenarios/3-a-host-loses-power/power-loss-busy.yaml"
	};
	struct scenario_request request = { .what = "power-los-busy" };
	struct scenario_list list = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(
		setenv("DEADPEER_SCENARIOS", "/nonexistent:" TEST_SOURCE_DIR "/scenarios", 1), 0);
	ck_assert_int_lt(scenario_load(&request, &list, &err), 0);
	ck_assert_str_eq(err.text, "there is no scenario 'power-los-busy'; did you mean "
				   "'power-loss-busy'? ('deadpeer list' shows all)");
	request.what = "/nonexistent/x.yaml";
	ck_assert_int_lt(scenario_load(&request, &list, &err), 0);
	ck_assert_str_eq(err.text, "/nonexistent/x.yaml: No such file or directory");
	request.what = TEST_SOURCE_DIR "/scenarios/";
	ck_assert_int_lt(scenario_load(&request, &list, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		request.what = what[i];
		ck_assert_msg(scenario_load(&request, &list, &err) == 0, "%s", err.text);
		ck_assert_str_eq(list.items[i]->id, "E16");
	}
	scenario_list_deinit(&list);
}
END_TEST

static void join_line(const char *text, void *userdata)
{
	strcat(strcat(userdata, text), "\n");
}

START_TEST(sysctls_without_effect_are_named)
{
	static const struct {
		const char *what, *set, *text;
	} cases[] = {
		{ "power-loss-idle", "client.net.ipv4.tcp_keepalive_time=5", "" },
		{ "power-loss-idle", "net.ipv4.tcp_keepalive_time=5", "" },
		{ "power-loss-idle-5-5-9", "client.net.ipv4.tcp_keepalive_intvl=5",
		  "--set client.net.ipv4.tcp_keepalive_intvl: has no effect, since "
		  "client.keepalive.interval is set\n" },
		{ "power-loss-busy", "client.net.ipv4.tcp_keepalive_time=5",
		  "--set client.net.ipv4.tcp_keepalive_time: has no effect, since "
		  "client.keepalive.enabled is not true\n" },
		{ "user-timeout", "client.net.ipv4.tcp_retries2=5", "" },
		{ "power-loss-busy", "router.net.ipv4.tcp_retries2=5", "" },
	};

	ck_assert_int_eq(setenv("DEADPEER_SCENARIOS", TEST_SOURCE_DIR "/scenarios", 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scenario_request request = { .what = cases[i].what,
						    .set = &cases[i].set,
						    .n_set = 1 };
		struct scenario_list list = { 0 };
		struct error err = { 0 };
		char text[512] = "";

		ck_assert_msg(scenario_load(&request, &list, &err) == 0, "%s", err.text);
		scenario_for_each_overridden(&list, join_line, text);
		ck_assert_str_eq(text, cases[i].text);
		scenario_list_deinit(&list);
	}
}
END_TEST

START_TEST(one_variant_by_name)
{
	static const struct {
		const char *what, *variant, *error;
		bool quick;
	} cases[] = {
		{ "path-loss/prohibit", "prohibit", NULL, false },
		{ "E28/far-link-down", "far-link-down", NULL, true },
		{ TEST_SOURCE_DIR "/scenarios/4-the-network-is-cut/path-loss.yaml/prohibit",
		  "prohibit", NULL, false },
		{ "path-loss/prohibits", NULL,
		  "path-loss/prohibits: there is no variant 'prohibits'; did you mean 'prohibit'?",
		  false },
		{ "process-crash/x", NULL,
		  "process-crash/x: there is no variant 'x': the scenario has no variants", false },
		{ "tcp-retries2/15", NULL,
		  "tcp-retries2/15: the variant '15' is left out by --quick", true },
		{ "path-los/prohibit", NULL,
		  "there is no scenario 'path-los'; did you mean 'path-loss'? ('deadpeer list' "
		  "shows all)",
		  false },
		{ "./prohibit", NULL, "./prohibit: No such file or directory", false },
		{ "path-loss/", NULL, "path-loss/: No such file or directory", false },
	};

	ck_assert_int_eq(setenv("DEADPEER_SCENARIOS", TEST_SOURCE_DIR "/scenarios", 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scenario_request request = { .what = cases[i].what,
						    .quick = cases[i].quick };
		struct scenario_list list = { 0 };
		struct error err = { 0 };
		int rc = scenario_load(&request, &list, &err);

		ck_assert_msg((rc < 0) == !!cases[i].error, "%s: %s", cases[i].what, err.text);
		ck_assert_str_eq(err.text, cases[i].error ? cases[i].error : "");
		ck_assert_uint_eq(list.count, cases[i].error ? 0 : 1);
		if (list.count)
			ck_assert_str_eq(list.items[0]->variant, cases[i].variant);
		scenario_list_deinit(&list);
	}
}
END_TEST

/* Every NAME.yaml of the corpus must give the one line in NAME.expected. */
static void check_bad_file(const char *name)
{
	struct scenario_request request = { .what = name };
	char expected_path[300], expected[1024] = "";
	_cleanup_(file_closep) FILE *f = NULL;
	struct scenario_list list = { 0 };
	struct error err = { 0 };

	snprintf(expected_path, sizeof(expected_path), "%.*s.expected", (int)strlen(name) - 5,
		 name);
	f = fopen(expected_path, "re");
	ck_assert_msg(f && fgets(expected, sizeof(expected), f), "%s cannot be read",
		      expected_path);
	expected[strcspn(expected, "\n")] = '\0';
	ck_assert_msg(scenario_load(&request, &list, &err) == -EINVAL, "%s was accepted", name);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_str_eq(err.text, expected);
}

START_TEST(bad_files_say_why)
{
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	ck_assert_int_eq(chdir(TEST_SOURCE_DIR "/tests/corpus/scenario"), 0);
	dir = opendir(".");
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);

		if (n > 5 && !strcmp(entry->d_name + n - 5, ".yaml")) {
			check_bad_file(entry->d_name);
			count++;
		}
	}
	closedir(dir);
	ck_assert_int_ge(count, 150);
}
END_TEST

/* Whether a text has the word, with neither a letter nor a dash or an underscore beside it. */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += n) {
		bool begins = at == text || !(isalnum(at[-1]) || strchr("_-", at[-1]));

		if (begins && !isalnum(at[n]) && !strchr("_-", at[n]))
			return true;
	}
	return false;
}

static const struct {
	const char *what;
	const struct names *names;
} manual_names[] = {
	{ "fault", &fault_names },	   { "action", &action_names },
	{ "workload", &workload_names },   { "outcome", &outcome_names },
	{ "mechanism", &mechanism_names }, { "call", &call_names },
};

/* Reads the man page. Roff writes a minus sign as "\\-", which is a dash in a word. */
static void read_manual(char *text, size_t size)
{
	FILE *file = fopen(TEST_SOURCE_DIR "/doc/deadpeer.1", "re");
	size_t n, to = 0;

	ck_assert_ptr_nonnull(file);
	n = fread(text, 1, size - 1, file);
	ck_assert_uint_lt(n, size - 1);
	fclose(file);
	for (size_t i = 0; i < n; i++)
		if (text[i] != '\\')
			text[to++] = text[i];
	text[to] = '\0';
}

/* Whoever adds one has to tell the user of it. */
START_TEST(manual_has_every_name)
{
	static char text[1 << 18];

	read_manual(text, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(manual_names); i++)
		for (int value = 0; value < manual_names[i].names->count; value++) {
			const char *name = names_text(manual_names[i].names, value);

			ck_assert_msg(!name || has_word(text, name),
				      "doc/deadpeer.1 does not name the %s '%s'",
				      manual_names[i].what, name);
		}
	for (int option = 0; option < _OPTION_MAX; option++) {
		const char *key = strrchr(option_definitions[option].key, '.');

		key = key ? key + 1 : option_definitions[option].key;
		ck_assert_msg(has_word(text, key), "doc/deadpeer.1 does not name the option '%s'",
			      key);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, shipped_files_load);
	tcase_add_test(tc, found_by_name_and_id);
	tcase_add_test(tc, sysctls_without_effect_are_named);
	tcase_add_test(tc, one_variant_by_name);
	tcase_add_test(tc, bad_files_say_why);
	tcase_add_test(tc, manual_has_every_name);
}

int main(void)
{
	return suite_main("scenario-files", add_tests);
}
