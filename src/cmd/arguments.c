/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/text/suggest.h"
#include "src/util/cleanup.h"

#define MAX_ARGUMENTS 32
/* getopt returns this for the first long option. It is above all letters. */
#define FIRST_LONG 1000

const struct verb *arguments_find_verb(const struct verb *const *verbs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

static size_t count(const struct verb *verb)
{
	size_t n = 0;

	while (verb->arguments && verb->arguments[n].name && n < MAX_ARGUMENTS)
		n++;
	return n;
}

/* A verb's table in the form that getopt takes. */
struct getopt_table {
	struct option options[MAX_ARGUMENTS + 2];
	char letters[2 * MAX_ARGUMENTS + 4];
};

static void fill_table(const struct verb *verb, struct getopt_table *table)
{
	char *letter = stpcpy(table->letters, ":h");
	size_t n = count(verb);

	for (size_t i = 0; i < n; i++) {
		const struct argument *a = &verb->arguments[i];

		table->options[i] = (struct option){
			.name = a->name,
			.has_arg = a->value ? required_argument : no_argument,
			.val = FIRST_LONG + (int)i,
		};
		if (a->letter)
			*letter++ = a->letter;
		if (a->letter && a->value)
			*letter++ = ':';
	}
	table->options[n] = (struct option){ .name = "help", .val = 'h' };
}

int arguments_unknown_verb(const struct verb *const *verbs, size_t n, const char *name,
			   struct error *err)
{
	struct suggestion suggestion;

	suggestion_init(&suggestion, name);
	for (size_t i = 0; i < n; i++)
		suggestion_offer(&suggestion, verbs[i]->name);
	if (suggestion.best[0])
		return error_input(err, "unknown verb '%s'; did you mean '%s'?", name,
				   suggestion.best);
	return error_input(err, "unknown verb '%s'; see `deadpeer --help`", name);
}

/* Refuses the long option `given`, of which getopt knows no more than that it is wrong. It takes
 * the beginning of a name for the whole, unless several names begin so. */
static int refuse_long(const struct verb *verb, const char *given, struct error *err)
{
	_cleanup_(freep) char *word = strndup(given + 2, strcspn(given + 2, "="));
	struct suggestion suggestion;
	char several[256] = "";
	size_t n = 0, found = 0;

	if (!word)
		return error_errno(err, -ENOMEM, "%s", verb->name);
	suggestion_init(&suggestion, word);
	suggestion_offer(&suggestion, "help");
	for (const struct argument *a = verb->arguments; a && a->name; a++) {
		suggestion_offer(&suggestion, a->name);
		if (strncmp(a->name, word, strlen(word)) != 0 || n >= sizeof(several))
			continue;
		n += (size_t)snprintf(several + n, sizeof(several) - n, "%s--%s",
				      found++ ? ", " : "", a->name);
	}
	if (*word && found > 1)
		return error_input(err, "%s: option '--%s' may mean any of %s", verb->name, word,
				   several);
	if (suggestion.best[0])
		return error_input(err, "%s: unknown option '--%s'; did you mean '--%s'?",
				   verb->name, word, suggestion.best);
	return error_input(err, "%s: unknown option '--%s'; see `deadpeer %s --help`", verb->name,
			   word, verb->name);
}

/* Refuses what getopt_long() refuses: `result` is what it returned, and `given` the word it was
 * at. It is at the word behind a cluster of letters only when it has taken the last of them, so
 * that a letter is named by itself. */
static int refuse(const struct verb *verb, int result, const char *given, struct error *err)
{
	if (result == ':')
		return error_input(err, "%s: option '%s' needs a value; see `deadpeer %s --help`",
				   verb->name, given, verb->name);
	if (optopt == 'h' || optopt >= FIRST_LONG)
		return error_input(
			err, "%s: option '--%s' takes no value, got '%s'", verb->name,
			optopt == 'h' ? "help" : verb->arguments[optopt - FIRST_LONG].name, given);
	if (optopt)
		return error_input(err, "%s: unknown option '-%c'; see `deadpeer %s --help`",
				   verb->name, optopt, verb->name);
	return refuse_long(verb, given, err);
}

static int store_count(const struct argument *a, const char *text, void *field, struct error *err)
{
	const struct argument_target *to = &a->to;
	char *end;
	int64_t number;
	int32_t small;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || end == text || *end || number < to->minimum || number > to->maximum)
		return error_input(err, "--%s: expected a whole number from %lld to %lld, got '%s'",
				   a->name, to->minimum, to->maximum, text);
	if (to->size == sizeof(small)) {
		small = (int32_t)number;
		memcpy(field, &small, sizeof(small));
	} else {
		memcpy(field, &number, sizeof(number));
	}
	return 0;
}

static int store_item(const struct argument *a, const char *text, struct argument_list *list,
		      struct error *err)
{
	if (list->count == (size_t)a->to.maximum)
		return error_input(err, "--%s: more than %zu of them", a->name, list->count);
	for (size_t i = 0; a->to.distinct && i < list->count; i++)
		if (!strcmp(list->items[i], text))
			return error_input(err, "--%s %s: is there already", a->name, text);
	list->items[list->count++] = text;
	return 0;
}

/* Adds to the error of a value that is none of the option's words which of these is meant. */
static int suggest_value(const struct argument *a, const char *text, int rc, struct error *err)
{
	_cleanup_(freep) char *words = a->words ? strdup(a->words) : NULL;
	struct suggestion suggestion;
	struct error reason = *err;
	char *rest = words, *word;

	if (rc >= 0 || !words)
		return rc;
	suggestion_init(&suggestion, text);
	while ((word = strsep(&rest, " ")))
		suggestion_offer(&suggestion, word);
	return !suggestion.best[0] ? rc
				   : error_set(err, reason.kind, rc, "%s; did you mean '%s'?",
					       reason.text, suggestion.best);
}

static int store_value(const struct argument *a, const char *text, void *options, struct error *err)
{
	void *field = (char *)options + a->to.offset;

	switch (a->to.type) {
	case ARGUMENT_FLAG:
		*(bool *)field = true;
		return 0;
	case ARGUMENT_TEXT:
		*(const char **)field = text;
		return 0;
	case ARGUMENT_COUNT:
		return store_count(a, text, field, err);
	case ARGUMENT_LIST:
		return store_item(a, text, field, err);
	case ARGUMENT_OTHER:
		return suggest_value(a, text, a->to.parse(text, field, err), err);
	}
	return -EINVAL;
}

/* Returns the option that getopt's result stands for. */
static const struct argument *find(const struct verb *verb, int result)
{
	const struct argument *a = verb->arguments;

	if (result >= FIRST_LONG)
		return &a[result - FIRST_LONG];
	while (a->letter != result)
		a++;
	return a;
}

int arguments_parse(const struct verb *verb, int argc, char **argv, void *options,
		    struct command_line *ret_line, struct error *err)
{
	struct getopt_table table = { 0 };
	int result, rc = 0;

	fill_table(verb, &table);
	optind = 0; /* glibc then starts from the first word again */
	opterr = 0;
	while (rc >= 0 &&
	       (result = getopt_long(argc, argv, table.letters, table.options, NULL)) != -1) {
		if (result == 'h') {
			arguments_help(verb);
			return 1;
		}
		if (result == '?' || result == ':')
			return refuse(verb, result, argv[optind - 1], err);
		if (optarg && !*optarg)
			return error_input(err, "%s: option '--%s' needs a value, got an empty one",
					   verb->name, find(verb, result)->name);
		rc = store_value(find(verb, result), optarg, options, err);
	}
	*ret_line = (struct command_line){ argc, argv, argc - optind, argv + optind };
	return rc < 0 ? rc : 0;
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

char *arguments_command(const struct command_line *line)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./=:,+@%";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("deadpeer", out);
	for (int i = 0; i < line->argc; i++) {
		const char *word = line->argv[i];

		putc(' ', out);
		if (*word && !word[strspn(word, plain)])
			fputs(word, out);
		else
			put_quoted(word, out);
	}
	return fclose(out) == 0 ? text : NULL;
}
