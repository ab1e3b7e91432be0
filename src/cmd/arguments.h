/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The command line. Each verb has one table of options, which says everything of
 * them: how they are written, what --help says, and where a value goes. From it
 * the command line is parsed, --help is printed, and the shell completes words
 * (`deadpeer __complete`).
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/util/error.h"

enum argument_type {
	ARGUMENT_FLAG,	/* bool: takes no value */
	ARGUMENT_TEXT,	/* const char *: points into argv */
	ARGUMENT_COUNT, /* an integer of 4 or 8 bytes, within bounds */
	ARGUMENT_LIST,	/* struct argument_list: each value is added */
	ARGUMENT_OTHER, /* what `parse` makes of it */
};

/* The values of an option that may be repeated, in the order of the command line. */
#define ARGUMENT_LIST_MAX 256
struct argument_list {
	const char *items[ARGUMENT_LIST_MAX + 1]; /* NULL-terminated; they point into argv */
	size_t count;
};

/* Where a value goes: the type, offset and size of a field of a verb's struct of options. */
struct argument_target {
	enum argument_type type;
	size_t offset, size;	    /* of the field, in bytes */
	long long minimum, maximum; /* of a count; of a list, at most `maximum` items */
	bool distinct;		    /* a list refuses a value that it has */
	/* Writes the field. Its error says what is wrong with the value, with the option's name. */
	int (*parse)(const char *text, void *field, struct error *err);
};
#define ARGUMENT_FIELD(options, field)                                                             \
	.offset = offsetof(struct options, field), .size = sizeof(((struct options *)0)->field)
#define TO_FLAG(options, field)                                                                    \
	{                                                                                          \
		ARGUMENT_FLAG, ARGUMENT_FIELD(options, field)                                      \
	}
#define TO_TEXT(options, field)                                                                    \
	{                                                                                          \
		ARGUMENT_TEXT, ARGUMENT_FIELD(options, field)                                      \
	}
#define TO_COUNT(options, field, least, most)                                                      \
	{                                                                                          \
		ARGUMENT_COUNT, ARGUMENT_FIELD(options, field), .minimum = (least),                \
								.maximum = (most)                  \
	}
#define TO_LIST(options, field, most)                                                              \
	{                                                                                          \
		ARGUMENT_LIST, ARGUMENT_FIELD(options, field), .maximum = (most)                   \
	}
#define TO_DISTINCT(options, field, most)                                                          \
	{                                                                                          \
		ARGUMENT_LIST, ARGUMENT_FIELD(options, field), .maximum = (most), .distinct = true \
	}
#define TO_OTHER(options, field, function)                                                         \
	{                                                                                          \
		ARGUMENT_OTHER, ARGUMENT_FIELD(options, field), .parse = (function)                \
	}

struct argument {
	const char *name;  /* long, without the dashes */
	char letter;	   /* short, or 0 */
	const char *value; /* what its value is called in --help, or NULL when it takes none */
	const char *help;
	struct argument_target to;
	const char *words; /* that its value may be, for completion: "ipv4 ipv6"; may be NULL */
};

/* A command line whose options are parsed. */
struct command_line {
	int argc;
	char **argv; /* argv[0] is the verb; operands stand behind all options */
	int n_operands;
	char **operands; /* in argv */
};

struct verb {
	const char *name;
	const char *operands;		  /* "SCENARIO..." */
	const char *summary;		  /* one line, for the list of verbs */
	const char *details;		  /* more lines for --help, or NULL */
	const struct argument *arguments; /* ends with a NULL name, may be NULL */
	const void *defaults;		  /* the struct of options before parsing, or NULL */
	size_t options_size;		  /* bytes of that struct */
	/* Returns the exit status, or a negative errno with `err` set. `options` is the verb's
	 * struct of options, or NULL where it has none. */
	int (*run)(const struct command_line *line, void *options, struct error *err);
};

/* Parses `argv` into `options`, which holds the defaults, and leaves operands in *ret_line.
 * Returns 1 when --help was among the options, and has been printed. */
int arguments_parse(const struct verb *verb, int argc, char **argv, void *options,
		    struct command_line *ret_line, struct error *err);

/* Returns NULL when no verb has that name. */
const struct verb *arguments_find_verb(const struct verb *const *verbs, size_t n, const char *name);

/* Prints the verb's --help to standard output. */
void arguments_help(const struct verb *verb);

/* "deadpeer WORD...", quoted for a shell; the caller frees. NULL: out of memory. */
char *arguments_command(const struct command_line *line);
