/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "src/agent/confinement.h"
#include "src/tcp/state.h"
#include "src/trial/beginning.h"
#include "src/trial/follow.h"
#include "src/trial/look.h"
#include "src/trial/minisocket.h"
#include "src/trial/population.h"
#include "src/trial/ready.h"
#include "src/trial/settle.h"
#include "src/trial/sightings.h"

#define DOUBT (100 * NSEC_PER_MSEC) /* before the kernel is asked which witness is right */

static const char *where(const struct trial_program *program, char *buffer, size_t size)
{
	const struct scenario *s = program->host->trial->spec.scenario;
	const struct scenario_program *said = ready_said(program);
	const char *host = scenario_node_name(s, program->host->id);
	char title[512];

	if (said)
		snprintf(buffer, size, "%s:%d: node '%s': %s", s->file, said->line, host,
			 ready_title(program, title, sizeof(title)));
	else
		snprintf(buffer, size, "%s: node '%s'", s->name, host);
	return buffer;
}

/* Fails the trial because a call has failed without which there is none. */
static void agent_failed(const struct trial_program *program, const struct agent_report *r)
{
	const char *call = r->detail[0] ? r->detail : call_name(r->call);
	struct error err = { 0 };
	char place[512], remedy[128] = "";

	if (r->call == AGENT_CALL_EXEC && r->error == EACCES)
		snprintf(remedy, sizeof(remedy),
			 "; it is run as user %u, who may not: see 'user', 'files' and 'take'",
			 confinement_user(ready_said(program)));
	else if (r->call == AGENT_CALL_EXEC && r->error == ENOENT && !r->detail[0])
		snprintf(remedy, sizeof(remedy),
			 "; is it installed, and where this says? (what is in /tmp: see 'take')");
	error_set(&err, r->call == AGENT_CALL_EXEC ? ERROR_INPUT : ERROR_FAILED, -r->error,
		  "%s: %s: %s%s", where(program, place, sizeof(place)), call, strerror(r->error),
		  remedy);
	trial_fail(program->host->trial, &err);
}

/* Whether a program may have ended by now, since it was there to end. */
static bool may_end(const struct trial_program *program, int status)
{
	const struct scenario_program *said = ready_said(program);

	return !status && said && said->ready.kind == READY_FINISHED;
}

/* Whether a program of whose connection no end is followed has failed before anything was done to
 * it. That of a followed connection tells by the connection. */
static bool ends_early(const struct trial_program *program)
{
	const struct trial *trial = program->host->trial;

	for (enum end_id id = 0; id < trial->n_ends; id++)
		if (trial->end[id].host == program->host && program->host->n_programs == 1)
			return false;
	return trial->origin_nsec == NSEC_NONE && program->host->id != NODE_CLIENT;
}

/* What has the connection now tells of nothing that it does. */
static void tell_background(const struct trial_program *program)
{
	struct trial *trial = program->host->trial;
	char place[512];

	trial->lost += record_doubt(trial->record,
				    "%s: has left others in the background, where nothing tells of "
				    "what they do",
				    where(program, place, sizeof(place))) < 0;
}

static void agent_exited(struct trial_program *program, const struct agent_report *r)
{
	struct trial *trial = program->host->trial;
	bool command = ready_said(program);
	int status = (int)r->result;
	struct error err = { 0 };
	char place[512];

	if (may_end(program, status)) {
		ready_note(program, READY_SIGN_FINISHED);
		return;
	}
	/* Later, what a command does is a result. A built-in agent ends by itself only where the
	 * kernel denied it something, or something killed it. */
	if (trial->phase >= PHASE_RUNNING && !status && command && r->left_others)
		tell_background(program);
	if (trial->phase >= PHASE_RUNNING && (!status || (command && !ends_early(program))))
		return;
	where(program, place, sizeof(place));
	if (trial->phase >= PHASE_RUNNING && !command)
		error_set(&err, ERROR_FAILED, -ECHILD, "%s: the built-in program ended: %s %d",
			  place, WIFSIGNALED(status) ? "signal" : "exit status",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	else if (command && !status && r->left_others)
		error_set(&err, ERROR_INPUT, -ECHILD,
			  "%s: has put itself into the background, where nothing tells of its end; "
			  "tell it to stay in the foreground",
			  place);
	else
		error_set(&err, command ? ERROR_INPUT : ERROR_FAILED, -ECHILD,
			  "%s: ended before %s, %s %d; its output ends: %s", place,
			  trial->phase >= PHASE_RUNNING ? "the first event"
							: "there was a connection",
			  WIFSIGNALED(status) ? "by signal" : "exit status",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			  *agent_output(program->agent) ? agent_output(program->agent) : "(none)");
	trial_fail(trial, &err);
}

static void take_report(struct trial_end *end, const struct agent_report *r, bool original,
			unsigned int process)
{
	for (int w = 0; w < _WITNESS_MAX; w++) {
		struct endpoint *view = &end->view[w];
		int rc = original ? endpoint_report(view, r) : endpoint_note_call(view, r, process);

		end->trial->lost += rc < 0;
	}
}

static void note_report(struct trial_end *end, const struct agent_report *r, bool original,
			unsigned int process)
{
	if (follow_waits(end))
		end->trial->lost +=
			follow_keep(end, &(struct follow_kept){ .is_report = true,
								.report = *r,
								.original = original,
								.process = process }) < 0;
	else
		take_report(end, r, original, process);
}

/* The number of a process among all that were started on a host. */
static unsigned int number_of(const struct trial_program *program)
{
	unsigned int number = program->processes - 1;

	for (size_t i = 0; i < program->index; i++)
		number += program->host->program[i].processes;
	return number;
}

/* Of several programs on a host it is not known which of them has the connection: what one of them
 * tells is noted, and decides nothing. */
static void note_reports(struct trial_program *program, const struct agent_report *r, bool original)
{
	struct trial *trial = program->host->trial;
	bool alone = program->host->n_programs == 1;

	for (enum end_id id = 0; id < trial->n_ends; id++) {
		if (trial->end[id].host != program->host)
			continue;
		note_report(&trial->end[id], r, original && alone, number_of(program));
		if (original)
			population_report(&trial->end[id], r);
	}
}

void events_report(struct agent *agent, const struct agent_report *r, void *userdata)
{
	struct trial_program *program = userdata;
	struct trial *trial = program->host->trial;
	bool original = agent == program->original;
	bool client = program->host->id == NODE_CLIENT;

	if (trial->phase == PHASE_OVER || trial_past_horizon(trial, r->time_nsec))
		return;
	note_reports(program, r, original);
	switch (r->call) {
	case AGENT_CALL_SOCKET:
	case AGENT_CALL_EXEC:
		if (r->error)
			agent_failed(program, r);
		else if (r->call == AGENT_CALL_EXEC)
			ready_note(program, READY_SIGN_RUNS);
		break;
	case AGENT_CALL_BIND:
	case AGENT_CALL_LISTEN:
		if (!r->error)
			ready_note(program, READY_SIGN_LISTENS);
		else if (trial->phase < PHASE_RUNNING) /* later, a taken port is a result */
			agent_failed(program, r);
		break;
	case AGENT_CALL_CONNECT:
		if (r->error && !client && trial->phase == PHASE_START)
			agent_failed(program, r);
		else if (!client)
			ready_note(program, READY_SIGN_CONNECTED);
		else if (r->error && trial->phase == PHASE_CLIENT && trial->spec.scenario->n_events)
			agent_failed(program, r);
		else
			beginning_connected(trial);
		break;
	case AGENT_CALL_EXIT:
		if (original)
			agent_exited(program, r);
		break;
	default:
		break;
	}
	trial->changed = true;
	settle_trial(trial);
}

/* If the witnesses do not agree on the state, the kernel is asked which of them is right. That is
 * done after a moment, in which the slower one may catch up. */
static void compare_witnesses(struct trial_end *end)
{
	const struct endpoint *tracepoint = &end->view[WITNESS_TRACEPOINT];
	const struct endpoint *derived = &end->view[WITNESS_DERIVED];

	if (end->believed == WITNESS_DERIVED || tracepoint->state == derived->state)
		end->doubt_nsec = NSEC_NEVER;
	else if (end->doubt_nsec == NSEC_NEVER)
		end->doubt_nsec = nsec_now() + DOUBT;
}

void events_resolve_doubt(struct trial_end *end)
{
	const struct endpoint *derived = &end->view[WITNESS_DERIVED];
	struct sockdiag_socket s;
	int rc, state = TCP_STATE_CLOSE;

	if (nsec_now() < end->doubt_nsec)
		return;
	rc = look_up(end, &s);
	end->doubt_nsec = rc < 0 ? nsec_now() + DOUBT : NSEC_NEVER;
	if (rc < 0)
		return;
	/* Both witnesses tell of the full socket, which is closed when TIME_WAIT begins. */
	if (rc > 0 && s.state != TCP_STATE_TIME_WAIT)
		state = s.state;
	if (rc >= 0 && end->host->powered && state != end->view[WITNESS_TRACEPOINT].state &&
	    state == derived->state)
		end->believed = WITNESS_DERIVED;
}

/* A look at the socket was there before the packet (close-look.h). */
static bool is_known(const struct endpoint *view, const struct observation *o)
{
	return o->kind == OBSERVATION_STATE && view->state == o->state.to &&
	       view->state != o->state.from;
}

/* Gives an observation to its witness. Packets, and the tcp_info of a freed socket, go to both. */
static int observe(struct trial_end *end, const struct observation *o)
{
	bool common = o->kind == OBSERVATION_PACKET || o->kind == OBSERVATION_DESTROY;
	int rc = 0;

	if (common || !o->derived)
		rc = endpoint_observe(&end->view[WITNESS_TRACEPOINT], o);
	if (rc >= 0 && (common || (o->derived && !minisocket_contradicts(end, o) &&
				   !is_known(&end->view[WITNESS_DERIVED], o))))
		rc = endpoint_observe(&end->view[WITNESS_DERIVED], o);
	if (end->view[WITNESS_TRACEPOINT].gap)
		end->believed = WITNESS_DERIVED;
	return rc;
}

static void note_state(struct trial_end *end, const struct observation *o)
{
	minisocket_state(end, o);
	compare_witnesses(end);
	end->trial->changed = true;
}

void events_take(struct trial_end *end, const struct observation *o)
{
	if (o->kind == OBSERVATION_PACKET && !follow_fits_packet(end, o))
		return;
	end->trial->lost += observe(end, o) < 0;
	if (o->kind == OBSERVATION_PACKET)
		minisocket_packet(end, o);
	if (o->kind == OBSERVATION_STATE)
		note_state(end, o);
}

/* Takes in what an end told before it was known which connection is followed. */
static void take_kept(struct trial_end *end)
{
	const struct follow_kept *kept;

	while ((kept = follow_next_kept(end)))
		if (kept->is_report)
			take_report(end, &kept->report, kept->original, kept->process);
		else
			events_take(end, &kept->observation);
}

static void take_all_kept(struct trial *trial)
{
	for (enum end_id id = 0; id < trial->n_ends; id++)
		if (!follow_waits(&trial->end[id]))
			take_kept(&trial->end[id]);
}

void events_decide(struct trial *trial)
{
	if (follow_decide(trial))
		take_all_kept(trial);
}

void events_conclude(struct trial *trial)
{
	for (enum end_id id = 0; id < trial->n_ends; id++)
		take_kept(&trial->end[id]);
}

/* A command whose followed connection fails before the timeline begins may try another one. */
static void look_for_next(struct trial_end *client)
{
	struct trial *trial = client->trial;
	const struct endpoint *endpoint = trial_endpoint(client);

	if (trial->phase != PHASE_CLIENT || follow_waits(client) ||
	    endpoint_established(endpoint) || endpoint->state != TCP_STATE_CLOSE ||
	    !scenario_is_command(&trial->spec.scenario->agent[client->host->id]))
		return;
	follow_next(client);
	take_all_kept(trial);
}

static void tell_end(struct trial_end *end, const struct observation *o)
{
	struct trial *trial = end->trial;

	follow_observe(end, o);
	if (follow_waits(end))
		trial->lost += follow_keep(end, &(struct follow_kept){ .observation = *o }) < 0;
	else
		events_take(end, o);
	take_all_kept(trial);
	if (end_connects(end->id) && o->kind == OBSERVATION_STATE) {
		look_for_next(end);
		if (follow_established(end))
			beginning_connected(trial);
	}
}

void events_observation(const struct observation *o, void *userdata)
{
	struct trial_host *host = userdata;
	struct trial *trial = host->trial;

	if (trial->phase == PHASE_OVER)
		return;
	if (o->kind == OBSERVATION_LOST)
		trial->lost += o->lost;
	sightings_observe(host, o);
	if (!host->powered || trial_past_horizon(trial, o->time_nsec))
		return;
	for (enum end_id id = 0; id < trial->n_ends; id++)
		if (trial->end[id].host == host)
			tell_end(&trial->end[id], o);
	settle_trial(trial);
}
