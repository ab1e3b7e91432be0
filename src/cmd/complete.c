/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/scenario/option.h"
#include "src/scenario/scenario.h"
#include "src/study/study.h"
#include "src/util/array.h"

static void print_options(const struct verb *verb)
{
	for (const struct argument *a = verb->arguments; a && a->name; a++)
		printf("--%s\n", a->name);
	puts("--help");
}

/* Prints the variants of the scenario that stands before the slash in `word`. Returns false if
 * `word` has no slash. */
static bool print_variants(const char *word)
{
	_cleanup_(scenario_source_freep) struct scenario_source *source = NULL;
	const char *slash = strrchr(word, '/');
	_cleanup_(freep) char *what = slash ? strndup(word, (size_t)(slash - word)) : NULL;

	if (!what || scenario_source_load(what, &source, NULL) < 0)
		return slash;
	for (size_t i = 0; i < scenario_source_count(source); i++)
		if (scenario_source_variant(source, i))
			printf("%s/%s\n", what, scenario_source_variant(source, i));
	return true;
}

static void print_scenarios(void)
{
	_cleanup_(strings_freep) char **paths = NULL;

	scenario_find_all(&paths, NULL);
	for (char **path = paths; path && *path; path++) {
		const char *name = strrchr(*path, '/') + 1;

		printf("%.*s\n", (int)(strlen(name) - strlen(".yaml")), name);
	}
}

static bool print_key(const char *key, void *userdata)
{
	printf("%s=\n", key);
	return false;
}

static void print_keys(void)
{
	scenario_for_each_key(print_key, NULL);
	for (enum node_id n = 0; n < _NODE_MAX; n++)
		if (node_name(n))
			printf("%s.net.ipv4.tcp_retries2=\n", node_name(n));
}

/* Prints each word that the option's value may be. */
static void print_values(const struct argument *argument)
{
	const char *p = argument->words;

	if (!strcmp(argument->name, "set"))
		print_keys();
	while (p && *p) {
		size_t n = strcspn(p, " ");

		printf("%.*s\n", (int)n, p);
		p += n + (p[n] == ' ');
	}
}

/* Returns the option that `word` names if that option takes a value, else NULL. */
static const struct argument *valued(const struct verb *verb, const char *word)
{
	for (const struct argument *a = verb->arguments; a && a->name; a++) {
		bool is_long = !strncmp(word, "--", 2) && !strcmp(word + 2, a->name);
		bool is_short = a->letter && word[0] == '-' && word[1] == a->letter && !word[2];

		if (a->value && (is_long || is_short))
			return a;
	}
	return NULL;
}

/* Counts the operands before the last word, which is unfinished. */
static int count_operands(const struct verb *verb, int n_words, char **words)
{
	int operands = 0;

	for (int i = 1; i < n_words - 1; i++) {
		if (valued(verb, words[i]))
			i++;
		else if (words[i][0] != '-')
			operands++;
	}
	return operands;
}

static void print_studies(void)
{
	_cleanup_(strings_freep) char **names = study_names();

	for (char **name = names; name && *name; name++)
		puts(*name);
}

static void print_operands(const struct verb *verb, int n_words, char **words)
{
	bool many = strstr(verb->operands, "SCENARIO...");

	if (!strcmp(verb->operands, "STUDY") && count_operands(verb, n_words, words) == 0)
		print_studies();
	if (strncmp(verb->operands, "SCENARIO", strlen("SCENARIO")) != 0)
		return;
	if ((many || count_operands(verb, n_words, words) == 0) &&
	    !print_variants(words[n_words - 1]))
		print_scenarios();
}

void complete_print(const struct verb *const *verbs, size_t n_verbs, int n_words, char **words)
{
	const struct verb *verb =
		n_words > 1 ? arguments_find_verb(verbs, n_verbs, words[0]) : NULL;
	const struct argument *argument;
	int n = 0;

	if (n_words <= 1 || (n_words == 2 && !strcmp(words[0], "help"))) {
		for (size_t i = 0; i < n_verbs; i++)
			puts(verbs[i]->name);
		return;
	}
	if (!verb)
		return;
	for (int i = 0; i < n_words; i++) /* a shell takes "--family=ipv4" for three words */
		if (strcmp(words[i], "=") != 0)
			words[n++] = words[i];
	/* What follows "--" is the command line of another program. */
	for (int i = 1; i < n - 1; i++)
		if (!strcmp(words[i], "--"))
			return;
	argument = n > 1 ? valued(verb, words[n - 2]) : NULL;
	if (argument)
		print_values(argument);
	else if (words[n - 1][0] == '-')
		print_options(verb);
	else
		print_operands(verb, n, words);
}
