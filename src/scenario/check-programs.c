/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the programs of a scenario are on this machine, which only matters where they are to run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/scenario/internal.h"

static bool is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Whether execvp() would find the program in one of the directories of a PATH. */
static bool in_path(const char *program, const char *directories)
{
	char path[4096];
	size_t n;

	for (const char *p = directories;; p += n + 1) {
		n = strcspn(p, ":");
		if (snprintf(path, sizeof(path), "%.*s%s%s", (int)n, p, n ? "/" : "", program) <
			    (int)sizeof(path) &&
		    is_executable(path))
			return true;
		if (!p[n])
			return false;
	}
}

static int check_words(const struct scenario *scenario, const struct scenario_program *p,
		       char *const *words, struct error *err)
{
	const char *program = words[0], *directories = getenv("PATH");
	const char *problem = NULL;

	if (scenario_program_file(p, program))
		return 0;
	if (!strchr(program, '/')) {
		if (!in_path(program, directories ? directories : "/usr/local/bin:/bin:/usr/bin"))
			problem = "not found in PATH";
	} else if (access(program, F_OK) < 0) {
		problem = strerror(errno);
	} else if (!is_executable(program)) {
		problem = "not an executable file";
	}
	if (!problem)
		return 0;
	return scenario_refuse(scenario, p->line, err, "command '%s': %s", program, problem);
}

static int check_program(const struct scenario *scenario, const struct scenario_program *p,
			 struct error *err)
{
	int rc = check_words(scenario, p, p->run, err);

	return rc < 0 || !p->ready.command ? rc : check_words(scenario, p, p->ready.command, err);
}

int scenario_check_programs(const struct scenario *scenario, struct error *err)
{
	int rc = 0;

	for (enum node_id n = 0; n < scenario->n_hosts; n++)
		for (size_t i = 0; rc == 0 && i < scenario->agent[n].n_programs; i++)
			rc = check_program(scenario, &scenario->agent[n].programs[i], err);
	return rc;
}
