/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/kernel/candidates.h"
#include "src/kernel/kernel.h"
#include "src/scenario/option.h"
#include "src/scenario/scenario.h"
#include "src/store/sql.h"
#include "src/store/store.h"
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

static void print_id(const char *path)
{
	struct scenario_request request = { .what = path };
	struct scenario_list list = { 0 };

	if (scenario_load(&request, &list, NULL) >= 0 && list.count && list.items[0]->id)
		puts(list.items[0]->id);
	scenario_list_deinit(&list);
}

/* Prints all names, or the ids where the word begins as an id does. */
static void print_scenarios(const char *word)
{
	_cleanup_(strings_freep) char **paths = NULL;
	bool ids = word[0] >= 'A' && word[0] <= 'Z';

	scenario_find_all(&paths, NULL);
	for (char **path = paths; path && *path; path++) {
		const char *name = strrchr(*path, '/') + 1;

		if (ids)
			print_id(*path);
		else
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

/* Prints the kernels at hand: the series of each, "6.12", and its release. */
static void print_kernels(void)
{
	struct kernel_list list;

	if (kernel_list_init(&list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.count; i++) {
		const char *release = list.kernels[i].name, *dot = strchr(release, '.');
		size_t n = dot ? (size_t)(dot - release) + 1 : 0;

		n += strspn(release + n, "0123456789");
		printf("%.*s\n%s\n", (int)n, release, release);
	}
	kernel_list_deinit(&list);
}

static void print_axes_of_study(const char *name)
{
	_cleanup_(study_freep) struct study *study = NULL;

	if (study_load(name, &study, NULL) < 0)
		return;
	for (size_t i = 0; i < study->n_axes; i++)
		puts(study->axes[i].name);
}

static void print_axes_of_store(const char *path)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;

	if (store_open(path, STORE_READ, NULL, &store, NULL) < 0 ||
	    store_prepare(store, "SELECT DISTINCT axis FROM place ORDER BY axis", &s, NULL) < 0)
		return;
	while (store_next(store, s, NULL) > 0)
		puts(store_text(s, 0));
}

/* Prints the axes of the studies, or stores of studies, that stand on the command line already, and
 * what each trial has beside them. */
static void print_axes(int n_words, char **words)
{
	static const char *const always[] = { "scenario", "kernel", "family" };

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		puts(always[i]);
	for (int i = 1; i < n_words - 1; i++) {
		if (words[i][0] == '-')
			continue;
		if (study_is(words[i]))
			print_axes_of_study(words[i]);
		else if (access(words[i], R_OK) == 0)
			print_axes_of_store(words[i]);
	}
}

/* Prints each word that the option's value may be. */
static void print_values(const struct argument *argument, int n_words, char **words)
{
	const char *p = argument->words;

	if (!strcmp(argument->name, "set"))
		print_keys();
	if (!strcmp(argument->name, "kernel"))
		print_kernels();
	if (!strcmp(argument->name, "by"))
		print_axes(n_words, words);
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

/* Prints the words of operands such as "scenario|study NAME" or "[list | fetch NAME]", which are
 * those in small letters. */
static void print_choice(const char *operands)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

	for (const char *p = operands; *p;) {
		size_t n = strspn(p, letters);

		if (n)
			printf("%.*s\n", (int)n, p);
		p += n ? n : 1;
	}
}

static bool has_word(int n_words, char **words, const char *word)
{
	for (int i = 0; i < n_words; i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

/* Prints the series that can be fetched, as far as the archive was asked; else what it has long. */
static void print_available(void)
{
	struct suite_list suites = { 0 };
	struct candidate_list list;
	struct error ignored;
	char series[SERIES_SIZE];

	if (suites_add_cached(&suites, &ignored) < 0 ||
	    candidate_list_init(&list, &suites, &ignored) < 0) {
		suite_list_deinit(&suites);
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		if (!list.candidates[i].missing)
			puts(kernel_series(list.candidates[i].release, series));
	if (!list.count)
		puts("6.1\n6.12");
	candidate_list_deinit(&list);
	suite_list_deinit(&suites);
}

static void print_operands(const struct verb *verb, int n_words, char **words)
{
	bool many = strstr(verb->operands, "SCENARIO...");
	int before = count_operands(verb, n_words, words);

	if (strchr(verb->operands, '|') && before == 0)
		print_choice(verb->operands);
	if (!strcmp(verb->name, "kernels") && before == 1 && !has_word(n_words, words, "add"))
		print_available();

	if (!strcmp(verb->operands, "STUDY") && before == 0)
		print_studies();
	if (strncmp(verb->operands, "SCENARIO", strlen("SCENARIO")) != 0)
		return;
	if ((many || before == 0) && !print_variants(words[n_words - 1]))
		print_scenarios(words[n_words - 1]);
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
		print_values(argument, n, words);
	else if (words[n - 1][0] == '-')
		print_options(verb);
	else
		print_operands(verb, n, words);
}
