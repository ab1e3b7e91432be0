/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: it finds the verb in the table of verbs, runs it, and prints the error that it
 * returns. Other files print an error only if they go on after it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/complete.h"
#include "src/engine/guest-main.h"
#include "src/scenario/scenario.h"
#include "src/study/study.h"
#include "src/util/cleanup.h"

static const struct verb *const verbs[] = { &verb_run,	   &verb_list,	&verb_show,   &verb_predict,
					    &verb_tune,	   &verb_check, &verb_doctor, &verb_shell,
					    &verb_kernels, &verb_sweep, &verb_export, &verb_merge,
					    &verb_report,  &verb_new,	&verb_cache };

static void usage(FILE *out)
{
	fprintf(out, "usage: deadpeer VERB [OPTION]... [ARGUMENT]...\n\n"
		     "How long does Linux take to notice that the other end of a TCP connection is "
		     "gone,\nand which setting decides?\n\nVerbs:\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	fprintf(out, "\n`deadpeer VERB --help` says more; so does `man deadpeer`.\n");
}

static const struct verb *find(const char *name)
{
	return arguments_find_verb(verbs, ARRAY_SIZE(verbs), name);
}

/* Parses the options of a verb into its struct of options, and runs it. */
static int run_verb(const struct verb *verb, int argc, char **argv, struct error *err)
{
	_cleanup_(freep) void *options = calloc(1, verb->options_size + 1);
	struct command_line line;
	int rc;

	if (!options)
		return error_errno(err, -ENOMEM, "%s", verb->name);
	if (verb->defaults)
		memcpy(options, verb->defaults, verb->options_size);
	rc = arguments_parse(verb, argc, argv, options, &line, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return verb->run(&line, options, err);
}

static int dispatch(int argc, char **argv, struct error *err)
{
	const char *name = argc > 1 ? argv[1] : "--help";
	const struct verb *verb = find(name);

	if (verb)
		return run_verb(verb, argc - 1, argv + 1, err);
	if (!strcmp(name, "help") && argc > 2 && find(argv[2])) {
		arguments_help(find(argv[2]));
		return 0;
	}
	if (!strcmp(name, "help") && argc > 2)
		return arguments_unknown_verb(verbs, ARRAY_SIZE(verbs), argv[2], err);
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		usage(argc > 1 ? stdout : stderr);
		return argc > 1 ? 0 : 2;
	}
	if (!strcmp(name, "--version")) {
		puts("deadpeer " DEADPEER_VERSION);
		return 0;
	}
	if (!strcmp(name, "__complete")) {
		complete_print(verbs, ARRAY_SIZE(verbs), argc - 2, argv + 2);
		return 0;
	}
	if (scenario_is(name) || study_is(name))
		return error_input(err, "'%s' is no verb, but a %s: deadpeer %s %s", name,
				   scenario_is(name) ? "scenario" : "study",
				   scenario_is(name) ? "run" : "sweep", name);
	return arguments_unknown_verb(verbs, ARRAY_SIZE(verbs), name, err);
}

/* Opens /dev/null for each standard descriptor that the caller closed. Otherwise the next socket
 * gets that number, and output goes into it. The descriptors are opened for reading, so that
 * writing a result to them fails and is reported. */
static void open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	fd_close(fd);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	int rc;

	guest_run_if_guest();
	open_standard_descriptors();
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow gives an error, as a full disk does */
	rc = dispatch(argc, argv, &err);
	if (rc >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		rc = error_errno(&err, -errno, "standard output");
	if (rc >= 0)
		return rc;
	if (err.kind == ERROR_NONE)
		error_errno(&err, rc, "internal error");
	fprintf(stderr, "deadpeer: %s\n", err.text);
	return error_exit_status(err.kind);
}
