/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/trial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/tcp/state.h"
#include "src/trial/beginning.h"
#include "src/trial/close-look.h"
#include "src/trial/events.h"
#include "src/trial/fault.h"
#include "src/trial/follow.h"
#include "src/trial/look.h"
#include "src/trial/minisocket.h"
#include "src/trial/node.h"
#include "src/trial/output.h"
#include "src/trial/population.h"
#include "src/trial/ready.h"
#include "src/trial/record.h"
#include "src/trial/sample.h"
#include "src/trial/settle.h"
#include "src/trial/sightings.h"
#include "src/trial/start.h"
#include "src/trial/state.h"
#include "src/trial/step.h"
#include "src/trial/survival.h"

/* Whether the client's process is made with the testbed. To make a process takes some milliseconds
 * of virtual time, so it must not happen while events of another trial are due. */
static bool client_is_prepared(const struct trial *trial)
{
	return trial->spec.wait && !scenario_is_command(&trial->spec.scenario->agent[NODE_CLIENT]);
}

static int start_client(struct trial *trial)
{
	const struct scenario_agent *options = &trial->spec.scenario->agent[NODE_CLIENT];
	bool connects =
		scenario_is_command(options) || scenario_option(options, OPTION_AUTOCONNECT, 1);
	int rc = 0;

	trial->phase = PHASE_CLIENT;
	trial->starting = start_client_program(trial);
	trial->start_nsec = nsec_now();
	if (!client_is_prepared(trial))
		rc = node_start_program(trial->starting, NULL, &trial->failure);
	else if (connects)
		rc = agent_act(trial->starting->agent, ACTION_CONNECT,
			       (uint64_t)scenario_option(options, OPTION_LOCAL_PORT, 0),
			       &trial->failure);
	if (rc < 0)
		return rc;
	if (!connects)
		beginning_connected(trial);
	return 0;
}

void trial_go(struct trial *trial, unsigned int repeat, int64_t phase, uint64_t seed)
{
	trial->spec.repeat = repeat;
	trial->spec.phase = phase;
	trial->spec.seed = seed;
	beginning_go(trial);
	settle_trial(trial);
}

bool trial_ready(const struct trial *trial)
{
	return trial->phase >= PHASE_READY;
}

/* Hands out the result. The trial may be freed by whoever takes it. */
static void finish(struct trial *trial)
{
	struct error *err = &trial->failure;
	struct record *record = NULL;
	int rc = err->kind == ERROR_NONE ? output_finish(trial, err) : -ECANCELED;

	if (rc >= 0)
		rc = trial_make_record(trial, err);
	for (enum node_id id = 0; rc >= 0 && id < _NODE_MAX; id++)
		rc = node_unwatch(trial, id, err);
	if (rc >= 0)
		record = take_ptr(trial->record);
	trial->func(trial, record, err, trial->userdata);
}

/* Returns whether a minisocket was due to be looked at. */
static bool look_at_minisockets(struct trial *trial)
{
	bool looked = false;

	for (enum end_id id = 0; trial->phase != PHASE_OVER && id < trial->n_ends; id++)
		looked |= minisocket_look(&trial->end[id]);
	return looked;
}

/* Does what is due while the timeline runs, and ends the trial at its horizon. */
static void run(struct trial *trial, nsec_t now_nsec)
{
	if (trial_timeline_done(trial) || now_nsec >= trial->zero_nsec - sample_ahead(trial) +
							      timeline_next_nsec(&trial->timeline))
		events_decide(trial);
	if (!trial_timeline_done(trial) && now_nsec >= trial->zero_nsec - sample_ahead(trial) +
							       timeline_next_nsec(&trial->timeline))
		sample_first(trial);
	step_take_due(trial);
	sample_due(trial);
	for (enum end_id id = 0; id < trial->n_ends; id++)
		events_resolve_doubt(&trial->end[id]);
	close_look(trial, events_take);
	survival_check(trial);
	if (trial->phase == PHASE_RUNNING && now_nsec >= trial_horizon(trial) &&
	    !settle_concluded(trial)) {
		trial->full_term = true;
		trial_over(trial);
	}
}

/* Waits for a quiet moment, if the trial was given a way to know one, and hands out the result. */
static void wait_to_finish(struct trial *trial, nsec_t now_nsec)
{
	nsec_t quiet_nsec =
		trial->spec.quiet_at ? trial->spec.quiet_at(now_nsec, trial->userdata) : now_nsec;

	if (quiet_nsec > now_nsec)
		loop_timer_set(trial->timer, quiet_nsec);
	else
		finish(trial);
}

static bool any_established(const struct trial *trial)
{
	for (enum end_id id = 0; id < trial->n_ends; id += 2)
		if (follow_established(&trial->end[id]))
			return true;
	return false;
}

static void on_timer(void *userdata)
{
	struct trial *trial = userdata;
	nsec_t now_nsec = nsec_now();
	bool looked = look_at_minisockets(trial);

	switch (trial->phase) {
	case PHASE_START:
		start_look(trial);
		if (trial->phase == PHASE_START && now_nsec >= ready_limit(trial))
			start_timed_out(trial);
		break;
	case PHASE_READY:
		if (start_client(trial) < 0)
			trial_over(trial);
		break;
	case PHASE_CLIENT:
		if (now_nsec < ready_limit(trial))
			break;
		if (any_established(trial))
			beginning_incomplete(trial);
		else
			start_timed_out(trial);
		break;
	case PHASE_HELD:
		break;
	case PHASE_RUNNING:
		/* A look at a minisocket may have found the last thing that was waited for. */
		if (!looked || !settle_concluded(trial))
			run(trial, now_nsec);
		break;
	case PHASE_GRACE:
		if (now_nsec >= trial->grace_nsec)
			trial_over(trial);
		break;
	case PHASE_OVER:
		wait_to_finish(trial, now_nsec);
		return; /* the trial may be freed by now */
	}
	trial->changed = true;
	settle_trial(trial);
}

static int set_up(struct trial *trial, struct error *err)
{
	struct agent *standby[TESTBED_POOL_HOSTS] = { NULL };
	int rc = testbed_pool_take(trial->spec.pool, trial->spec.scenario, trial->spec.family,
				   &trial->testbed, standby, err);

	for (enum node_id id = 0; rc >= 0 && id < trial->spec.scenario->n_hosts; id++)
		trial->names[id] =
			(struct agent_host){ scenario_node_name(trial->spec.scenario, id),
					     trial->testbed->node[id].address };
	for (enum node_id id = 0; rc >= 0 && id < _NODE_MAX; id++)
		rc = node_watch(trial, id, err);
	for (enum end_id id = 0; rc >= 0 && id < trial->n_ends; id++)
		for (int w = 0; w < _WITNESS_MAX; w++)
			trial->end[id].view[w].server =
				trial->testbed
					->node[scenario_end_node(trial->spec.scenario, id | 1u)]
					.address;
	if (rc >= 0 && client_is_prepared(trial))
		rc = node_start_program(start_client_program(trial), take_ptr(standby[NODE_CLIENT]),
					err);
	if (rc >= 0)
		rc = start_first(trial, take_ptr(standby[NODE_SERVER]), err);
	for (enum node_id id = 0; id < TESTBED_POOL_HOSTS; id++)
		agent_free(standby[id]);
	if (rc < 0)
		return rc;
	trial->changed = true;
	settle_trial(trial);
	return 0;
}

int trial_start(struct loop *loop, struct observer *observer, const struct trial_spec *spec,
		trial_func func, void *userdata, struct trial **ret_trial, struct error *err)
{
	_cleanup_(trial_freep) struct trial *trial = calloc(1, sizeof(*trial));
	int rc;

	if (!trial)
		return error_errno(err, -ENOMEM, "trial");
	*trial = (struct trial){ .spec = *spec,
				 .loop = loop,
				 .observer = observer,
				 .func = func,
				 .userdata = userdata,
				 .origin_nsec = NSEC_NONE,
				 .fault_nsec = NSEC_NONE,
				 .last_heal_nsec = NSEC_NONE,
				 .client_nsec = NSEC_NEVER,
				 .clock_failures = nsec_clock_failures() };
	node_init(trial);
	follow_init(trial);
	trial->record = calloc(1, sizeof(*trial->record));
	trial->handles = calloc(spec->scenario->n_events + 1, sizeof(*trial->handles));
	if (!trial->record || !trial->handles || population_init(trial) < 0)
		return error_errno(err, -ENOMEM, "trial");
	rc = loop_timer_new(loop, on_timer, trial, &trial->timer, err);
	if (rc >= 0)
		rc = timeline_init(&trial->timeline, spec->scenario, err);
	if (rc >= 0 && spec->trace)
		rc = sightings_init(trial, err);
	if (rc >= 0)
		rc = set_up(trial, err);
	if (rc < 0)
		return rc == -EINVAL ? rc : error_prefix(err, rc, "%s", spec->scenario->name);
	*ret_trial = take_ptr(trial);
	return 0;
}

nsec_t trial_next_event(const struct trial *trial)
{
	if (trial->phase == PHASE_READY)
		return trial->client_nsec;
	if (trial->phase != PHASE_RUNNING || trial_timeline_done(trial))
		return NSEC_NEVER;
	return trial->zero_nsec + timeline_next_nsec(&trial->timeline);
}

void trial_retire(struct trial *trial)
{
	trial->phase = PHASE_OVER;
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		trial->host[id].watch = observer_watch_free(trial->host[id].watch);
		for (size_t i = 0; i < trial->host[id].n_programs; i++)
			if (trial->host[id].program[i].agent)
				agent_shoot(trial->host[id].program[i].agent);
	}
	start_deinit(trial);
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		for (int w = 0; w < _WITNESS_MAX; w++)
			endpoint_deinit(&trial->end[id].view[w]);
		free(trial->end[id].minisocket.steps);
		trial->end[id].minisocket.steps = NULL;
		free(trial->end[id].samples);
		trial->end[id].samples = NULL;
		follow_deinit(&trial->end[id]);
		free(trial->end[id].members);
		trial->end[id].members = NULL;
	}
	timeline_deinit(&trial->timeline);
	trial->timer = loop_timer_free(trial->timer);
	sightings_deinit(trial);
	trial->record = record_free(trial->record);
	free(trial->handles);
	trial->handles = NULL;
}

bool trial_retired(const struct trial *trial)
{
	return !trial->timer;
}

struct trial *trial_free(struct trial *trial)
{
	if (!trial)
		return NULL;
	trial_retire(trial);
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		for (size_t i = 0; i < trial->host[id].n_programs; i++) {
			agent_free(trial->host[id].program[i].agent);
			agent_free(trial->host[id].program[i].dying);
			output_deinit(&trial->host[id].program[i]);
		}
	}
	testbed_free(trial->testbed);
	free(trial);
	return NULL;
}

bool trial_finish(struct trial *trial)
{
	trial->hurried = true;
	if (!settle_concluded(trial))
		return trial->phase == PHASE_GRACE;
	trial->changed = true;
	settle_trial(trial);
	return true;
}

void trial_begin(struct trial *trial)
{
	trial->spec.hold = false;
	if (trial->phase != PHASE_HELD)
		return;
	trial->phase = PHASE_CLIENT;
	beginning_connected(trial);
	trial->zero_nsec = nsec_now();
	settle_trial(trial);
}

static const char *waiting_for(const struct trial *trial, char *buffer, size_t size)
{
	switch (trial->phase) {
	case PHASE_START:
		snprintf(buffer, size, "waiting for the %s to %s",
			 scenario_node_name(trial->spec.scenario, trial->starting->host->id),
			 trial->starting->host->id == NODE_SERVER ? "listen" : "be ready");
		return buffer;
	case PHASE_READY:
		return "waiting to start";
	case PHASE_CLIENT:
		return "waiting for the client to connect";
	case PHASE_HELD:
		return "connected";
	case PHASE_RUNNING:
		if (!trial_timeline_done(trial)) {
			const struct timeline_step *next =
				&trial->timeline.steps[trial->timeline.next];

			snprintf(buffer, size, "before %s", step_verb(next));
			return buffer;
		}
		if (survival_possible(trial))
			return "waiting for data to get through again";
		for (enum end_id id = 0; id < trial->n_ends; id++)
			if (!settle_end_concluded(&trial->end[id])) {
				snprintf(buffer, size, "waiting for the %s to notice",
					 scenario_node_name(trial->spec.scenario,
							    trial->end[id].host->id));
				return buffer;
			}
		break;
	case PHASE_GRACE:
	case PHASE_OVER:
		break;
	}
	return "closing";
}

void trial_status(const struct trial *trial, struct trial_status *ret_status)
{
	const struct scenario *s = trial->spec.scenario;
	nsec_t now_nsec = nsec_now(), at_nsec = trial_horizon(trial);
	char buffer[64];

	if (trial->phase < PHASE_HELD)
		at_nsec = ready_limit(trial);
	else if (at_nsec == NSEC_NEVER && trial->phase == PHASE_RUNNING && s->n_events)
		at_nsec = trial->zero_nsec + s->events[0].at_nsec + s->horizon_nsec;
	snprintf(ret_status->text, sizeof(ret_status->text), "%s%s%s: %s", s->name,
		 s->variant ? "/" : "", s->variant ? s->variant : "",
		 waiting_for(trial, buffer, sizeof(buffer)));
	ret_status->at_most_nsec = at_nsec == NSEC_NEVER ? NSEC_NEVER
				   : at_nsec > now_nsec	 ? at_nsec - now_nsec
							 : 0;
}

const struct testbed *trial_testbed(const struct trial *trial)
{
	return trial->testbed;
}
