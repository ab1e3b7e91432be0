/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "src/cmd.h"
#include "src/scenario.h"

static void print_counts(size_t scenarios, size_t trials)
{
	printf("%zu scenario%s, %zu trial%s: ok\n", scenarios, scenarios == 1 ? "" : "s", trials,
	       trials == 1 ? "" : "s");
}

static int cmd_check(const struct verb *verb, int argc, char **argv, struct error *err)
{
	struct arguments state = { .argc = argc, .argv = argv, .verb = verb };
	size_t scenarios = 0, trials = 0;
	int status = 0;

	switch (arguments_next(&state, err)) {
	case ARGUMENTS_ERROR:
		return -EINVAL;
	case ARGUMENTS_HELP:
		return 0;
	default:
		break;
	}
	if (state.first_operand == argc)
		return error_input(err, "check: which file?");
	for (int i = state.first_operand; i < argc; i++) {
		struct scenario_request request = { .what = argv[i] };
		struct scenario_list list = { 0 };
		struct error wrong = { 0 };

		if (scenario_load(&request, &list, &wrong) < 0) {
			fprintf(stderr, "deadpeer: %s\n", wrong.text);
			status = 2;
		} else {
			scenarios++;
			trials += list.count;
		}
		scenario_list_deinit(&list);
	}
	if (scenarios)
		print_counts(scenarios, trials);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.operands = "FILE...",
	.summary = "Check scenario files without running them",
	.details = "Each file that is wrong gets one line, with the number of the first wrong line "
		   "in it;\nthen the exit status is 2. FILE may also be a scenario's name or "
		   "catalogue id. Names\nof sysctls are known to the kernel alone: whether they "
		   "exist is seen when a trial runs.",
	.run = cmd_check,
};
