/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/guest-programs.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/agent/confinement.h"
#include "src/util/format.h"

/* A relative path is one from the program's folder. */
static int add_command(struct closure *closure, const struct scenario_program *program,
		       char **words, struct error *err)
{
	char *first = words[0];
	_cleanup_(freep) char *path = NULL;
	int rc;

	if (!program->folder || first[0] == '/' || !strchr(first, '/'))
		return closure_add_command(closure, words, err);
	path = format_new("%s/%s", program->folder, first);
	if (!path)
		return error_errno(err, -ENOMEM, "%s", first);
	words[0] = path; /* the words are shared, and come back as they were */
	rc = closure_add_command(closure, words, err);
	words[0] = first;
	return rc;
}

/* A shell may run any of the files that come along. */
static int add_scripts(struct closure *closure, const struct scenario_program *program,
		       struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < program->n_files; i++)
		rc = closure_add_script(closure, program->files[i].text, err);
	return rc;
}

/* Of a script that the scenario brings along, its interpreter is on this machine. */
static int add_words(struct closure *closure, const struct scenario_program *program, char **words,
		     struct error *err)
{
	const struct scenario_file *file = scenario_program_file(program, words[0]);
	char line[256], *rest = line, *word;
	int rc = 0;

	if (!file)
		rc = add_command(closure, program, words, err);
	if (!file && rc >= 0 && closure_is_shell(words[0]))
		rc = add_scripts(closure, program, err);
	if (!file)
		return rc;
	if (strncmp(file->text, "#!", 2) != 0)
		return error_input(err, "%s: a program that comes along begins with '#!'",
				   file->name);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(file->text + 2, "\n"), file->text + 2);
	word = strtok_r(line, " \t", &rest);
	if (!word)
		return error_input(err, "%s: names no interpreter behind '#!'", file->name);
	/* Of "/usr/bin/env -S python3 -u" both are needed. */
	for (bool env = true; rc >= 0 && env && word; word = strtok_r(NULL, " \t", &rest)) {
		char *command[] = { word, NULL };
		const char *name = strrchr(word, '/');

		if (word[0] == '-' || strchr(word, '='))
			continue;
		rc = closure_add_command(closure, command, err);
		if (rc >= 0 && closure_is_shell(word))
			rc = add_scripts(closure, program, err);
		env = name && !strcmp(name, "/env");
	}
	return rc;
}

/* What is no path is a package. */
static int add_taken(struct closure *closure, const char *name, struct error *err)
{
	if (!strchr(name, '/') && access(name, F_OK) < 0)
		return closure_add_package(closure, name, err);
	return closure_add_tree(closure, name, err);
}

/* Adds what matches a pattern of the shell's. */
static int add_matching(struct closure *closure, const char *pattern, struct error *err)
{
	glob_t found = { 0 };
	int rc = glob(pattern, GLOB_NOCHECK, NULL, &found) ? -ENOMEM : 0;

	if (rc < 0)
		error_errno(err, rc, "%s", pattern);
	for (size_t i = 0; rc >= 0 && i < found.gl_pathc; i++)
		rc = add_taken(closure, found.gl_pathv[i], err);
	globfree(&found);
	return rc;
}

static int add_program(struct closure *closure, const struct scenario *s,
		       const struct scenario_program *program, struct error *err)
{
	int rc;

	closure_set_user(closure, confinement_user(program));
	rc = add_words(closure, program, program->run, err);
	if (rc >= 0 && program->ready.command)
		rc = add_words(closure, program, program->ready.command, err);
	if (rc >= 0 && program->folder)
		rc = closure_add_alone(closure, program->folder, err);
	for (char **path = program->take; rc >= 0 && path && *path; path++)
		rc = add_matching(closure, *path, err);
	return rc < 0 && rc != -EINTR ? error_prefix(err, rc, "%s:%d", s->file, program->line) : rc;
}

static int add_scenario(struct closure *closure, const struct scenario *s, struct error *err)
{
	int rc = 0;

	for (enum node_id n = 0; n < s->n_hosts; n++)
		for (size_t i = 0; rc >= 0 && i < s->agent[n].n_programs; i++)
			rc = add_program(closure, s, &s->agent[n].programs[i], err);
	return rc;
}

static int add_all(struct closure *closure, const struct engine_job *job, struct error *err)
{
	char self[64];
	int rc = 0;

	/* Another program, which lists the libraries, would find itself under /proc/self. */
	snprintf(self, sizeof(self), "/proc/%d/exe", (int)getpid());
	/* Trials of one scenario follow each other. */
	for (size_t i = 0; rc >= 0 && i < job->n_trials; i++)
		if (!i || job->trials[i].scenario != job->trials[i - 1].scenario)
			rc = add_scenario(closure, job->trials[i].scenario, err);
	if (rc >= 0)
		rc = closure_add_libraries(closure, self, err);
	if (rc >= 0)
		rc = closure_add_alone(closure, ".", err);
	return rc < 0 ? rc : closure_complete(closure, err);
}

int guest_programs_find(const struct engine_job *job, struct closure **ret_closure,
			struct error *err)
{
	_cleanup_(closure_freep) struct closure *closure = NULL;
	bool wanted = false;
	int rc = 0;

	for (size_t i = 0; i < job->n_trials; i++)
		wanted |= scenario_has_programs(job->trials[i].scenario);
	if (wanted)
		rc = closure_new(&closure, err);
	if (rc >= 0 && wanted)
		rc = add_all(closure, job, err);
	*ret_closure = rc < 0 ? NULL : take_ptr(closure);
	return rc;
}
