/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's own programs: `command`, a list of words or a map with the words and what the program
 * finds around itself, and `programs`, a list of such maps.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/quantity.h"
#include "src/util/array.h"

#define WORDS_MAX	 256   /* of a command, variables, paths, and files */
#define USER_MAX	 65534 /* user namespaces of containers have as many */
#define START_WITHIN_MAX (3600 * NSEC_PER_SEC)
#define NAME_LENGTH_MAX	 32
#define FILE_NAME_MAX	 255

static int read_words(void *to, const struct document_node *node, const struct grammar_key *key,
		      struct error *err)
{
	char ***field = to;
	_cleanup_(strings_freep) char **words = NULL;
	size_t n = 0;
	int rc = document_require(node, DOCUMENT_LIST, node->key ? node->key : "a command", err);

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
	strings_free(*field);
	*field = take_ptr(words);
	return 0;
}

static int read_run(void *to, const struct document_node *node, const struct grammar_key *key,
		    struct error *err)
{
	struct scenario_program *program = to;

	program->line = node->line;
	return read_words(&program->run, node, key, err);
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

static int read_names(void *to, const struct document_node *node, const struct grammar_key *key,
		      struct error *err)
{
	char ***names = to;
	size_t n = 0;
	int rc = require_texts(node, DOCUMENT_LIST, err);

	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (!*item->text || strchr(item->text, '='))
			rc = document_error(item, err, "'%s' is no name of a variable", item->text);
		if (rc == 0 && strings_append(names, &n, item->text) < 0)
			rc = error_errno(err, -ENOMEM, "%s", node->key);
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

static int read_folder(void *to, const struct document_node *node, const struct grammar_key *key,
		       struct error *err)
{
	char **folder = to;
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc == 0 && !*node->text)
		return document_error(node, err, "folder: it has a path");
	free(*folder);
	*folder = rc == 0 ? strdup(node->text) : NULL;
	return rc < 0 || *folder ? rc : error_errno(err, -ENOMEM, "folder");
}

/* A file stays in the working folder: its name has no part that leads out of it. */
static bool is_below(const char *name)
{
	if (!*name || *name == '/' || strlen(name) > FILE_NAME_MAX || name[strlen(name) - 1] == '/')
		return false;
	for (const char *part = name; part; part = strchr(part, '/')) {
		size_t n;

		part += *part == '/';
		n = strcspn(part, "/");
		if (!n || (n == 1 && part[0] == '.') || (n == 2 && !strncmp(part, "..", 2)))
			return false;
	}
	return true;
}

static int read_files(void *to, const struct document_node *node, const struct grammar_key *key,
		      struct error *err)
{
	struct scenario_program *program = to;
	int rc = document_require(node, DOCUMENT_MAP, node->key, err);

	if (rc == 0)
		rc = document_require_count(node, node->key, node->n_items, WORDS_MAX, err);
	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];
		struct scenario_file *file;

		if (!item->text)
			return document_error(item, err, "files: '%s' is a text, not %s", item->key,
					      document_kind_name(item->kind));

		if (!is_below(item->key))
			return document_error(item, err,
					      "files: '%s' is no file in the working folder of the "
					      "program",
					      item->key);
		file = array_append(&program->files, &program->n_files, sizeof(*file));
		if (!file)
			return error_errno(err, -ENOMEM, "files");
		*file = (struct scenario_file){ strdup(item->key), strdup(item->text) };
		if (!file->name || !file->text)
			return error_errno(err, -ENOMEM, "files");
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

static int read_ready_port(void *to, const struct document_node *node,
			   const struct grammar_key *key, struct error *err)
{
	struct scenario_ready *ready = to;
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	ready->kind = READY_PORT;
	return rc < 0 ? rc
		      : document_prefix_key(
				node, quantity_parse_count(node->text, 1, 65535, &ready->port, err),
				err);
}

static int read_ready_output(void *to, const struct document_node *node,
			     const struct grammar_key *key, struct error *err)
{
	struct scenario_ready *ready = to;
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc == 0 && !*node->text)
		return document_error(node, err, "ready: an empty text is in every line");
	ready->kind = READY_OUTPUT;
	free(ready->output);
	ready->output = rc == 0 ? strdup(node->text) : NULL;
	return rc < 0 || ready->output ? rc : error_errno(err, -ENOMEM, "ready");
}

static int read_ready_command(void *to, const struct document_node *node,
			      const struct grammar_key *key, struct error *err)
{
	struct scenario_ready *ready = to;

	ready->kind = READY_COMMAND;
	return read_words(&ready->command, node, key, err);
}

static const struct grammar_key ready_keys[] = {
	{ "port", read_ready_port },
	{ "output", read_ready_output },
	{ "command", read_ready_command },
};
static const struct grammar ready_grammar = { "ready", ready_keys, ARRAY_SIZE(ready_keys),
					      "ready: there is no '%s'%s" };

static const char *const ready_texts[] = {
	[READY_STARTED] = "started", [READY_FINISHED] = "finished"
};
static const struct names ready_names = { ready_texts, ARRAY_SIZE(ready_texts) };

/* One of {port: N}, {output: TEXT}, {command: [...]}, started and finished. */
static int read_ready(void *to, const struct document_node *node, const struct grammar_key *key,
		      struct error *err)
{
	static const struct word_list words = { "ready", &ready_names };
	struct scenario_ready *ready = to;
	int kind;
	int rc;

	if (node->kind == DOCUMENT_MAP && node->n_items != 1)
		return document_error(node, err, "ready: one of port, output and command");
	if (node->kind == DOCUMENT_SCALAR && names_find(&ready_names, node->text) < 0)
		return document_error(
			node, err,
			"ready: '%s' is none of started, finished, {port: N}, {output: "
			"TEXT} and {command: [PROGRAM, ...]}",
			node->text);
	if (node->kind == DOCUMENT_MAP)
		return grammar_read_map(&ready_grammar, node, ready, err);
	rc = document_require(node, DOCUMENT_SCALAR, node->key, err);
	if (rc == 0)
		rc = document_prefix_key(node, grammar_read_word(node->text, &words, &kind, err),
					 err);
	if (rc == 0)
		ready->kind = (enum ready_kind)kind;
	return rc;
}

static int read_name(void *to, const struct document_node *node, const struct grammar_key *key,
		     struct error *err)
{
	char **name = to;
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc == 0 && (!*node->text || strlen(node->text) > NAME_LENGTH_MAX))
		return document_error(node, err, "the name of a program has 1 to %d bytes",
				      NAME_LENGTH_MAX);
	free(*name);
	*name = rc == 0 ? strdup(node->text) : NULL;
	return rc < 0 || *name ? rc : error_errno(err, -ENOMEM, "name");
}

static const struct grammar_key program_keys[] = {
	{ "run", read_run },
	{ "name", read_name, offsetof(struct scenario_program, name) },
	{ "env", read_env, offsetof(struct scenario_program, env) },
	{ "pass", read_names, offsetof(struct scenario_program, pass) },
	{ "take", read_paths, offsetof(struct scenario_program, take) },
	{ "folder", read_folder, offsetof(struct scenario_program, folder) },
	{ "files", read_files },
	{ "user", read_user },
	{ "ready", read_ready, offsetof(struct scenario_program, ready) },
	{ "start_within", read_start_within, offsetof(struct scenario_program, start_within_nsec) },
};
static const struct grammar program_grammar = { "command", program_keys, ARRAY_SIZE(program_keys),
						"a command has no '%s'%s" };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool has_name(const struct scenario_agent *agent, const char *name)
{
	for (size_t i = 0; i < agent->n_programs; i++)
		if (!strcmp(agent->programs[i].name, name))
			return true;
	return false;
}

/* A program without a name is called as its file is: "redis-server", and the next "redis-server-2".
 */
static int name_program(const struct scenario_agent *agent, const struct document_node *node,
			struct scenario_program *program, struct error *err)
{
	const char *base = base_name(program->run[0]);

	if (program->name && has_name(agent, program->name))
		return document_error(node, err, "two programs of one host are called '%s'",
				      program->name);
	if (!program->name)
		program->name = strndup(base, NAME_LENGTH_MAX);
	for (unsigned int i = 2; program->name && has_name(agent, program->name); i++) {
		free(program->name);
		if (asprintf(&program->name, "%.*s-%u", NAME_LENGTH_MAX, base, i) < 0)
			program->name = NULL;
	}
	return program->name ? 0 : error_errno(err, -ENOMEM, "command");
}

static int read_program(const struct document_node *node, struct scenario_agent *agent,
			struct error *err)
{
	struct scenario_program new = { .start_within_nsec = SCENARIO_START_WITHIN };
	struct scenario_program *slot;
	int rc;

	if (node->kind == DOCUMENT_MAP)
		rc = grammar_read_map(&program_grammar, node, &new, err);
	else
		rc = read_run(&new, node, NULL, err);
	if (rc == 0 && !new.run)
		rc = document_error(node, err, "a command without 'run', its list of words");
	if (rc == 0 && new.folder &&new.n_files)
		rc = document_error(node, err,
				    "'files' are in a folder of their own, and leave no "
				    "choice of another 'folder'");
	if (rc == 0)
		rc = name_program(agent, node, &new, err);
	slot = rc == 0 ? array_append(&agent->programs, &agent->n_programs, sizeof(*slot)) : NULL;
	if (rc == 0 && !slot)
		rc = error_errno(err, -ENOMEM, "command");
	if (rc < 0)
		scenario_program_deinit(&new);
	else
		*slot = new;
	return rc;
}

int scenario_read_programs(const struct document_node *node, bool several,
			   struct scenario_agent *agent, struct error *err)
{
	struct scenario_agent new = { 0 };
	int rc = 0;

	if (!several) {
		rc = read_program(node, &new, err);
	} else {
		rc = document_require(node, DOCUMENT_LIST, node->key, err);
		if (rc == 0 && (!node->n_items || node->n_items > SCENARIO_PROGRAMS_MAX))
			rc = document_error(node, err, "a host has 1 to %d programs",
					    SCENARIO_PROGRAMS_MAX);
		for (size_t i = 0; rc == 0 && i < node->n_items; i++)
			rc = read_program(node->items[i], &new, err);
	}
	if (rc < 0) {
		scenario_forget_programs(&new);
		return rc;
	}
	scenario_forget_programs(agent);
	agent->programs = new.programs;
	agent->n_programs = new.n_programs;
	return 0;
}

void scenario_forget_programs(struct scenario_agent *agent)
{
	for (size_t i = 0; i < agent->n_programs; i++)
		scenario_program_deinit(&agent->programs[i]);
	free(agent->programs);
	agent->programs = NULL;
	agent->n_programs = 0;
}

const struct scenario_file *scenario_program_file(const struct scenario_program *program,
						  const char *word)
{
	if (!strncmp(word, "./", 2))
		word += 2;
	else if (!strchr(word, '/')) /* such a word is looked for in PATH */
		return NULL;
	for (size_t i = 0; i < program->n_files; i++)
		if (!strcmp(program->files[i].name, word))
			return &program->files[i];
	return NULL;
}

void scenario_program_deinit(struct scenario_program *program)
{
	for (size_t i = 0; i < program->n_files; i++) {
		free(program->files[i].name);
		free(program->files[i].text);
	}
	free(program->files);
	free(program->name);
	free(program->folder);
	strings_free(program->run);
	strings_free(program->env);
	strings_free(program->pass);
	strings_free(program->take);
	strings_free(program->ready.command);
	free(program->ready.output);
	*program = (struct scenario_program){ 0 };
}
