/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `command`: a list of words, or a map with the words and what the program finds around itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/quantity.h"
#include "src/util/array.h"

#define WORDS_MAX	 256   /* of a command, variables, and paths */
#define USER_MAX	 65534 /* user namespaces of containers have as many */
#define START_WITHIN_MAX (3600 * NSEC_PER_SEC)

static int read_words(void *to, const struct document_node *node, const struct grammar_key *key,
		      struct error *err)
{
	struct scenario_program *program = to;
	_cleanup_(strings_freep) char **words = NULL;
	size_t n = 0;
	int rc = document_require(node, DOCUMENT_LIST, node->key, err);

	if (rc < 0)
		return rc;
	if (!node->n_items || node->n_items > WORDS_MAX)
		return document_error(node, err, "a command has 1 to %d words", WORDS_MAX);
	while (n < node->n_items) {
		const struct document_node *item = node->items[n];

		if (item->kind != DOCUMENT_SCALAR || (n == 0 && !*item->text))
			return document_error(
				item, err,
				"a command is a list of words: [PROGRAM, ARGUMENT, ...]");
		if (strings_append(&words, &n, item->text) < 0)
			return error_errno(err, -ENOMEM, "command");
	}
	strings_free(program->run);
	program->run = take_ptr(words);
	program->line = node->line;
	return 0;
}

/* Refuses what is not some texts, in a map or a list. */
static int require_texts(const struct document_node *node, enum document_kind kind,
			 struct error *err)
{
	int rc = document_require(node, kind, node->key, err);

	if (rc == 0)
		rc = document_require_count(node, node->key, node->n_items, WORDS_MAX, err);
	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		rc = document_require(item, DOCUMENT_SCALAR, item->key ? item->key : node->key,
				      err);
	}
	return rc;
}

static int read_env(void *to, const struct document_node *node, const struct grammar_key *key,
		    struct error *err)
{
	char ***env = to;
	size_t n = 0;
	int rc = require_texts(node, DOCUMENT_MAP, err);

	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];
		_cleanup_(freep) char *text = NULL;

		if (!*item->key || strchr(item->key, '='))
			rc = document_error(item, err, "'%s' is no name of a variable", item->key);
		if (rc == 0 && (asprintf(&text, "%s=%s", item->key, item->text) < 0 ||
				strings_append(env, &n, text) < 0))
			rc = error_errno(err, -ENOMEM, "env");
	}
	return rc;
}

static int read_paths(void *to, const struct document_node *node, const struct grammar_key *key,
		      struct error *err)
{
	char ***paths = to;
	size_t n = 0;
	int rc = require_texts(node, DOCUMENT_LIST, err);

	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (!*item->text)
			rc = document_error(item, err, "'%s' has an empty path", node->key);
		if (rc == 0 && strings_append(paths, &n, item->text) < 0)
			rc = error_errno(err, -ENOMEM, "%s", node->key);
	}
	return rc;
}

static int read_user(void *to, const struct document_node *node, const struct grammar_key *key,
		     struct error *err)
{
	struct scenario_program *program = to;
	uint64_t value = 0;
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc == 0)
		rc = document_prefix_key(
			node, quantity_parse_count(node->text, 0, USER_MAX, &value, err), err);
	program->has_user |= rc == 0;
	program->user = (uint32_t)value;
	return rc;
}

static int read_start_within(void *to, const struct document_node *node,
			     const struct grammar_key *key, struct error *err)
{
	nsec_t *within_nsec = to;
	int rc = scenario_read_time(within_nsec, node, key, err);

	if (rc == 0 && (*within_nsec <= 0 || *within_nsec > START_WITHIN_MAX))
		return document_error(node, err, "'%s' is more than 0 and at most an hour",
				      node->key);
	return rc;
}

static const struct grammar_key program_keys[] = {
	{ "run", read_words },
	{ "env", read_env, offsetof(struct scenario_program, env) },
	{ "take", read_paths, offsetof(struct scenario_program, take) },
	{ "user", read_user },
	{ "start_within", read_start_within, offsetof(struct scenario_program, start_within_nsec) },
};
static const struct grammar program_grammar = { "command", program_keys, ARRAY_SIZE(program_keys),
						"a command has no '%s'%s" };

int scenario_read_program(const struct document_node *node, struct scenario_program *program,
			  struct error *err)
{
	struct scenario_program new = { .start_within_nsec = SCENARIO_START_WITHIN };
	int rc;

	if (node->kind == DOCUMENT_MAP)
		rc = grammar_read_map(&program_grammar, node, &new, err);
	else
		rc = read_words(&new, node, NULL, err);
	if (rc == 0 && !new.run)
		rc = document_error(node, err, "a command without 'run', its list of words");
	if (rc < 0) {
		scenario_program_deinit(&new);
		return rc;
	}
	scenario_program_deinit(program);
	*program = new;
	return 0;
}

void scenario_program_deinit(struct scenario_program *program)
{
	strings_free(program->run);
	strings_free(program->env);
	strings_free(program->take);
	*program = (struct scenario_program){ 0 };
}
