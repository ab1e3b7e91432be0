/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/ready.h"

#include <stdio.h>

#define POLL	    (10 * NSEC_PER_MSEC) /* between looks for a listening socket or a line */
#define AGENT_LIMIT (10 * NSEC_PER_SEC)	 /* a built-in agent listens, or is connected, in that */

const struct scenario_program *ready_said(const struct trial_program *program)
{
	return scenario_program(program->host->trial->spec.scenario, program->host->id,
				program->index);
}

char *ready_title(const struct trial_program *program, char *buffer, size_t size)
{
	const struct scenario_program *said = ready_said(program);

	if (program->host->n_programs > 1)
		snprintf(buffer, size, "program '%s'", said->name);
	else
		snprintf(buffer, size, "command '%s'", said->run[0]);
	return buffer;
}

static bool is_unsaid(const struct scenario_program *said)
{
	return said->ready.kind == READY_PORT && !said->ready.port;
}

/* What a program's readiness shows by. Where nothing is said, the last such program of a host
 * listens at the port that the host is known for, and of the others it is enough that they run. */
enum ready_kind ready_kind(const struct trial_program *program)
{
	const struct scenario *s = program->host->trial->spec.scenario;
	const struct scenario_program *said = ready_said(program);
	enum node_id host = program->host->id;
	bool last = true;

	for (size_t i = program->index + 1; i < program->host->n_programs; i++)
		last &= !is_unsaid(scenario_program(s, host, i));
	if (!is_unsaid(said))
		return said->ready.kind;
	if (last && (host == NODE_SERVER || s->agent[host].option[OPTION_PORT] != OPTION_UNSET) &&
	    host != NODE_CLIENT)
		return READY_PORT;
	return READY_STARTED;
}

void ready_note(struct trial_program *program, enum ready_sign sign)
{
	program->signs |= 1u << sign;
	program->host->trial->changed = true;
}

bool ready_has(const struct trial_program *program, enum ready_sign sign)
{
	return program->signs & 1u << sign;
}

bool ready_by_sign(const struct trial_program *program)
{
	if (!ready_said(program))
		return ready_has(program, READY_SIGN_LISTENS) ||
		       ready_has(program, READY_SIGN_CONNECTED);
	switch (ready_kind(program)) {
	case READY_STARTED:
		return ready_has(program, READY_SIGN_RUNS);
	case READY_FINISHED:
		return ready_has(program, READY_SIGN_FINISHED);
	default:
		return false;
	}
}

nsec_t ready_next_look(const struct trial *trial)
{
	const struct trial_program *program = trial->starting;

	if (ready_by_sign(program))
		return nsec_now();
	if (!ready_said(program))
		return NSEC_NEVER;
	switch (ready_kind(program)) {
	case READY_PORT:
	case READY_OUTPUT:
		return nsec_now() + POLL;
	case READY_COMMAND:
		if (trial->probe && !trial->probe_done)
			return NSEC_NEVER;
		return nsec_max(nsec_now(), trial->probe_nsec);
	default:
		return NSEC_NEVER;
	}
}

nsec_t ready_limit(const struct trial *trial)
{
	const struct scenario_program *said = ready_said(trial->starting);

	return trial->start_nsec + (said ? said->start_within_nsec : AGENT_LIMIT);
}
