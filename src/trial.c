/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netns/sockdiag.h"
#include "netns/tcp-state.h"
#include "src/model.h"
#include "src/testbed.h"
#include "src/trial-internal.h"

#define START_LIMIT   (10 * NSEC_PER_SEC)  /* for a server to listen and a client to connect */
#define START_POLL    (10 * NSEC_PER_MSEC) /* looking for a command's listening socket */
#define SURVIVAL_POLL (20 * NSEC_PER_MSEC)
#define SAMPLE_AHEAD  (20 * NSEC_PER_MSEC)
#define PROBE_AFTER   (200 * NSEC_PER_MSEC) /* quiet since the heal: send a byte to prove it */
#define GRACE	      (50 * NSEC_PER_MSEC) /* for what trails the end: the other side's last states */

static void schedule(struct trial *trial);

/* Ends the trial from any depth: the loop comes back to it with everything unwound. */
void trial_over(struct trial *trial)
{
	if (trial->phase == PHASE_OVER)
		return;
	trial->phase = PHASE_OVER;
	loop_timer_set(trial->timer, 0);
}

void trial_fail(struct trial *trial, const struct error *err)
{
	if (trial->phase == PHASE_OVER)
		return;
	trial->failure = *err;
	trial_over(trial);
}

void trial_connected(struct trial *trial)
{
	if (trial->phase != PHASE_CLIENT)
		return;
	trial->phase = trial->spec.hold ? PHASE_HELD : PHASE_RUNNING;
	trial->zero_nsec = nsec_now();
	for (int w = _WITNESS_MAX - 1; w >= 0; w--) /* the tracepoints', if both have seen it */
		if (endpoint_established(&trial->node[NODE_CLIENT].view[w]))
			trial->zero_nsec = trial->node[NODE_CLIENT].view[w].established_nsec;
	if (!trial->spec.scenario->n_events && trial->phase == PHASE_RUNNING)
		trial->origin_nsec = trial->zero_nsec;
	schedule(trial);
	if (trial->spec.hooks && trial->spec.hooks->connected)
		trial->spec.hooks->connected(trial->spec.hooks->userdata);
}

static int start_client(struct trial *trial)
{
	const struct scenario_agent *options = &trial->spec.scenario->agent[NODE_CLIENT];
	int r;

	trial->phase = PHASE_CLIENT;
	trial->start_nsec = nsec_now();
	r = trial_node_start_agent(trial, NODE_CLIENT, &trial->failure);
	if (r < 0)
		return r;
	trial->node[NODE_CLIENT].original = trial->stage.agent[NODE_CLIENT];
	if (!options->command && !scenario_option(options, OPTION_AUTOCONNECT, 1))
		trial_connected(trial);
	schedule(trial);
	return 0;
}

/* The next point at which a client that connects then will see its first event strike at the
 * wanted phase. Ticks are counted from the start of CLOCK_MONOTONIC, which the kernel's jiffies
 * keep a constant distance from. */
static nsec_t next_phase(const struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	nsec_t tick = NSEC_PER_SEC / model_hz(), first = s->n_events ? s->events[0].at_nsec : 0;
	nsec_t struck = (nsec_now() + first) / tick + 1;
	nsec_t ahead = (trial->spec.phase - struck % TRIAL_PHASES + TRIAL_PHASES) % TRIAL_PHASES;

	return (struck + ahead) * tick - first;
}

void trial_go(struct trial *trial)
{
	if (trial->phase != PHASE_READY)
		return;
	trial->client_nsec = trial->spec.phase < 0 ? nsec_now() : next_phase(trial);
	schedule(trial);
}

bool trial_ready(const struct trial *trial)
{
	return trial->phase >= PHASE_READY;
}

void trial_listening(struct trial *trial)
{
	if (trial->phase != PHASE_SERVER)
		return;
	trial->phase = PHASE_READY;
	trial->client_nsec = NSEC_NEVER;
	schedule(trial);
	if (!trial->spec.wait)
		trial_go(trial);
}

static bool timeline_done(const struct trial *trial)
{
	return timeline_next_nsec(&trial->timeline) == NSEC_NEVER;
}

static nsec_t horizon_at(const struct trial *trial)
{
	if (trial->origin_nsec == NSEC_NONE)
		return NSEC_NEVER;
	return trial->origin_nsec + trial->spec.scenario->horizon_nsec;
}

bool trial_past_horizon(struct trial *trial, nsec_t at)
{
	if (trial->phase != PHASE_RUNNING || horizon_at(trial) == NSEC_NEVER ||
	    at <= horizon_at(trial))
		return false;
	trial->full_term = true;
	trial_over(trial);
	return true;
}

static bool peer_lost(const struct trial *trial)
{
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		if (trial->node[id].view[0].gone || trial->node[id].view[0].crashed)
			return true;
	return false;
}

/* Everything is as before the faults: an endpoint may prove that its connection still works. */
static bool may_survive(const struct trial *trial)
{
	return timeline_done(trial) && !trial->active && !peer_lost(trial) &&
	       trial->last_heal_nsec != NSEC_NONE;
}

static bool concluded(const struct trial_node *node)
{
	return !node->watched || endpoint_ended(&node->view[node->believed]) || node->usable;
}

void trial_check_end(struct trial *trial)
{
	if (trial->phase != PHASE_RUNNING || !timeline_done(trial) ||
	    trial->origin_nsec == NSEC_NONE)
		return;
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		if (!concluded(&trial->node[id])) {
			schedule(trial);
			return;
		}
	trial->phase = PHASE_GRACE;
	trial->grace_nsec = nsec_now() + GRACE;
	schedule(trial);
}

static bool is_open(const struct endpoint *ep)
{
	return ep->state == TCP_STATE_ESTABLISHED && !endpoint_ended(ep);
}

/* An idle connection is given one byte to carry, from the client if it can. */
static void probe(struct trial *trial)
{
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++) {
		if (trial->spec.scenario->agent[id].command || !trial->stage.agent[id] ||
		    !is_open(trial_node_endpoint(&trial->node[id])))
			continue;
		agent_act(trial->stage.agent[id], ACTION_SEND, 1, NULL);
		break;
	}
	trial->probed = true;
}

static void check_survival(struct trial *trial)
{
	if (!may_survive(trial))
		return;
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++) {
		struct trial_node *node = &trial->node[id];

		if (!node->usable && is_open(trial_node_endpoint(node)))
			node->usable = trial_node_progress(node) > node->progress;
	}
	if (!trial->probed && nsec_now() >= trial->last_heal_nsec + PROBE_AFTER)
		probe(trial);
	trial_check_end(trial);
}

static int close_captures(struct trial *trial, struct error *err)
{
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		int r = trial_node_unwatch(trial, id, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Hands out the result. The trial may be freed by whoever takes it. */
static void finish(struct trial *trial)
{
	struct record *record = NULL;

	if (trial->failure.kind == ERROR_NONE && trial_make_record(trial, &trial->failure) >= 0 &&
	    close_captures(trial, &trial->failure) >= 0)
		record = take_ptr(trial->record);
	trial->func(trial, record, &trial->failure, trial->userdata);
}

static const char *output_tail(const struct agent *agent)
{
	const char *output = agent ? agent_output(agent) : "";
	size_t n = strlen(output);

	return *output ? output + (n > 200 ? n - 200 : 0) : "(none)";
}

/* A built-in agent that does not come up is the machine's doing, a command that does not its own.
 */
static void start_timed_out(struct trial *trial)
{
	enum node_id id = trial->phase == PHASE_SERVER ? NODE_SERVER : NODE_CLIENT;
	const char *what = id == NODE_SERVER ? "nothing listens on the server"
					     : "the client has no connection";
	const struct scenario *s = trial->spec.scenario;
	struct error err = { 0 };

	if (s->agent[id].command)
		error_set(&err, ERROR_INPUT, -ETIMEDOUT,
			  "%s:%d: command '%s': after 10 s %s; its output ends: %.200s", s->file,
			  s->agent[id].command_line, s->agent[id].command[0], what,
			  output_tail(trial->stage.agent[id]));
	else
		error_set(&err, ERROR_FAILED, -ETIMEDOUT, "%s: after 10 s %s", s->name, what);
	trial_fail(trial, &err);
}

static nsec_t min_nsec(nsec_t a, nsec_t b)
{
	return a < b ? a : b;
}

/* While the timeline runs: the next event, a look at who has survived or at who is right, the end.
 */
static nsec_t next_while_running(const struct trial *trial)
{
	nsec_t step = timeline_next_nsec(&trial->timeline), at = horizon_at(trial);

	if (step != NSEC_NEVER)
		at = min_nsec(at, trial->zero_nsec + step - (trial->sampled ? 0 : SAMPLE_AHEAD));
	else if (may_survive(trial))
		at = min_nsec(at, nsec_now() + SURVIVAL_POLL);
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		at = min_nsec(at, trial->node[id].doubt_nsec);
	return at;
}

/* When the one timer is next needed. */
static nsec_t next_wake(const struct trial *trial)
{
	nsec_t limit = trial->start_nsec + START_LIMIT;

	switch (trial->phase) {
	case PHASE_SERVER:
		if (trial->spec.scenario->agent[NODE_SERVER].command)
			return min_nsec(nsec_now() + START_POLL, limit);
		return limit;
	case PHASE_READY:
		return trial->client_nsec;
	case PHASE_CLIENT:
		return limit;
	case PHASE_HELD:
		return NSEC_NEVER;
	case PHASE_RUNNING:
		return next_while_running(trial);
	case PHASE_GRACE:
		return trial->grace_nsec;
	case PHASE_OVER:
		break;
	}
	return 0;
}

static void schedule(struct trial *trial)
{
	if (trial->phase != PHASE_OVER)
		loop_timer_set(trial->timer, next_wake(trial));
}

static void on_timer(void *userdata)
{
	struct trial *trial = userdata;
	nsec_t now = nsec_now();

	switch (trial->phase) {
	case PHASE_SERVER:
		if (now >= trial->start_nsec + START_LIMIT)
			start_timed_out(trial);
		else
			trial_node_look_for_listener(trial);
		break;
	case PHASE_READY:
		if (start_client(trial) < 0)
			trial_over(trial);
		break;
	case PHASE_CLIENT:
		start_timed_out(trial);
		break;
	case PHASE_HELD:
		break;
	case PHASE_RUNNING:
		if (!timeline_done(trial) &&
		    now >= trial->zero_nsec - SAMPLE_AHEAD + timeline_next_nsec(&trial->timeline))
			trial_step_sample(trial);
		trial_step_take_due(trial);
		for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
			trial_node_settle(&trial->node[id]);
		check_survival(trial);
		trial_check_end(trial);
		if (trial->phase == PHASE_RUNNING && now >= horizon_at(trial)) {
			trial->full_term = true;
			trial_over(trial);
		}
		break;
	case PHASE_GRACE:
		trial_over(trial);
		break;
	case PHASE_OVER:
		finish(trial);
		return;
	}
	schedule(trial);
}

static int set_up(struct trial *trial, struct error *err)
{
	int r = testbed_new(trial->spec.scenario, trial->spec.family, &trial->stage.testbed, err);

	for (enum node_id id = 0; r >= 0 && id < _NODE_MAX; id++)
		r = trial_node_watch(trial, id, err);
	if (r >= 0)
		r = trial_node_start_agent(trial, NODE_SERVER, err);
	if (r < 0)
		return r;
	trial->node[NODE_SERVER].original = trial->stage.agent[NODE_SERVER];
	trial->start_nsec = nsec_now();
	schedule(trial);
	return 0;
}

int trial_start(struct loop *loop, struct observer *observer, const struct trial_spec *spec,
		trial_func func, void *userdata, struct trial **ret_trial, struct error *err)
{
	_cleanup_(trial_freep) struct trial *trial = calloc(1, sizeof(*trial));
	int r;

	if (!trial)
		return error_errno(err, -ENOMEM, "trial");
	*trial = (struct trial){ .spec = *spec,
				 .loop = loop,
				 .observer = observer,
				 .func = func,
				 .userdata = userdata,
				 .stage = { .let_go = trial_step_let_go,
					    .take_up = trial_step_take_up },
				 .origin_nsec = NSEC_NONE,
				 .last_heal_nsec = NSEC_NONE,
				 .client_nsec = NSEC_NEVER };
	trial_node_init(trial);
	trial->record = calloc(1, sizeof(*trial->record));
	trial->handles = calloc(spec->scenario->n_events + 1, sizeof(*trial->handles));
	if (!trial->record || !trial->handles)
		return error_errno(err, -ENOMEM, "trial");
	r = loop_timer_new(loop, on_timer, trial, &trial->timer, err);
	if (r >= 0)
		r = timeline_init(&trial->timeline, spec->scenario, err);
	if (r >= 0)
		r = set_up(trial, err);
	if (r < 0)
		return r == -EINVAL ? r : error_prefix(err, r, "%s", spec->scenario->name);
	*ret_trial = take_ptr(trial);
	return 0;
}

void trial_retire(struct trial *trial)
{
	trial->phase = PHASE_OVER;
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		trial->node[id].watch = observer_watch_free(trial->node[id].watch);
		for (int w = 0; w < _WITNESS_MAX; w++)
			endpoint_deinit(&trial->node[id].view[w]);
	}
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		trial->stage.agent[id] = agent_free(trial->stage.agent[id]);
	timeline_deinit(&trial->timeline);
	trial->timer = loop_timer_free(trial->timer);
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
	testbed_free(trial->stage.testbed);
	free(trial);
	return NULL;
}

void trial_begin(struct trial *trial)
{
	trial->spec.hold = false;
	if (trial->phase != PHASE_HELD)
		return;
	trial->phase = PHASE_CLIENT;
	trial_connected(trial);
	trial->zero_nsec = nsec_now();
	schedule(trial);
}

static const char *waiting_for(const struct trial *trial, char *buffer, size_t size)
{
	switch (trial->phase) {
	case PHASE_SERVER:
		return "waiting for the server to listen";
	case PHASE_READY:
		return "waiting to start";
	case PHASE_CLIENT:
		return "waiting for the client to connect";
	case PHASE_HELD:
		return "connected";
	case PHASE_RUNNING:
		if (!timeline_done(trial)) {
			const struct timeline_step *next =
				&trial->timeline.steps[trial->timeline.next];

			snprintf(buffer, size, "before %s", trial_step_verb(next));
			return buffer;
		}
		if (may_survive(trial))
			return "waiting for data to get through again";
		for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
			if (!concluded(&trial->node[id])) {
				snprintf(buffer, size, "waiting for the %s to notice",
					 node_name(id));
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
	nsec_t now = nsec_now(), at = horizon_at(trial);
	char buffer[64];

	if (trial->phase < PHASE_HELD)
		at = trial->start_nsec + START_LIMIT;
	else if (at == NSEC_NEVER && trial->phase == PHASE_RUNNING && s->n_events)
		at = trial->zero_nsec + s->events[0].at_nsec + s->horizon_nsec;
	snprintf(ret_status->text, sizeof(ret_status->text), "%s%s%s: %s", s->name,
		 s->variant ? "/" : "", s->variant ? s->variant : "",
		 waiting_for(trial, buffer, sizeof(buffer)));
	ret_status->at_most_nsec = at == NSEC_NEVER ? NSEC_NEVER : at > now ? at - now : 0;
}

const struct trial_spec *trial_spec(const struct trial *trial)
{
	return &trial->spec;
}

const struct testbed *trial_testbed(const struct trial *trial)
{
	return trial->stage.testbed;
}
