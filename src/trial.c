/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "netns/sockdiag.h"
#include "netns/tcp-state.h"
#include "src/endpoint.h"
#include "src/expect.h"
#include "src/fault.h"
#include "src/model.h"
#include "src/testbed.h"
#include "src/timeline.h"

#define START_LIMIT   (10 * NSEC_PER_SEC)  /* for a server to listen and a client to connect */
#define START_POLL    (10 * NSEC_PER_MSEC) /* looking for a command's listening socket */
#define SURVIVAL_POLL (20 * NSEC_PER_MSEC)
#define PROBE_AFTER   (200 * NSEC_PER_MSEC) /* quiet since the heal: send a byte to prove it */
#define GRACE	      (50 * NSEC_PER_MSEC) /* for what trails the end: the other side's last states */
#define DEFAULT_PORT  5000

enum phase {
	PHASE_SERVER,  /* waiting for the server to listen */
	PHASE_CLIENT,  /* waiting for the connection */
	PHASE_HELD,    /* established; trial_begin() has not been called */
	PHASE_RUNNING, /* the timeline runs */
	PHASE_GRACE,   /* every watched endpoint is concluded */
	PHASE_OVER,
};

struct trial_node {
	struct trial *trial;
	enum node_id id;
	struct observer_watch *watch;
	struct endpoint endpoint;
	bool follows;		/* the watch is of the endpoint's host, not of one booted later */
	struct agent *original; /* whose reports are the endpoint's; only compared */
	nsec_t rto_nsec;	/* just before the first event */
	uint64_t progress;	/* bytes acknowledged and received at the last heal */
	bool usable;		/* more have been since */
	uint32_t ifindex;
};

struct trial {
	struct trial_spec spec;
	struct loop *loop;
	struct observer *observer;
	trial_func func;
	void *userdata;
	struct fault_stage stage; /* owns testbed and agents */
	struct timeline timeline;
	struct fault_handle *handles; /* one an event; owned */
	struct trial_node node[_NODE_MAX];
	struct loop_timer
		*timer; /* the phase's: start limit, next step, horizon, survival, grace */
	enum phase phase;
	nsec_t start_nsec, zero_nsec; /* agents started; timeline's zero */
	nsec_t origin_nsec;	      /* the first event, NSEC_NONE before */
	nsec_t last_heal_nsec;
	nsec_t grace_nsec;
	size_t active; /* faults that last and have not been healed */
	bool probed;
	bool full_term;
	uint64_t lost;
	struct record *record;
	struct error failure; /* what ended it without a record */
};

static void schedule(struct trial *trial);
static void check_end(struct trial *trial);

static struct testbed *testbed_of(const struct trial *trial)
{
	return trial->stage.testbed;
}

/* Ends the trial from any depth: the loop comes back to it with everything unwound. */
static void over(struct trial *trial)
{
	if (trial->phase == PHASE_OVER)
		return;
	trial->phase = PHASE_OVER;
	loop_timer_set(trial->timer, 0);
}

static void fail(struct trial *trial, const struct error *err)
{
	if (trial->phase == PHASE_OVER)
		return;
	trial->failure = *err;
	over(trial);
}

/* ---- What the kernel says of the connection (sock_diag) ---- */

struct lookup {
	const struct endpoint *endpoint;
	struct sockdiag_socket found;
	bool ok;
};

static int match_socket(const struct sockdiag_socket *s, void *userdata)
{
	struct lookup *l = userdata;

	if (s->local_port != l->endpoint->local_port || s->peer_port != l->endpoint->peer_port ||
	    s->state == TCP_STATE_LISTEN)
		return 0;
	l->found = *s;
	l->ok = true;
	return 0;
}

/* The endpoint's socket as it is now; false when there is none any more. */
static bool look_up(struct trial_node *node, struct sockdiag_socket *ret_socket)
{
	struct testbed *tb = testbed_of(node->trial);
	struct lookup l = { .endpoint = &node->endpoint };

	if (!node->follows || !tb->node[node->id].diag || !node->endpoint.local_port)
		return false;
	if (sockdiag_dump(tb->node[node->id].diag, tb->node[node->id].address.family, ~0u,
			  match_socket, &l, NULL) < 0 ||
	    !l.ok)
		return false;
	*ret_socket = l.found;
	return true;
}

/* A connection that enters TIME_WAIT, or FIN_WAIT2 without a process, is replaced by a small
 * socket: the full one reports CLOSE (net/ipv4/tcp_minisocks.c: tcp_time_wait()). */
static void look_for_small_socket(struct trial_node *node)
{
	struct sockdiag_socket s;

	if (look_up(node, &s) && (s.state == TCP_STATE_TIME_WAIT || s.state == TCP_STATE_FIN_WAIT2))
		endpoint_small_socket(&node->endpoint, s.state);
}

static uint64_t progress_of(struct trial_node *node)
{
	struct sockdiag_socket s;

	if (!look_up(node, &s) || !s.has_info)
		return 0;
	endpoint_tcp_info(&node->endpoint, &s.info);
	return s.info.tcpi_bytes_acked + s.info.tcpi_bytes_received;
}

/* ---- Agents ---- */

static void connected(struct trial *trial)
{
	if (trial->phase != PHASE_CLIENT)
		return;
	trial->phase = trial->spec.hold ? PHASE_HELD : PHASE_RUNNING;
	trial->zero_nsec = nsec_now();
	if (endpoint_established(&trial->node[NODE_CLIENT].endpoint))
		trial->zero_nsec = trial->node[NODE_CLIENT].endpoint.established_nsec;
	if (!trial->spec.scenario->n_events && trial->phase == PHASE_RUNNING)
		trial->origin_nsec = trial->zero_nsec;
	schedule(trial);
	if (trial->spec.hooks && trial->spec.hooks->connected)
		trial->spec.hooks->connected(trial->spec.hooks->userdata);
}

static int start_client(struct trial *trial);

static void on_listening(struct trial *trial)
{
	if (trial->phase == PHASE_SERVER && start_client(trial) < 0)
		over(trial);
}

static const char *where(const struct trial *trial, enum node_id id, char *buffer, size_t size)
{
	const struct scenario *s = trial->spec.scenario;

	if (s->agent[id].command)
		snprintf(buffer, size, "%s:%d: node '%s': command '%s'", s->file,
			 s->agent[id].command_line, node_name(id), s->agent[id].command[0]);
	else
		snprintf(buffer, size, "%s: node '%s'", s->name, node_name(id));
	return buffer;
}

/* A call without which there is no trial has failed. */
static void agent_failed(struct trial *trial, enum node_id id, const struct agent_report *r)
{
	const char *call = r->detail[0] ? r->detail : agent_call_name(r->call);
	struct error err = { 0 };
	char place[512];

	error_set(&err, r->call == AGENT_CALL_EXEC ? ERROR_INPUT : ERROR_FAILED, -r->error,
		  "%s: %s: %s", where(trial, id, place, sizeof(place)), call, strerror(r->error));
	fail(trial, &err);
}

static void agent_exited(struct trial *trial, enum node_id id, const struct agent_report *r)
{
	bool command = trial->spec.scenario->agent[id].command;
	int status = (int)r->result;
	struct error err = { 0 };
	char place[512];

	if (command && trial->phase >= PHASE_RUNNING)
		return;
	error_set(&err, command ? ERROR_INPUT : ERROR_FAILED, -ECHILD,
		  "%s: ended before there was a connection, %s %d; its output ends: %s",
		  where(trial, id, place, sizeof(place)),
		  WIFSIGNALED(status) ? "by signal" : "exit status",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		  agent_output(trial->stage.agent[id]));
	if (trial->phase < PHASE_RUNNING)
		fail(trial, &err);
}

static void on_report(struct agent *agent, const struct agent_report *r, void *userdata)
{
	struct trial_node *node = userdata;
	struct trial *trial = node->trial;
	bool original = agent == node->original;

	if (trial->phase == PHASE_OVER)
		return;
	if (original && endpoint_report(&node->endpoint, r) < 0)
		trial->lost++;
	switch (r->call) {
	case AGENT_CALL_SOCKET:
	case AGENT_CALL_BIND:
	case AGENT_CALL_EXEC:
		if (r->error)
			agent_failed(trial, node->id, r);
		break;
	case AGENT_CALL_LISTEN:
		if (r->error)
			agent_failed(trial, node->id, r);
		else
			on_listening(trial);
		break;
	case AGENT_CALL_CONNECT:
		if (r->error && trial->phase == PHASE_CLIENT && trial->spec.scenario->n_events)
			agent_failed(trial, node->id, r);
		else
			connected(trial);
		break;
	case AGENT_CALL_EXIT:
		if (original)
			agent_exited(trial, node->id, r);
		break;
	default:
		break;
	}
	check_end(trial);
}

static uint16_t port_of(const struct scenario *s)
{
	return (uint16_t)scenario_option(&s->agent[NODE_SERVER], OPTION_PORT, DEFAULT_PORT);
}

static int start_agent(struct trial *trial, enum node_id id, struct error *err)
{
	struct testbed *tb = testbed_of(trial);
	struct agent_spec spec = {
		.node = id,
		.family = trial->spec.family,
		.options = &trial->spec.scenario->agent[id],
		.local = tb->node[id].address,
		.peer = tb->node[testbed_peer(id)].address,
		.port = port_of(trial->spec.scenario),
		.ns = tb->node[id].ns,
	};
	int r = agent_start(trial->loop, &spec, on_report, &trial->node[id],
			    &trial->stage.agent[id], err);

	return r < 0 ? error_prefix(err, r, "node '%s'", node_name(id)) : 0;
}

static int start_client(struct trial *trial)
{
	const struct scenario_agent *options = &trial->spec.scenario->agent[NODE_CLIENT];
	int r;

	trial->phase = PHASE_CLIENT;
	r = start_agent(trial, NODE_CLIENT, &trial->failure);
	if (r < 0)
		return r;
	trial->node[NODE_CLIENT].original = trial->stage.agent[NODE_CLIENT];
	if (!options->command && !scenario_option(options, OPTION_AUTOCONNECT, 1))
		connected(trial);
	schedule(trial);
	return 0;
}

static int found_listener(const struct sockdiag_socket *s, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

/* A command does not say when it listens; its kernel does. */
static void look_for_listener(struct trial *trial)
{
	struct testbed_node *node = &testbed_of(trial)->node[NODE_SERVER];
	bool found = false;

	sockdiag_dump(node->diag, node->address.family, 1u << TCP_STATE_LISTEN, found_listener,
		      &found, NULL);
	if (found)
		on_listening(trial);
}

/* ---- Observations ---- */

static void on_observation(const struct observation *o, void *userdata)
{
	struct trial_node *node = userdata;
	struct trial *trial = node->trial;

	if (trial->phase == PHASE_OVER)
		return;
	if (o->kind == OBSERVATION_LOST)
		trial->lost += o->lost;
	if (!node->follows || node->id == NODE_ROUTER)
		return;
	if (endpoint_observe(&node->endpoint, o) < 0)
		trial->lost++;
	if (o->kind != OBSERVATION_STATE)
		return;
	if (o->state.to == TCP_STATE_CLOSE && node->endpoint.state == TCP_STATE_CLOSE &&
	    (o->state.from == TCP_STATE_FIN_WAIT1 || o->state.from == TCP_STATE_FIN_WAIT2 ||
	     o->state.from == TCP_STATE_CLOSING))
		look_for_small_socket(node);
	if (node->id == NODE_CLIENT && endpoint_established(&node->endpoint))
		connected(trial);
	check_end(trial);
}

static char *pcap_path(const struct trial *trial, enum node_id id)
{
	const struct trial_spec *spec = &trial->spec;
	const struct scenario *s = spec->scenario;
	unsigned int boots = testbed_of(trial)->node[id].boots;
	char repeat[16] = "", boot[16] = "";
	char *path;

	if (!spec->pcap_dir)
		return NULL;
	if (spec->repeat)
		snprintf(repeat, sizeof(repeat), "-%u", spec->repeat);
	if (boots > 1)
		snprintf(boot, sizeof(boot), "-boot%u", boots);
	if (asprintf(&path, "%s/%s%s%s-%s%s-%s%s.pcap", spec->pcap_dir, s->name,
		     s->variant ? "-" : "", s->variant ? s->variant : "", family_name(spec->family),
		     repeat, node_name(id), boot) < 0)
		return NULL;
	return path;
}

static int watch(struct trial *trial, enum node_id id, struct error *err)
{
	struct testbed_node *node = &testbed_of(trial)->node[id];
	_cleanup_(freep) char *path = pcap_path(trial, id);
	struct observer_watch_spec spec = {
		.ns = node->ns,
		.family = trial->spec.family == FAMILY_IPV4 ? AF_INET : AF_INET6,
		.ifindex = node->ifindex,
		.interface = TESTBED_INTERFACE,
		.pcap_path = path,
	};
	int r;

	if (!node->ns || (id == NODE_ROUTER && !path))
		return 0;
	r = observer_watch(trial->observer, &spec, on_observation, &trial->node[id],
			   &trial->node[id].watch, err);
	return r < 0 ? error_prefix(err, r, "node '%s'", node_name(id)) : 0;
}

static int unwatch(struct trial *trial, enum node_id id, struct error *err)
{
	struct trial_node *node = &trial->node[id];
	int r = node->watch ? observer_watch_check(node->watch, err) : 0;

	node->watch = observer_watch_free(node->watch);
	return r;
}

static void tell_node_changed(struct trial *trial, enum node_id id, const struct netns *ns)
{
	const struct trial_hooks *hooks = trial->spec.hooks;

	if (hooks && hooks->node_changed)
		hooks->node_changed(id, ns, hooks->userdata);
}

/* The fault stage's two questions: a host is about to go, a host is back. */
static int let_go(struct fault_stage *stage, enum node_id id, struct error *err)
{
	struct trial *trial = (struct trial *)((char *)stage - offsetof(struct trial, stage));

	observer_flush(trial->observer);
	trial->node[id].follows = false;
	trial->node[id].endpoint.gone = true;
	tell_node_changed(trial, id, NULL);
	return unwatch(trial, id, err);
}

static int take_up(struct fault_stage *stage, enum node_id id, bool service, struct error *err)
{
	struct trial *trial = (struct trial *)((char *)stage - offsetof(struct trial, stage));
	int r = watch(trial, id, err);

	tell_node_changed(trial, id, testbed_of(trial)->node[id].ns);
	return r < 0 || !service ? r : start_agent(trial, id, err);
}

/* ---- The timeline ---- */

static const char *step_verb(const struct timeline_step *step)
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

static int note_step(struct trial *trial, const struct timeline_step *step, nsec_t at)
{
	struct record_fault *f =
		record_append(&trial->record->faults, &trial->record->n_faults, sizeof(*f));
	const struct event *e = step->event;
	const char *where_name = e->has_node ? node_name(e->node) : direction_name(e->direction);
	int n;

	if (!f)
		return -ENOMEM;
	f->time_nsec = at - trial->origin_nsec;
	if (step->kind == STEP_HEAL)
		n = asprintf(&f->what, "heal %s %s", fault_name(e->fault), where_name);
	else
		n = asprintf(&f->what, "%s %s", step_verb(step), where_name);
	if (n < 0)
		f->what = NULL;
	return n < 0 ? -ENOMEM : 0;
}

/* Before the first event: what the retransmission timer would start from. */
static void sample_before(struct trial *trial)
{
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++) {
		struct sockdiag_socket s;

		if (look_up(&trial->node[id], &s) && s.has_info) {
			trial->node[id].rto_nsec = (nsec_t)s.info.tcpi_rto * NSEC_PER_USEC;
			endpoint_tcp_info(&trial->node[id].endpoint, &s.info);
		}
	}
}

static void note_heal(struct trial *trial)
{
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		trial->node[id].progress = progress_of(&trial->node[id]);
	trial->last_heal_nsec = nsec_now();
	trial->probed = false;
}

static int apply(struct trial *trial, const struct timeline_step *step, struct error *err)
{
	const struct event *e = step->event;
	struct fault_handle *handle = &trial->handles[step->fault];

	switch (step->kind) {
	case STEP_FAULT:
		trial->active += timeline_fault_lasts(e);
		if (e->fault == FAULT_CRASH)
			trial->node[e->node].endpoint.crashed = true;
		return fault_apply(&trial->stage, e, handle, err);
	case STEP_HEAL:
		trial->active -= timeline_fault_lasts(e);
		note_heal(trial);
		return fault_heal(&trial->stage, e, handle, err);
	case STEP_POWER_ON:
		return fault_power_on(&trial->stage, e, err);
	case STEP_ACTION:
		return agent_act(trial->stage.agent[e->node], e->action, e->size, err);
	}
	return -EINVAL;
}

static void take_step(struct trial *trial, const struct timeline_step *step)
{
	struct error err = { 0 };
	nsec_t at;
	int r;

	if (trial->origin_nsec == NSEC_NONE)
		sample_before(trial);
	at = nsec_now();
	/* The later events keep their distance from the first, should it have come late. */
	if (trial->origin_nsec == NSEC_NONE) {
		trial->origin_nsec = at;
		trial->zero_nsec = at - step->at_nsec;
	}
	r = apply(trial, step, &err);
	if (r >= 0)
		r = note_step(trial, step, at);
	if (r >= 0)
		return;
	if (err.kind == ERROR_NONE)
		error_errno(&err, r, "timeline");
	error_prefix(&err, r, "%s:%d", trial->spec.scenario->file, step->event->line);
	fail(trial, &err);
}

static void take_due_steps(struct trial *trial)
{
	const struct timeline_step *step;

	while (trial->phase == PHASE_RUNNING &&
	       (step = timeline_take(&trial->timeline, nsec_now() - trial->zero_nsec)))
		take_step(trial, step);
}

/* ---- The end ---- */

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

static bool peer_lost(const struct trial *trial)
{
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		if (trial->node[id].endpoint.gone || trial->node[id].endpoint.crashed)
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
	return !node->endpoint.watched || endpoint_ended(&node->endpoint) || node->usable;
}

static void check_end(struct trial *trial)
{
	if (trial->phase != PHASE_RUNNING || !timeline_done(trial) ||
	    trial->origin_nsec == NSEC_NONE)
		return;
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		if (!concluded(&trial->node[id]))
			return;
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
		    !is_open(&trial->node[id].endpoint))
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

		if (!node->usable && is_open(&node->endpoint))
			node->usable = progress_of(node) > node->progress;
	}
	if (!trial->probed && nsec_now() >= trial->last_heal_nsec + PROBE_AFTER)
		probe(trial);
	check_end(trial);
}

static int copy_setting(const struct setting_value *value, void *userdata)
{
	struct record *record = userdata;
	struct record_setting *s =
		record_append(&record->settings, &record->n_settings, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->key = strdup(value->key);
	s->text = strdup(value->text);
	s->is_number = value->is_number;
	s->number = value->number;
	return s->key && s->text ? 0 : -ENOMEM;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int describe(struct trial *trial, struct record *record)
{
	const struct trial_spec *spec = &trial->spec;

	record->scenario = copy(spec->scenario->name);
	record->id = copy(spec->scenario->id);
	record->variant = copy(spec->scenario->variant);
	record->engine = copy(spec->engine);
	record->kernel = copy(spec->kernel);
	record->clock = copy(observer_clock_name(observer_clock(trial->observer)));
	record->family = spec->family;
	record->seed = spec->seed;
	record->repeat = spec->repeat;
	return scenario_for_each_setting(spec->scenario, copy_setting, record);
}

static void conclude_endpoint(struct trial *trial, enum node_id id)
{
	struct trial_node *node = &trial->node[id];
	struct record_endpoint *r = &trial->record->endpoint[id];
	struct endpoint_context context = {
		.origin_nsec = trial->origin_nsec,
		.last_heal_nsec = trial->last_heal_nsec,
		.usable = node->usable,
		.full_term = trial->full_term,
	};
	struct model_facts facts = { .hz = model_hz(), .rto_nsec = node->rto_nsec };
	struct prediction p;

	progress_of(node);
	if (node->endpoint.state == TCP_STATE_FIN_WAIT2 || node->endpoint.state == TCP_STATE_CLOSE)
		look_for_small_socket(node);
	endpoint_conclude(&node->endpoint, &context, r);
	if (trial->spec.scenario->agent[id].command && trial->stage.agent[id])
		r->command_output = copy(agent_output(trial->stage.agent[id]));
	facts.established_nsec = trial->origin_nsec - trial->zero_nsec;
	p = model_predict(trial->spec.scenario, trial->spec.family, id, &facts);
	if (p.mechanism == MECHANISM_NONE)
		return;
	r->earliest_nsec = p.earliest_nsec;
	r->latest_nsec = p.latest_nsec;
}

static int make_record(struct trial *trial, struct error *err)
{
	struct record *record = trial->record;
	int r = describe(trial, record);

	if (r < 0)
		return error_errno(err, r, "record");
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		conclude_endpoint(trial, id);
	record->lost = trial->lost;
	record->span_nsec = nsec_now() - trial->origin_nsec;
	return expect_check(trial->spec.scenario, record, err);
}

static int close_captures(struct trial *trial, struct error *err)
{
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		int r = unwatch(trial, id, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Hands out the result. The trial may be freed by whoever takes it. */
static void finish(struct trial *trial)
{
	struct record *record = NULL;

	if (trial->failure.kind == ERROR_NONE && make_record(trial, &trial->failure) >= 0 &&
	    close_captures(trial, &trial->failure) >= 0)
		record = take_ptr(trial->record);
	trial->func(trial, record, &trial->failure, trial->userdata);
}

static void start_timed_out(struct trial *trial)
{
	struct error err = { 0 };

	error_set(&err, ERROR_FAILED, -ETIMEDOUT, "%s: after 10 s %s", trial->spec.scenario->name,
		  trial->phase == PHASE_SERVER ? "nothing listens on the server"
					       : "the client has no connection");
	fail(trial, &err);
}

static nsec_t min_nsec(nsec_t a, nsec_t b)
{
	return a < b ? a : b;
}

/* When the one timer is next needed. */
static nsec_t next_wake(const struct trial *trial)
{
	nsec_t limit = trial->start_nsec + START_LIMIT, step;

	switch (trial->phase) {
	case PHASE_SERVER:
		if (trial->spec.scenario->agent[NODE_SERVER].command)
			return min_nsec(nsec_now() + START_POLL, limit);
		return limit;
	case PHASE_CLIENT:
		return limit;
	case PHASE_HELD:
		return NSEC_NEVER;
	case PHASE_RUNNING:
		step = timeline_next_nsec(&trial->timeline);
		if (step != NSEC_NEVER)
			return min_nsec(trial->zero_nsec + step, horizon_at(trial));
		if (may_survive(trial))
			return min_nsec(nsec_now() + SURVIVAL_POLL, horizon_at(trial));
		return horizon_at(trial);
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
			look_for_listener(trial);
		break;
	case PHASE_CLIENT:
		start_timed_out(trial);
		break;
	case PHASE_HELD:
		break;
	case PHASE_RUNNING:
		take_due_steps(trial);
		check_survival(trial);
		check_end(trial);
		if (trial->phase == PHASE_RUNNING && now >= horizon_at(trial)) {
			trial->full_term = true;
			over(trial);
		}
		break;
	case PHASE_GRACE:
		over(trial);
		break;
	case PHASE_OVER:
		finish(trial);
		return;
	}
	schedule(trial);
}

/* ---- Life ---- */

static void init_nodes(struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	bool commands = s->agent[NODE_CLIENT].command || s->agent[NODE_SERVER].command;
	bool any = false;

	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		struct trial_node *node = &trial->node[id];

		*node = (struct trial_node){ .trial = trial, .id = id, .rto_nsec = NSEC_NONE };
		if (id == NODE_ROUTER)
			continue;
		endpoint_init(&node->endpoint, id);
		node->follows = true;
		node->endpoint.port = commands ? 0 : port_of(s);
		node->endpoint.command = s->agent[id].command;
		node->endpoint.watched = s->expect[trial->spec.family][id].present;
		any |= node->endpoint.watched;
	}
	for (enum node_id id = 0; !any && id < _ENDPOINT_MAX; id++)
		trial->node[id].endpoint.watched = true;
}

static int set_up(struct trial *trial, struct error *err)
{
	int r = testbed_new(trial->spec.scenario, trial->spec.family, &trial->stage.testbed, err);

	for (enum node_id id = 0; r >= 0 && id < _NODE_MAX; id++)
		r = watch(trial, id, err);
	if (r >= 0)
		r = start_agent(trial, NODE_SERVER, err);
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
				 .stage = { .let_go = let_go, .take_up = take_up },
				 .origin_nsec = NSEC_NONE,
				 .last_heal_nsec = NSEC_NONE };
	init_nodes(trial);
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
		return r;
	*ret_trial = take_ptr(trial);
	return 0;
}

struct trial *trial_free(struct trial *trial)
{
	if (!trial)
		return NULL;
	trial->phase = PHASE_OVER;
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		trial->node[id].watch = observer_watch_free(trial->node[id].watch);
		endpoint_deinit(&trial->node[id].endpoint);
	}
	for (enum node_id id = 0; id < _ENDPOINT_MAX; id++)
		agent_free(trial->stage.agent[id]);
	testbed_free(trial->stage.testbed);
	timeline_deinit(&trial->timeline);
	loop_timer_free(trial->timer);
	free(trial->handles);
	record_free(trial->record);
	free(trial);
	return NULL;
}

void trial_begin(struct trial *trial)
{
	trial->spec.hold = false;
	if (trial->phase != PHASE_HELD)
		return;
	trial->phase = PHASE_CLIENT;
	connected(trial);
	trial->zero_nsec = nsec_now();
	schedule(trial);
}

static const char *waiting_for(const struct trial *trial, char *buffer, size_t size)
{
	switch (trial->phase) {
	case PHASE_SERVER:
		return "waiting for the server to listen";
	case PHASE_CLIENT:
		return "waiting for the client to connect";
	case PHASE_HELD:
		return "connected";
	case PHASE_RUNNING:
		if (!timeline_done(trial)) {
			const struct timeline_step *next =
				&trial->timeline.steps[trial->timeline.next];

			snprintf(buffer, size, "before %s", step_verb(next));
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
