/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/start.h"

#include <errno.h>
#include <string.h>

#include "src/trial/beginning.h"
#include "src/trial/follow.h"
#include "src/trial/look.h"
#include "src/trial/node.h"
#include "src/trial/ready.h"
#include "src/trial/settle.h"
#include "src/util/utf8.h"

#define PROBE_POLL (100 * NSEC_PER_MSEC) /* between two runs of a command that asks */

struct trial_program *start_client_program(struct trial *trial)
{
	struct trial_host *client = &trial->host[NODE_CLIENT];

	return &client->program[client->n_programs - 1];
}

/* Hosts that listen come before those that connect, and the client is the last of all. */
static int rank_of(const struct scenario *s, enum node_id host)
{
	return host == NODE_CLIENT ? 3 : host == NODE_SERVER ? 0 : 1 + scenario_connects(s, host);
}

/* The host whose programs start after those of `host`; _NODE_MAX: none is left. */
static enum node_id next_host(const struct scenario *s, enum node_id host)
{
	for (int rank = rank_of(s, host); rank <= 3; rank++)
		for (enum node_id n = 0; n < s->n_hosts; n++)
			if (rank_of(s, n) == rank && (rank > rank_of(s, host) || n > host))
				return n;
	return _NODE_MAX;
}

/* The program that starts after `last`, or first of all; NULL: only the client's own is left. */
static struct trial_program *next_program(struct trial *trial, const struct trial_program *last)
{
	enum node_id host = last ? last->host->id : NODE_SERVER;
	size_t index = last ? last->index + 1 : 0;

	while (host != _NODE_MAX && index >= trial->host[host].n_programs) {
		host = next_host(trial->spec.scenario, host);
		index = 0;
	}
	if (host == _NODE_MAX || &trial->host[host].program[index] == start_client_program(trial))
		return NULL;
	return &trial->host[host].program[index];
}

static int start_program(struct trial *trial, struct trial_program *program, struct agent *standby,
			 struct error *err)
{
	trial->starting = program;
	trial->start_nsec = nsec_now();
	trial->probe_nsec = 0;
	return node_start_program(program, standby, err);
}

int start_first(struct trial *trial, struct agent *standby, struct error *err)
{
	return start_program(trial, next_program(trial, NULL), standby, err);
}

static void go_on(struct trial *trial)
{
	struct trial_program *next = next_program(trial, trial->starting);

	trial->probe = agent_free(trial->probe);
	trial->changed = true;
	if (!next) {
		beginning_ready(trial);
		return;
	}
	if (start_program(trial, next, NULL, &trial->failure) < 0)
		trial_over(trial);
}

static bool has_written(struct trial_program *program, const char *text)
{
	return program->agent && strstr(agent_output(program->agent), text);
}

static void on_probe(struct agent *agent, const struct agent_report *report, void *userdata)
{
	struct trial *trial = userdata;
	bool over = report->call == AGENT_CALL_EXIT ||
		    (report->call == AGENT_CALL_EXEC && report->error);

	if (trial->phase != PHASE_START || !over)
		return;
	trial->probe_done = true;
	trial->probe_succeeded = report->call == AGENT_CALL_EXIT && !report->result;
	trial->changed = true;
	settle_trial(trial);
}

/* Runs the command that asks whether the program is ready, again and again until it succeeds. */
static bool has_answered(struct trial *trial, const struct scenario_ready *ready)
{
	if (trial->probe && !trial->probe_done)
		return false;
	if (trial->probe && trial->probe_succeeded)
		return true;
	if (nsec_now() < trial->probe_nsec)
		return false;
	trial->probe = agent_free(trial->probe);
	trial->probe_done = false;
	trial->probe_nsec = nsec_now() + PROBE_POLL;
	if (node_start_probe(trial->starting, ready->command, on_probe, &trial->probe,
			     &trial->failure) < 0)
		trial_over(trial);
	return false;
}

static bool is_ready(struct trial *trial)
{
	struct trial_program *program = trial->starting;
	const struct scenario_program *said = ready_said(program);
	uint16_t port;

	if (ready_by_sign(program))
		return true;
	switch (said ? ready_kind(program) : READY_STARTED) {
	case READY_PORT:
		port = said->ready.port ? (uint16_t)said->ready.port
					: trial_port(trial->spec.scenario, program->host->id);
		return look_for_listener(trial, program->host->id, port);
	case READY_OUTPUT:
		return has_written(program, said->ready.output);
	case READY_COMMAND:
		return ready_has(program, READY_SIGN_RUNS) && has_answered(trial, &said->ready);
	default:
		return false;
	}
}

void start_look(struct trial *trial)
{
	if (is_ready(trial) && trial->phase == PHASE_START)
		go_on(trial);
}

static const char *output_tail(struct agent *agent)
{
	const char *output = agent ? utf8_tail(agent_output(agent), 200) : "";

	return *output ? output : "(none)";
}

/* The port of the connection that is waited for: the first that is not there. */
static unsigned int end_port(const struct trial *trial)
{
	for (enum end_id id = 0; id < trial->n_ends; id += 2)
		if (!follow_established(&trial->end[id]))
			return trial->end[id].view[WITNESS_DERIVED].port;
	return trial_port(trial->spec.scenario, NODE_CLIENT);
}

/* "nothing listens at port 5000 of the server", and what else is missing. */
static char *missing(const struct trial *trial, char *buffer, size_t size)
{
	const struct trial_program *program = trial->starting;
	const struct scenario_program *said = ready_said(program);
	const char *host = scenario_node_name(trial->spec.scenario, program->host->id);

	if (trial->phase == PHASE_CLIENT)
		snprintf(buffer, size,
			 "the %s has no connection to port %u, which is waited for (see 'port' and "
			 "'follow')",
			 host, end_port(trial));
	else if (!said && scenario_connects(trial->spec.scenario, program->host->id))
		snprintf(buffer, size, "the %s has no connection", host);
	else if (!said || ready_kind(program) == READY_PORT)
		snprintf(buffer, size, "nothing listens at port %u of the %s",
			 said && said->ready.port
				 ? (unsigned int)said->ready.port
				 : trial_port(trial->spec.scenario, program->host->id),
			 host);
	else if (ready_kind(program) == READY_OUTPUT)
		snprintf(buffer, size, "it has not written '%s'", said->ready.output);
	else if (ready_kind(program) == READY_COMMAND)
		snprintf(buffer, size, "'%s' does not succeed", said->ready.command[0]);
	else if (ready_kind(program) == READY_FINISHED)
		snprintf(buffer, size, "it still runs");
	else
		snprintf(buffer, size, "it does not run");
	return buffer;
}

/* If a built-in agent does not get ready, the machine is at fault. A command is at fault itself. */
void start_timed_out(struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	struct trial_program *program = trial->starting;
	const struct scenario_program *said = ready_said(program);
	struct error err = { 0 };
	char after[64], what[256], title[96];

	nsec_format(after, sizeof(after), ready_limit(trial) - trial->start_nsec);
	missing(trial, what, sizeof(what));
	if (trial->phase == PHASE_START && trial->listener_error.kind != ERROR_NONE)
		error_set(&err, ERROR_FAILED, -ETIMEDOUT,
			  "%s: after %s it is not known whether anything listens on the %s: %s",
			  s->name, after, scenario_node_name(s, program->host->id),
			  trial->listener_error.text);
	else if (said)
		error_set(&err, ERROR_INPUT, -ETIMEDOUT,
			  "%s:%d: %s: after %s (start_within) %s; its output ends: %s", s->file,
			  said->line, ready_title(program, title, sizeof(title)), after, what,
			  output_tail(program->agent));
	else
		error_set(&err, ERROR_FAILED, -ETIMEDOUT, "%s: after %s %s", s->name, after, what);
	trial_fail(trial, &err);
}

void start_deinit(struct trial *trial)
{
	trial->probe = agent_free(trial->probe);
}
