/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "netns/sockdiag.h"
#include "src/record/expect.h"
#include "src/tcp/state.h"
#include "src/trial/state.h"

#define DOUBT (100 * NSEC_PER_MSEC) /* before the kernel is asked which witness is right */

struct endpoint *trial_node_endpoint(struct trial_node *node)
{
	return &node->view[node->believed];
}

static struct testbed_node *testbed_node(const struct trial_node *node)
{
	return &node->trial->stage.testbed->node[node->id];
}

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

bool trial_node_look_up(struct trial_node *node, struct sockdiag_socket *ret_socket)
{
	struct testbed_node *host = testbed_node(node);
	struct lookup l = { .endpoint = trial_node_endpoint(node) };

	if (!node->follows || !host->diag || !l.endpoint->local_port)
		return false;
	if (sockdiag_dump(host->diag, host->address.family, ~0u, match_socket, &l, NULL) < 0 ||
	    !l.ok)
		return false;
	*ret_socket = l.found;
	return true;
}

uint64_t trial_node_progress(struct trial_node *node)
{
	struct sockdiag_socket s;

	if (!trial_node_look_up(node, &s) || !s.has_info)
		return 0;
	endpoint_tcp_info(trial_node_endpoint(node), &s.info);
	return s.info.tcpi_bytes_acked + s.info.tcpi_bytes_received;
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
	const char *call = r->detail[0] ? r->detail : call_name(r->call);
	struct error err = { 0 };
	char place[512];

	error_set(&err, r->call == AGENT_CALL_EXEC ? ERROR_INPUT : ERROR_FAILED, -r->error,
		  "%s: %s: %s", where(trial, id, place, sizeof(place)), call, strerror(r->error));
	trial_fail(trial, &err);
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
		  *agent_output(trial->stage.agent[id]) ? agent_output(trial->stage.agent[id])
							: "(none)");
	if (trial->phase < PHASE_RUNNING)
		trial_fail(trial, &err);
}

/* A start that fails is a failed trial at the beginning, and later a result: the port of a server
 * that comes back may be taken. */
static void start_failed(struct trial *trial, enum node_id id, const struct agent_report *r)
{
	if (trial->phase < PHASE_RUNNING)
		agent_failed(trial, id, r);
}

static void note_report(struct trial_node *node, const struct agent_report *r, bool original)
{
	for (int w = 0; w < _WITNESS_MAX; w++) {
		struct endpoint *view = &node->view[w];
		int rc = original ? endpoint_report(view, r)
				  : endpoint_note_call(view, r, node->processes - 1);

		node->trial->lost += rc < 0;
	}
}

static void on_report(struct agent *agent, const struct agent_report *r, void *userdata)
{
	struct trial_node *node = userdata;
	struct trial *trial = node->trial;
	bool original = agent == node->original;

	if (trial->phase == PHASE_OVER || trial_past_horizon(trial, r->time_nsec))
		return;
	note_report(node, r, original);
	if (original)
		trial_population_report(node, r);
	switch (r->call) {
	case AGENT_CALL_SOCKET:
	case AGENT_CALL_EXEC:
		if (r->error)
			agent_failed(trial, node->id, r);
		break;
	case AGENT_CALL_BIND:
		start_failed(trial, node->id, r);
		break;
	case AGENT_CALL_LISTEN:
		if (r->error)
			start_failed(trial, node->id, r);
		else
			trial_listening(trial);
		break;
	case AGENT_CALL_CONNECT:
		if (r->error && trial->phase == PHASE_CLIENT && trial->spec.scenario->n_events)
			agent_failed(trial, node->id, r);
		else
			trial_connected(trial);
		break;
	case AGENT_CALL_EXIT:
		if (original)
			agent_exited(trial, node->id, r);
		break;
	default:
		break;
	}
	trial_check_end(trial);
}

/* Where the server listens, or what the client connects to: the same, unless it says otherwise. */
static uint16_t port_of(const struct scenario *s, enum node_id id)
{
	int64_t port = scenario_option(&s->agent[NODE_SERVER], OPTION_PORT, TRIAL_DEFAULT_PORT);

	return (uint16_t)scenario_option(&s->agent[id], OPTION_PORT, port);
}

int trial_node_start_agent(struct trial *trial, enum node_id id, struct agent *standby,
			   struct error *err)
{
	struct testbed *tb = trial->stage.testbed;
	struct agent_spec spec = {
		.node = id,
		.family = trial->spec.family,
		.options = &trial->spec.scenario->agent[id],
		.local = tb->node[id].address,
		.peer = tb->node[testbed_peer(id)].address,
		.port = port_of(trial->spec.scenario, id),
		.place = trial->spec.place,
		.many = trial->connections > 1,
		.ns = tb->node[id].ns,
		.wait = id == NODE_CLIENT && trial->phase == PHASE_SERVER,
	};
	int rc = agent_start(trial->loop, &spec, standby, on_report, &trial->node[id],
			     &trial->stage.agent[id], err);

	if (rc >= 0 && !trial->node[id].processes++)
		trial->node[id].original = trial->stage.agent[id];
	return rc < 0 ? error_prefix(err, rc, "node '%s'", node_name(id)) : 0;
}

void trial_node_part(struct trial_node *node)
{
	struct agent *agent = node->trial->stage.agent[node->id];
	struct agent_counters counters;

	if (!agent || agent != node->original)
		return;
	counters = agent_counters(agent);
	node->bytes_read = (int64_t)counters.bytes_read;
	node->bytes_written = (int64_t)counters.bytes_written;
	node->original = NULL; /* its place in memory may be another's soon */
}

int trial_node_restart_agent(struct trial *trial, enum node_id id, struct error *err)
{
	struct agent **agent = &trial->stage.agent[id];

	if (*agent && agent_running(*agent))
		return error_input(err, "the agent of the %s is still running", node_name(id));
	trial_node_part(&trial->node[id]);
	*agent = agent_free(*agent);
	return trial_node_start_agent(trial, id, NULL, err);
}

static int found_listener(const struct sockdiag_socket *s, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

void trial_node_look_for_listener(struct trial *trial)
{
	struct testbed_node *node = &trial->stage.testbed->node[NODE_SERVER];
	bool found = false;

	sockdiag_dump(node->diag, node->address.family, 1u << TCP_STATE_LISTEN, found_listener,
		      &found, NULL);
	if (found)
		trial_listening(trial);
}

/* Where one witness has seen the end and the other has not, one of them is wrong; the kernel is
 * asked after a moment, in which the slower may catch up. */
static void compare_witnesses(struct trial_node *node)
{
	const struct endpoint *tracepoint = &node->view[WITNESS_TRACEPOINT];
	const struct endpoint *derived = &node->view[WITNESS_DERIVED];

	if (node->believed == WITNESS_DERIVED || tracepoint->state == derived->state)
		node->doubt_nsec = NSEC_NEVER;
	else if (node->doubt_nsec == NSEC_NEVER)
		node->doubt_nsec = nsec_now() + DOUBT;
}

void trial_node_settle(struct trial_node *node)
{
	const struct endpoint *derived = &node->view[WITNESS_DERIVED];
	struct sockdiag_socket s;
	int state = TCP_STATE_CLOSE;

	if (nsec_now() < node->doubt_nsec)
		return;
	node->doubt_nsec = NSEC_NEVER;
	if (trial_node_look_up(node, &s))
		state = s.state;
	if (node->follows && state != node->view[WITNESS_TRACEPOINT].state &&
	    state == derived->state)
		node->believed = WITNESS_DERIVED;
}

/* Each witness its own; packets and the last tcp_info are for both. */
static int observe(struct trial_node *node, const struct observation *o)
{
	bool common = o->kind == OBSERVATION_PACKET || o->kind == OBSERVATION_DESTROY;
	int rc = 0;

	if (common || !o->derived)
		rc = endpoint_observe(&node->view[WITNESS_TRACEPOINT], o);
	if (rc >= 0 && (common || (o->derived && !trial_small_contradicts(node, o))))
		rc = endpoint_observe(&node->view[WITNESS_DERIVED], o);
	if (node->view[WITNESS_TRACEPOINT].gap)
		node->believed = WITNESS_DERIVED;
	return rc;
}

static void on_observation(const struct observation *o, void *userdata)
{
	struct trial_node *node = userdata;
	struct trial *trial = node->trial;

	if (trial->phase == PHASE_OVER)
		return;
	if (o->kind == OBSERVATION_LOST)
		trial->lost += o->lost;
	trial_trace_observe(node, o);
	if (!node->follows || node->id == NODE_ROUTER || trial_past_horizon(trial, o->time_nsec))
		return;
	trial->lost += observe(node, o) < 0;
	if (o->kind == OBSERVATION_PACKET)
		trial_small_packet(node, o);
	if (o->kind != OBSERVATION_STATE)
		return;
	trial_small_state(node, o);
	compare_witnesses(node);
	if (node->id == NODE_CLIENT && (endpoint_established(&node->view[WITNESS_TRACEPOINT]) ||
					endpoint_established(&node->view[WITNESS_DERIVED])))
		trial_connected(trial);
	trial_check_end(trial);
}

static char *pcap_path(const struct trial *trial, enum node_id id)
{
	const struct trial_spec *spec = &trial->spec;
	const struct scenario *s = spec->scenario;
	unsigned int boots = trial->stage.testbed->node[id].boots;
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

int trial_node_watch(struct trial *trial, enum node_id id, struct error *err)
{
	struct testbed_node *node = &trial->stage.testbed->node[id];
	_cleanup_(freep) char *path = pcap_path(trial, id);
	struct observer_watch_spec spec = {
		.ns = node->ns,
		.family = trial->spec.family == FAMILY_IPV4 ? AF_INET : AF_INET6,
		.ifindex = node->ifindex,
		.interface = TESTBED_INTERFACE,
		.pcap_path = path,
	};
	int rc;

	if (!node->ns || (id == NODE_ROUTER && !path))
		return 0;
	rc = observer_watch(trial->observer, &spec, on_observation, &trial->node[id],
			    &trial->node[id].watch, err);
	return rc < 0 ? error_prefix(err, rc, "node '%s'", node_name(id)) : 0;
}

int trial_node_unwatch(struct trial *trial, enum node_id id, struct error *err)
{
	struct trial_node *node = &trial->node[id];
	int rc = node->watch ? observer_watch_check(node->watch, err) : 0;

	node->watch = observer_watch_free(node->watch);
	return rc;
}

void trial_node_init(struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	bool commands = s->agent[NODE_CLIENT].command || s->agent[NODE_SERVER].command;
	bool fallback = observer_clock(trial->observer) == OBSERVER_CLOCK_SOCK_DIAG;

	trial->connections =
		(uint32_t)scenario_option(&s->agent[NODE_CLIENT], OPTION_CONNECTIONS, 1);
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		struct trial_node *node = &trial->node[id];

		*node = (struct trial_node){ .trial = trial,
					     .id = id,
					     .rto_nsec = NSEC_NONE,
					     .bytes_read = -1,
					     .doubt_nsec = NSEC_NEVER,
					     .small = { .look_nsec = NSEC_NEVER,
							.fin_nsec = NSEC_NONE,
							.reset_nsec = NSEC_NONE },
					     .believed = fallback ? WITNESS_DERIVED
								  : WITNESS_TRACEPOINT };
		for (int w = 0; w < _WITNESS_MAX; w++)
			endpoint_init(&node->view[w], id);
		if (id == NODE_ROUTER)
			continue;
		node->follows = true;
		node->watched = s->expect[trial->spec.family][id].present;
		node->awaits_gone = expect_awaits_gone(&s->expect[trial->spec.family][id]);
		for (int w = 0; w < _WITNESS_MAX; w++) {
			node->view[w].derived = w == WITNESS_DERIVED;
			node->view[w].port = commands ? 0 : port_of(s, id);
			node->view[w].client_port =
				scenario_option(&s->agent[NODE_CLIENT], OPTION_LOCAL_PORT, 0);
			node->view[w].many = trial->connections > 1;
			node->view[w].command = s->agent[id].command;
			node->view[w].user_timeout_nsec =
				scenario_option(&s->agent[id], OPTION_USER_TIMEOUT, 0);
		}
	}
	if (!trial->node[NODE_CLIENT].watched && !trial->node[NODE_SERVER].watched)
		trial->node[NODE_CLIENT].watched = true;
}
