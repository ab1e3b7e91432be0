/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/step.h"

#include <errno.h>
#include <stdio.h>

#include "src/trial/fault.h"
#include "src/trial/look.h"
#include "src/trial/node.h"
#include "src/trial/population.h"
#include "src/trial/sample.h"
#include "src/trial/sightings.h"
#include "src/util/array.h"

const char *step_verb(const struct timeline_step *step)
{
	switch (step->kind) {
	case STEP_FAULT:
		return fault_name(step->event->fault);
	case STEP_HEAL:
		return "heal";
	case STEP_POWER_ON:
		return "power-on";
	case STEP_ACTION:
		return action_name(step->event->action);
	}
	return "?";
}

/* "server", "both", "client-to-server", "proxy-and-server", "proxy-to-server" */
static const char *name_place(const struct trial *trial, const struct event *e, char *buffer,
			      size_t size)
{
	const struct scenario *s = trial->spec.scenario;
	bool back = e->direction == DIRECTION_BACKWARD;

	if (e->has_node)
		return scenario_node_name(s, e->node);
	if (!e->has_pair)
		return direction_name(e->direction);
	snprintf(buffer, size, "%s-%s-%s", scenario_node_name(s, e->pair[back]),
		 e->direction == DIRECTION_BOTH ? "and" : "to",
		 scenario_node_name(s, e->pair[!back]));
	return buffer;
}

static int note_step(struct trial *trial, const struct timeline_step *step, nsec_t at_nsec)
{
	struct record_fault *f =
		array_append(&trial->record->faults, &trial->record->n_faults, sizeof(*f));
	const struct event *e = step->event;
	char place[64];
	int n;

	if (!f)
		return -ENOMEM;
	f->time_nsec = at_nsec - trial->origin_nsec;
	f->took_nsec = nsec_now() - at_nsec;
	if (step->kind == STEP_HEAL)
		n = asprintf(&f->what, "heal %s %s", fault_name(e->fault),
			     name_place(trial, e, place, sizeof(place)));
	else
		n = asprintf(&f->what, "%s %s", step_verb(step),
			     name_place(trial, e, place, sizeof(place)));
	if (n < 0)
		f->what = NULL;
	return n < 0 ? -ENOMEM : 0;
}

static void note_progress(struct trial *trial)
{
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		look_progress(&trial->end[id], &trial->end[id].progress);
		population_look(&trial->end[id], true);
	}
}

static void mark_crashed(struct trial *trial, enum node_id node)
{
	for (enum end_id id = 0; id < trial->n_ends; id++)
		for (int w = 0; trial->end[id].host->id == node && w < _WITNESS_MAX; w++)
			trial->end[id].view[w].crashed = true;
}

static void mark_killed(struct trial *trial, enum node_id node)
{
	mark_crashed(trial, node);
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		for (int w = 0; trial->end[id].host->id == node && w < _WITNESS_MAX; w++) {
			struct endpoint *view = &trial->end[id].view[w];

			if (view->killed_nsec == NSEC_NONE)
				view->killed_nsec = nsec_now();
		}
	}
}

static bool ends_connection(enum action action)
{
	return action == ACTION_SHUTDOWN || action == ACTION_CLOSE || action == ACTION_EXIT;
}

static bool is_about(const struct event *e, size_t program)
{
	return e->program_index == SCENARIO_PROGRAMS_MAX || e->program_index == program;
}

/* Of several programs those are started that have ended. */
static int start_again(struct trial_host *host, const struct event *e, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < host->n_programs; i++) {
		struct trial_program *program = &host->program[i];
		bool named = e->program_index == i || host->n_programs == 1;

		if (is_about(e, i) && (named || !program->agent || !agent_running(program->agent)))
			rc = node_restart_program(program, err);
	}
	return rc;
}

/* A program that is told to exit does not notice what its kernel then does with its connections. */
static int act(struct trial *trial, const struct event *e, struct error *err)
{
	int64_t port = scenario_option(&trial->spec.scenario->agent[e->node], OPTION_LOCAL_PORT, 0);
	struct trial_host *host = &trial->host[e->node];
	uint64_t value = e->size;
	int rc = 0;

	if (e->action == ACTION_START)
		return start_again(host, e, err);
	if (e->action == ACTION_EXIT)
		mark_crashed(trial, e->node);
	if (ends_connection(e->action) && trial->host[e->node].told_nsec == NSEC_NONE)
		trial->host[e->node].told_nsec = nsec_now();
	if (e->action == ACTION_CONNECT)
		value = e->has_local_port ? e->local_port : (uint64_t)port;
	for (size_t i = 0; rc >= 0 && i < host->n_programs; i++)
		if (is_about(e, i) && host->program[i].agent)
			rc = agent_act(host->program[i].agent, e->action, value, err);
	return rc;
}

static int apply(struct trial *trial, const struct timeline_step *step, struct error *err)
{
	const struct event *e = step->event;
	struct fault_handle *handle = &trial->handles[step->fault];

	switch (step->kind) {
	case STEP_FAULT:
		trial->active += scenario_fault_lasts(e);
		if (trial->fault_nsec == NSEC_NONE)
			trial->fault_nsec = nsec_now();
		if (e->fault == FAULT_CONNTRACK_FLUSH) {
			note_progress(trial);
			trial->forgotten = true;
		}
		if (e->fault == FAULT_CRASH)
			mark_killed(trial, e->node);
		return fault_apply(trial, e, handle, err);
	case STEP_HEAL:
		trial->active -= scenario_fault_lasts(e);
		note_progress(trial);
		trial->last_heal_nsec = nsec_now();
		return fault_heal(trial, e, handle, err);
	case STEP_POWER_ON:
		return fault_power_on(trial, e, err);
	case STEP_ACTION:
		return act(trial, e, err);
	}
	return -EINVAL;
}

/* After an event that came late the next one still waits for half the time that the timeline has
 * between them, because that is for something: for an agent to do what it was told, or for a packet
 * to arrive. In virtual time nothing is late, and events have their ticks. */
static void keep_distance(struct trial *trial, const struct timeline_step *step)
{
	nsec_t next_nsec = timeline_next_nsec(&trial->timeline);

	if (next_nsec != NSEC_NEVER && trial->spec.phase < 0)
		trial->spaced_nsec = nsec_now() + (next_nsec - step->at_nsec) / 2;
}

static void take_step(struct trial *trial, const struct timeline_step *step)
{
	struct error err = { 0 };
	nsec_t at_nsec;
	int rc;

	sample_first(trial);
	at_nsec = nsec_now();
	/* Times count from the first event, so this one is late only where its phase is pinned. */
	if (trial->origin_nsec != NSEC_NONE || trial->spec.phase >= 0)
		trial->lateness_nsec =
			nsec_max(trial->lateness_nsec, at_nsec - trial->zero_nsec - step->at_nsec);
	/* If the first event comes late, the later ones keep their distance from it. */
	if (trial->origin_nsec == NSEC_NONE) {
		trial->origin_nsec = at_nsec;
		trial->zero_nsec = at_nsec - step->at_nsec;
	}
	rc = apply(trial, step, &err);
	if (rc >= 0)
		rc = note_step(trial, step, at_nsec);
	sightings_look(trial);
	keep_distance(trial, step);
	if (rc >= 0)
		return;
	if (err.kind == ERROR_NONE)
		error_errno(&err, rc, "timeline");
	error_prefix(&err, rc, "%s:%d", trial->spec.scenario->file, step->event->line);
	trial_fail(trial, &err);
}

void step_take_due(struct trial *trial)
{
	const struct timeline_step *step;

	while (trial->phase == PHASE_RUNNING && nsec_now() >= trial->spaced_nsec &&
	       (step = timeline_take(&trial->timeline, nsec_now() - trial->zero_nsec)))
		take_step(trial, step);
}
