/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "src/tcp/state.h"
#include "src/trial/beginning.h"
#include "src/trial/follow.h"
#include "src/trial/look.h"
#include "src/trial/minisocket.h"
#include "src/trial/population.h"
#include "src/trial/settle.h"
#include "src/trial/sightings.h"

#define DOUBT (100 * NSEC_PER_MSEC) /* before the kernel is asked which witness is right */

static const char *where(const struct trial *trial, enum node_id id, char *buffer, size_t size)
{
	const struct scenario *s = trial->spec.scenario;

	if (s->agent[id].program.run)
		snprintf(buffer, size, "%s:%d: node '%s': command '%s'", s->file,
			 s->agent[id].program.line, scenario_node_name(s, id),
			 s->agent[id].program.run[0]);
	else
		snprintf(buffer, size, "%s: node '%s'", s->name, scenario_node_name(s, id));
	return buffer;
}

/* Fails the trial because a call has failed without which there is none. */
static void agent_failed(struct trial *trial, enum node_id id, const struct agent_report *r)
{
	const char *call = r->detail[0] ? r->detail : call_name(r->call);
	struct error err = { 0 };
	char place[512];

	error_set(&err, r->call == AGENT_CALL_EXEC ? ERROR_INPUT : ERROR_FAILED, -r->error,
		  "%s: %s: %s", where(trial, id, place, sizeof(place)), call, strerror(r->error));
	trial_fail(trial, &err);
}

static void agent_exited(struct trial *trial, enum node_id id, const struct agent_report *r)
{
	bool command = trial->spec.scenario->agent[id].program.run;
	int status = (int)r->result;
	struct error err = { 0 };
	char place[512];

	/* Later, what a command does is a result. A built-in agent ends by itself only where the
	 * kernel denied it something, or something killed it. */
	if (trial->phase >= PHASE_RUNNING && (command || !status))
		return;
	if (trial->phase >= PHASE_RUNNING) {
		error_set(&err, ERROR_FAILED, -ECHILD, "%s: the built-in program ended: %s %d",
			  where(trial, id, place, sizeof(place)),
			  WIFSIGNALED(status) ? "signal" : "exit status",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		trial_fail(trial, &err);
		return;
	}
	error_set(&err, command ? ERROR_INPUT : ERROR_FAILED, -ECHILD,
		  "%s: ended before there was a connection, %s %d; its output ends: %s",
		  where(trial, id, place, sizeof(place)),
		  WIFSIGNALED(status) ? "by signal" : "exit status",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		  *agent_output(trial->host[id].agent) ? agent_output(trial->host[id].agent)
						       : "(none)");
	trial_fail(trial, &err);
}

static void take_report(struct trial_end *end, const struct agent_report *r, bool original)
{
	for (int w = 0; w < _WITNESS_MAX; w++) {
		struct endpoint *view = &end->view[w];
		int rc = original ? endpoint_report(view, r)
				  : endpoint_note_call(view, r, end->host->processes - 1);

		end->trial->lost += rc < 0;
	}
}

static void note_report(struct trial_end *end, const struct agent_report *r, bool original)
{
	if (follow_waits(end))
		end->trial->lost +=
			follow_keep(end, &(struct follow_kept){ .is_report = true,
								.report = *r,
								.original = original }) < 0;
	else
		take_report(end, r, original);
}

void events_report(struct agent *agent, const struct agent_report *r, void *userdata)
{
	struct trial_host *host = userdata;
	struct trial *trial = host->trial;
	bool original = agent == host->original;

	if (trial->phase == PHASE_OVER || trial_past_horizon(trial, r->time_nsec))
		return;
	for (enum end_id id = 0; id < _END_MAX; id++) {
		if (trial->end[id].host != host)
			continue;
		note_report(&trial->end[id], r, original);
		if (original)
			population_report(&trial->end[id], r);
	}
	switch (r->call) {
	case AGENT_CALL_SOCKET:
	case AGENT_CALL_EXEC:
		if (r->error)
			agent_failed(trial, host->id, r);
		break;
	case AGENT_CALL_BIND:
	case AGENT_CALL_LISTEN:
		if (!r->error)
			beginning_listening(trial);
		else if (trial->phase < PHASE_RUNNING) /* later, a taken port is a result */
			agent_failed(trial, host->id, r);
		break;
	case AGENT_CALL_CONNECT:
		if (r->error && trial->phase == PHASE_CLIENT && trial->spec.scenario->n_events)
			agent_failed(trial, host->id, r);
		else
			beginning_connected(trial);
		break;
	case AGENT_CALL_EXIT:
		if (original)
			agent_exited(trial, host->id, r);
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

/* Gives an observation to its witness. Packets, and the tcp_info of a freed socket, go to both. */
static int observe(struct trial_end *end, const struct observation *o)
{
	bool common = o->kind == OBSERVATION_PACKET || o->kind == OBSERVATION_DESTROY;
	int rc = 0;

	if (common || !o->derived)
		rc = endpoint_observe(&end->view[WITNESS_TRACEPOINT], o);
	if (rc >= 0 && (common || (o->derived && !minisocket_contradicts(end, o))))
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

static void take_observation(struct trial_end *end, const struct observation *o)
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
			take_report(end, &kept->report, kept->original);
		else
			take_observation(end, &kept->observation);
}

static void take_all_kept(struct trial *trial)
{
	for (enum end_id id = 0; id < _END_MAX; id++)
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
	for (enum end_id id = 0; id < _END_MAX; id++)
		take_kept(&trial->end[id]);
}

/* A command whose followed connection fails before the timeline begins may try another one. */
static void look_for_next(struct trial *trial)
{
	struct trial_end *client = &trial->end[END_CLIENT];
	const struct endpoint *endpoint = trial_endpoint(client);

	if (trial->phase != PHASE_CLIENT || follow_waits(client) ||
	    endpoint_established(endpoint) || endpoint->state != TCP_STATE_CLOSE ||
	    !trial->spec.scenario->agent[NODE_CLIENT].program.run)
		return;
	follow_next(trial);
	take_all_kept(trial);
}

static void tell_end(struct trial_end *end, const struct observation *o)
{
	struct trial *trial = end->trial;

	follow_observe(end, o);
	if (follow_waits(end))
		trial->lost += follow_keep(end, &(struct follow_kept){ .observation = *o }) < 0;
	else
		take_observation(end, o);
	take_all_kept(trial);
	if (end_connects(end->id) && o->kind == OBSERVATION_STATE) {
		look_for_next(trial);
		if (follow_established(trial))
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
	for (enum end_id id = 0; id < _END_MAX; id++)
		if (trial->end[id].host == host)
			tell_end(&trial->end[id], o);
	settle_trial(trial);
}
