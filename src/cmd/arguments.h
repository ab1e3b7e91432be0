/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The command line. Each verb has one table of options, which says everything about them: how
 * they are written, what --help says, and where a value goes. The same table serves to parse the
 * command line, to print --help and to complete words for a shell (`deadpeer __complete`).
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/util/error.h"

enum argument_type {
	ARGUMENT_FLAG,	/* the field is a bool; the option takes no value */
	ARGUMENT_TEXT,	/* the field is a const char *, which points into argv */
	ARGUMENT_COUNT, /* the field is an integer of 4 or 8 bytes; the value has bounds */
	ARGUMENT_LIST,	/* the field is a struct argument_list, to which each value is added */
	ARGUMENT_OTHER, /* the function `parse` reads the value into the field */
};

/* The values of an option that may be repeated, in the order of the command line. */
#define ARGUMENT_LIST_MAX 256
struct argument_list {
	const char *items[ARGUMENT_LIST_MAX + 1]; /* NULL-terminated; they point into argv */
	size_t count;				  /* items in use */
};

/* Where a value goes: the type, offset and size of a field of a verb's struct of options. */
struct argument_target {
	enum argument_type type;    /* of the field */
	size_t offset, size;	    /* of the field in the struct of options; bytes */
	long long minimum, maximum; /* bounds of a count; a list takes at most `maximum` items */
	bool distinct;		    /* a list refuses a value that it has already */
	/* OTHER: writes the field. Its error names the option and says what is wrong with the
	 * value. */
	int (*parse)(const char *text, void *field, struct error *err);
};
#define BRACED(...)                                                                                \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define TO(type, options, field, ...)                                                              \
	BRACED(ARGUMENT_##type, .offset = offsetof(struct options, field),                         \
	       .size = sizeof(((struct options *)0)->field), __VA_ARGS__)
#define TO_FLAG(options, field) TO(FLAG, options, field, .minimum = 0)
#define TO_TEXT(options, field) TO(TEXT, options, field, .minimum = 0)
#define TO_COUNT(options, field, least, most)                                                      \
	TO(COUNT, options, field, .minimum = (least), .maximum = (most))
#define TO_LIST(options, field, most) TO(LIST, options, field, .maximum = (most))
#define TO_DISTINCT(options, field, most)                                                          \
	TO(LIST, options, field, .maximum = (most), .distinct = true)
#define TO_OTHER(options, field, function) TO(OTHER, options, field, .parse = (function))

struct argument {
	const char *name;	   /* its long form, without the dashes; static */
	char letter;		   /* its short form; 0: it has none */
	const char *value;	   /* what --help calls its value; NULL: it takes none; static */
	const char *help;	   /* what --help says of it, one line; static */
	struct argument_target to; /* where its value goes */
	const char *words; /* values that a shell may complete, "ipv4 ipv6"; NULL: none; static */
};

/* A command line whose options are parsed. */
struct command_line {
	int argc;	 /* words in argv */
	char **argv;	 /* argv[0] is the verb; operands stand behind all options; not owned */
	int n_operands;	 /* words in operands */
	char **operands; /* the first operand in argv; not owned */
};

struct verb {
	const char *name;		  /* how it is called; static, like all texts here */
	const char *operands;		  /* how --help writes its operands: "SCENARIO..." */
	const char *summary;		  /* one line for the list of verbs */
	const char *details;		  /* more lines for --help, or NULL */
	const struct argument *arguments; /* its options, up to one without a name; or NULL */
	const void *defaults;		  /* its struct of options before parsing; NULL: zeros */
	size_t options_size;		  /* bytes of that struct */
	/* Returns the exit status, or a negative errno with `err` set. `options` is the verb's
	 * struct of options, or NULL where it has none. */
	int (*run)(const struct command_line *line, void *options, struct error *err);
};

/* Parses `argv` into `options`, which holds the defaults, and leaves operands in *ret_line.
 * Returns 1 when --help was among the options, and has been printed. */
int arguments_parse(const struct verb *verb, int argc, char **argv, void *options,
		    struct command_line *ret_line, struct error *err);

/* Finds a verb by its name; NULL: there is none. */
const struct verb *arguments_find_verb(const struct verb *const *verbs, size_t n, const char *name);

/* Refuses a name that no verb has, and says which verb may be meant. */
int arguments_unknown_verb(const struct verb *const *verbs, size_t n, const char *name,
			   struct error *err);

/* Prints the verb's --help to standard output. */
void arguments_help(const struct verb *verb);

/* Returns "deadpeer WORD...", quoted for a shell, which the caller frees. NULL: out of memory. */
char *arguments_command(const struct command_line *line);
