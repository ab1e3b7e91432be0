/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The command line. Each verb has one table of options, from which it is parsed,
 * its --help is printed, and the shell completes (`deadpeer __complete`).
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/util/error.h"

struct argument {
	const char *name;  /* long, without the dashes */
	char letter;	   /* short, or 0 */
	const char *value; /* what its value is called in --help, or NULL when it takes none */
	const char *help;
	const char *values; /* words its value may be, for completion: "ipv4 ipv6"; may be NULL */
};

struct verb {
	const char *name;
	const char *operands;		  /* "SCENARIO..." */
	const char *summary;		  /* one line, for the list of verbs */
	const char *details;		  /* more lines for --help, or NULL */
	const struct argument *arguments; /* ends with a NULL name, may be NULL */
	/* Returns the exit status, or a negative errno with `err` set. argv[0] is the verb. */
	int (*run)(const struct verb *verb, int argc, char **argv, struct error *err);
};

/* Walks through the options of argv. `state` is zeroed before the first call. */
struct arguments {
	int argc;
	char **argv;
	const struct verb *verb;
	const char *value; /* of the option just returned */
	int first_operand; /* index in argv, once all options are done */
	bool started;
};
#define ARGUMENTS_END  (-1)
#define ARGUMENTS_HELP (-2) /* --help was given, and has been printed */
/* Index of the option in the verb's table, END, HELP; or ARGUMENTS_ERROR with `err` set. */
#define ARGUMENTS_ERROR (-3)
int arguments_next(struct arguments *state, struct error *err);

/* Prints the verb's --help to standard output. */
void arguments_help(const struct verb *verb);

/* "deadpeer WORD...", quoted for a shell; the caller frees. NULL: out of memory. */
char *arguments_command(int argc, char **argv);

/* "--NAME: expected a whole number from MINIMUM to MAXIMUM, got 'TEXT'" */
int arguments_number(const char *name, const char *text, long long minimum, long long maximum,
		     long long *ret_number, struct error *err);
