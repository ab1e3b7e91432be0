/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/cleanup.h"

#define MAX_ARGUMENTS 32

static int count(const struct verb *verb)
{
	int n = 0;

	while (verb->arguments && verb->arguments[n].name && n < MAX_ARGUMENTS)
		n++;
	return n;
}

static int wrong_option(struct arguments *s, int result, struct error *err)
{
	const char *given = s->argv[optind - 1];

	if (result == ':')
		error_input(err, "%s: option '%s' needs a value; see `deadpeer %s --help`",
			    s->verb->name, given, s->verb->name);
	else
		error_input(err, "%s: unknown option '%s'; see `deadpeer %s --help`", s->verb->name,
			    given, s->verb->name);
	return ARGUMENTS_ERROR;
}

int arguments_next(struct arguments *s, struct error *err)
{
	struct option options[MAX_ARGUMENTS + 2] = { 0 };
	char letters[2 * MAX_ARGUMENTS + 4] = ":h";
	size_t at = 2;
	int n = count(s->verb), result, index = -1;

	for (int i = 0; i < n; i++) {
		const struct argument *a = &s->verb->arguments[i];

		options[i].name = a->name;
		options[i].has_arg = a->value ? required_argument : no_argument;
		options[i].val = 1000 + i;
		if (!a->letter)
			continue;
		letters[at++] = a->letter;
		if (a->value)
			letters[at++] = ':';
	}
	options[n] = (struct option){ .name = "help", .val = 'h' };
	if (!s->started) {
		optind = 0; /* glibc: start over */
		opterr = 0;
		s->started = true;
	}
	result = getopt_long(s->argc, s->argv, letters, options, NULL);
	if (result == -1) {
		s->first_operand = optind;
		return ARGUMENTS_END;
	}
	if (result == 'h') {
		arguments_help(s->verb);
		return ARGUMENTS_HELP;
	}
	if (result == '?' || result == ':')
		return wrong_option(s, result, err);
	for (int i = 0; i < n; i++)
		if (result == 1000 + i || result == s->verb->arguments[i].letter)
			index = i;
	if (optarg && !*optarg) {
		error_input(err, "%s: option '--%s' needs a value, got an empty one", s->verb->name,
			    s->verb->arguments[index].name);
		return ARGUMENTS_ERROR;
	}
	s->value = optarg;
	return index;
}

void arguments_help(const struct verb *verb)
{
	printf("usage: deadpeer %s%s%s%s\n\n%s.\n", verb->name,
	       verb->arguments ? " [OPTION]..." : "", *verb->operands ? " " : "", verb->operands,
	       verb->summary);
	if (verb->details)
		printf("\n%s\n", verb->details);
	printf("\nOptions:\n");
	for (const struct argument *a = verb->arguments; a && a->name; a++) {
		char left[64], letter[8] = "    ";

		if (a->letter)
			snprintf(letter, sizeof(letter), "-%c, ", a->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, a->name, a->value ? " " : "",
			 a->value ? a->value : "");
		printf("  %-26s %s\n", left, a->help);
	}
	printf("  %-26s %s\n", "-h, --help", "print this and exit");
}

int arguments_number(const char *name, const char *text, long long minimum, long long maximum,
		     long long *ret_number, struct error *err)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || end == text || *end || number < minimum || number > maximum)
		return error_input(err, "--%s: expected a whole number from %lld to %lld, got '%s'",
				   name, minimum, maximum, text);
	*ret_number = number;
	return 0;
}

static void put_quoted(const char *word, FILE *out)
{
	putc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			putc(*word, out);
	}
	putc('\'', out);
}

char *arguments_command(int argc, char **argv)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./=:,+@%";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("deadpeer", out);
	for (int i = 0; i < argc; i++) {
		putc(' ', out);
		if (*argv[i] && !argv[i][strspn(argv[i], plain)])
			fputs(argv[i], out);
		else
			put_quoted(argv[i], out);
	}
	return fclose(out) == 0 ? text : NULL;
}
