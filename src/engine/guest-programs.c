/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/guest-programs.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

bool guest_programs_wanted(const struct scenario *s)
{
	for (enum node_id n = 0; n < s->n_hosts; n++)
		if (s->agent[n].program.run)
			return true;
	return false;
}

static int add_scenario(struct closure *closure, const struct scenario *s, struct error *err)
{
	for (enum node_id n = 0; n < s->n_hosts; n++) {
		const struct scenario_program *program = &s->agent[n].program;
		int rc = program->run ? closure_add_command(closure, program->run, err) : 0;

		for (char **path = program->take; rc >= 0 && path && *path; path++)
			rc = closure_add_tree(closure, *path, err);
		if (rc < 0 && rc != -EINTR)
			return error_prefix(err, rc, "%s:%d", s->file, program->line);
		if (rc < 0)
			return rc;
	}
	return 0;
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
		wanted |= guest_programs_wanted(job->trials[i].scenario);
	if (wanted)
		rc = closure_new(&closure, err);
	if (rc >= 0 && wanted)
		rc = add_all(closure, job, err);
	*ret_closure = rc < 0 ? NULL : take_ptr(closure);
	return rc;
}
