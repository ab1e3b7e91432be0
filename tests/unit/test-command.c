/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the user's own commands in a scenario: what is read, and the message for each wrong one.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/scenario/option.h"
#include "src/scenario/scenario.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"

START_TEST(a_command_is_an_agent)
{
	static const char text[] = "name: t\nsummary: s\nhorizon: 1s\n"
				   "client: {command: [sh, -c, \"echo {server}\"], port: 5432}\n";
	static const char *const set[] = { "keepalive=true" };
	struct scenario_request request = { .set = set, .n_set = 1 };
	struct scenario_list list = { 0 };
	struct error err = { 0 };
	const struct scenario *s;
	const struct scenario_agent *client;

	ck_assert_msg(scenario_parse("t.yaml", text, strlen(text), &request, &list, &err) == 0,
		      "%s", err.text);
	s = list.items[0];
	client = &s->agent[NODE_CLIENT];
	ck_assert_int_eq(client->option[OPTION_WORKLOAD], WORKLOAD_COMMAND);
	ck_assert_str_eq(client->programs[0].run[2], "echo {server}");
	ck_assert_ptr_null(client->programs[0].run[3]);
	ck_assert_int_eq(client->programs[0].line, 4);
	ck_assert_int_eq(client->option[OPTION_KEEPALIVE], OPTION_UNSET);
	ck_assert_int_eq(s->agent[NODE_SERVER].option[OPTION_KEEPALIVE], 1);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(a_command_has_surroundings)
{
	static const char text[] =
		"name: t\nsummary: s\nhorizon: 1s\n"
		"client: {command: {run: [sh], env: {A: b c, D: }, take: [/etc, x], user: 1000}}\n"
		"server: {command: {run: [sh], start_within: 90s}}\n";
	_cleanup_(scenario_freep) struct scenario *s = load(text);
	const struct scenario_program *client = &s->agent[NODE_CLIENT].programs[0];
	const struct scenario_program *server = &s->agent[NODE_SERVER].programs[0];

	ck_assert_str_eq(client->env[0], "A=b c");
	ck_assert_str_eq(client->env[1], "D=");
	ck_assert_ptr_null(client->env[2]);
	ck_assert_str_eq(client->take[1], "x");
	ck_assert(client->has_user && client->user == 1000);
	ck_assert_int_eq(client->start_within_nsec, 30 * NSEC_PER_SEC);
	ck_assert(!server->has_user);
	ck_assert_int_eq(server->start_within_nsec, 90 * NSEC_PER_SEC);
}
END_TEST

static const struct {
	const char *command, *error;
} bad_commands[] = {
	{ "sh", "a command is a list" },
	{ "[]", "a command has 1 to 256 words" },
	{ "[[sh]]", "a command is a list of words" },
	{ "{env: {A: b}}", "t.yaml:4: a command without 'run'" },
	{ "{run: sh}", "'run' must be a list" },
	{ "{run: [sh], users: 1}", "a command has no 'users'; did you mean 'user'?" },
	{ "{run: [sh], user: root}", "t.yaml:4: user: " },
	{ "{run: [sh], user: 65535}", "t.yaml:4: user: " },
	{ "{run: [sh], env: [A]}", "'env' must be a map" },
	{ "{run: [sh], env: {A=: b}}", "'A=' is no name of a variable" },
	{ "{run: [sh], take: []}", "take" },
	{ "{run: [sh], take: ['']}", "'take' has an empty path" },
	{ "{run: [sh], start_within: 0s}", "start_within" },
	{ "{run: [sh], start_within: 2h}", "at most an hour" },
	{ "{run: [sh], folder: ''}", "folder: it has a path" },
	{ "{run: [sh], folder: [x]}", "'folder' must be" },
	{ "{run: [sh], folder: /x, files: {a: b}}", "leave no choice of another 'folder'" },
};

START_TEST(bad_commands_are_refused)
{
	struct scenario_request request = { 0 };
	struct scenario_list list = { 0 };
	struct error err = { 0 };
	char text[256];

	snprintf(text, sizeof(text), "name: t\nsummary: s\nhorizon: 1s\nclient: {command: %s}\n",
		 bad_commands[_i].command);
	ck_assert_int_eq(scenario_parse("t.yaml", text, strlen(text), &request, &list, &err),
			 -EINVAL);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_msg(strstr(err.text, bad_commands[_i].error) != NULL, "%s", err.text);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, a_command_is_an_agent);
	tcase_add_test(tc, a_command_has_surroundings);
	tcase_add_loop_test(tc, bad_commands_are_refused, 0, ARRAY_SIZE(bad_commands));
}

int main(void)
{
	return suite_main("command", add_tests);
}
