/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/node.h"

#include <errno.h>
#include <stdio.h>

#include "src/trial/events.h"
#include "src/trial/look.h"
#include "src/trial/output.h"
#include "src/trial/ready.h"
#include "src/util/format.h"

/* The other end, as far as an agent's own setting tells: many may connect to one that listens. */
static enum node_id peer_of(const struct scenario *s, enum node_id id)
{
	return scenario_connects(s, id) ? s->agent[id].to : testbed_peer(id);
}

static struct agent_spec spec_of(const struct trial_program *program)
{
	const struct trial *trial = program->host->trial;
	const struct scenario *s = trial->spec.scenario;
	enum node_id id = program->host->id;
	struct testbed *tb = trial->testbed;
	struct agent_spec spec = {
		.connects = scenario_connects(s, id),
		.family = trial->spec.family,
		.options = &s->agent[id],
		.program = scenario_program(s, id, program->index),
		.local = tb->node[id].address,
		.peer = tb->node[peer_of(s, id)].address,
		.port = trial_port(s, id),
		.place = trial->spec.place,
		.many = trial->connections > 1 && id <= NODE_SERVER,
		.ns = tb->node[id].ns,
		.wait = id == NODE_CLIENT && trial->phase == PHASE_START,
		.hosts = trial->names,
		.output_func = output_take,
		.n_hosts = s->n_hosts,
	};

	snprintf(spec.name, sizeof(spec.name), "%s", scenario_node_name(s, id));
	return spec;
}

int node_start_program(struct trial_program *program, struct agent *standby, struct error *err)
{
	struct trial *trial = program->host->trial;
	struct agent_spec spec = spec_of(program);
	int rc = agent_start(trial->loop, &spec, standby, events_report, program, &program->agent,
			     err);

	if (rc >= 0 && !program->processes++)
		program->original = program->agent;
	return rc < 0 ? error_prefix(err, rc, "node '%s'", spec.name) : 0;
}

int node_start_probe(const struct trial_program *program, char **words, agent_func func,
		     struct agent **ret_agent, struct error *err)
{
	struct trial *trial = program->host->trial;
	const struct scenario_program *said = ready_said(program);
	struct agent_spec spec = spec_of(program);
	struct scenario_program probe = *said;
	int rc;

	probe.run = words;
	spec.program = &probe;
	spec.output_func = NULL;
	rc = agent_start(trial->loop, &spec, NULL, func, trial, ret_agent, err);
	return rc < 0 ? error_prefix(err, rc, "node '%s'", spec.name) : 0;
}

int node_restart_program(struct trial_program *program, struct error *err)
{
	if (program->agent && agent_running(program->agent))
		return error_input(
			err, "the agent of the %s is still running",
			scenario_node_name(program->host->trial->spec.scenario, program->host->id));
	look_at_bytes(program);
	program->agent = agent_free(program->agent);
	return node_start_program(program, NULL, err);
}

static char *pcap_path(const struct trial *trial, enum node_id id)
{
	unsigned int boots = trial->testbed->node[id].boots;
	char ending[32] = ".pcap";

	if (boots > 1)
		snprintf(ending, sizeof(ending), "-boot%u.pcap", boots);
	return trial->spec.pcap_dir ? trial_file(trial, id, trial->spec.pcap_dir, ending) : NULL;
}

int node_watch(struct trial *trial, enum node_id id, struct error *err)
{
	struct testbed_node *node = &trial->testbed->node[id];
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
	rc = observer_watch(trial->observer, &spec, events_observation, &trial->host[id],
			    &trial->host[id].watch, err);
	return rc < 0 ? error_prefix(err, rc, "node '%s'",
				     scenario_node_name(trial->spec.scenario, id))
		      : 0;
}

int node_unwatch(struct trial *trial, enum node_id id, struct error *err)
{
	struct trial_host *host = &trial->host[id];
	int rc = host->watch ? observer_watch_check(host->watch, err) : 0;

	host->watch = observer_watch_free(host->watch);
	return rc;
}

static void tell_node_changed(const struct trial *trial, enum node_id id, const struct netns *ns)
{
	const struct trial_hooks *hooks = trial->spec.hooks;

	if (hooks && hooks->node_changed)
		hooks->node_changed(id, ns, hooks->userdata);
}

/* A capture that cannot be written fails the trial, and not the fault that takes the host away. */
void node_let_go(struct trial *trial, enum node_id id)
{
	struct trial_host *host = &trial->host[id];
	struct error err = { 0 };

	if (host->watch)
		observer_watch_flush(host->watch);
	for (size_t i = 0; i < host->n_programs; i++)
		look_at_bytes(&host->program[i]);
	host->powered = false;
	for (enum end_id e = 0; e < trial->n_ends; e++)
		for (int w = 0; trial->end[e].host == host && w < _WITNESS_MAX; w++)
			trial->end[e].view[w].powerless = true;
	tell_node_changed(trial, id, NULL);
	if (node_unwatch(trial, id, &err) < 0)
		trial_fail(trial, &err);
}

int node_take_up(struct trial *trial, enum node_id id, bool service, struct error *err)
{
	int rc = node_watch(trial, id, err);

	tell_node_changed(trial, id, trial->testbed->node[id].ns);
	for (size_t i = 0; rc >= 0 && service && i < trial->host[id].n_programs; i++)
		rc = node_start_program(&trial->host[id].program[i], NULL, err);
	return rc;
}

static uint16_t port_of(const struct scenario *s, enum end_id id)
{
	const struct scenario_connection *c = &s->connections[end_connection(id)];

	if (!c->name)
		return trial_port(s, scenario_end_node(s, id));
	return c->port ? (uint16_t)c->port : trial_port(s, c->to);
}

static void init_end(struct trial *trial, enum end_id id)
{
	const struct scenario *s = trial->spec.scenario;
	enum node_id node = scenario_end_node(s, id);
	bool derived = observer_derived_reason(trial->observer);
	struct trial_end *end = &trial->end[id];

	*end = (struct trial_end){ .trial = trial,
				   .host = &trial->host[node],
				   .id = id,
				   .asked = id,
				   .rto_nsec = NSEC_NONE,
				   .keepalive_nsec = NSEC_NONE,
				   .doubt_nsec = NSEC_NEVER,
				   .followed.renewed_nsec = NSEC_NONE,
				   .minisocket = { .look_nsec = NSEC_NEVER,
						   .fin_nsec = NSEC_NONE,
						   .reset_nsec = NSEC_NONE },
				   .believed = derived ? WITNESS_DERIVED : WITNESS_TRACEPOINT };
	for (int w = 0; w < _WITNESS_MAX; w++) {
		endpoint_init(&end->view[w], id);
		end->view[w].derived = w == WITNESS_DERIVED;
		end->view[w].port = port_of(s, id);
		end->view[w].many = trial->connections > 1;
		end->view[w].command = scenario_is_command(&s->agent[node]);
		end->view[w].user_timeout_nsec =
			scenario_option(&s->agent[node], OPTION_USER_TIMEOUT, 0);
	}
}

void node_init(struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;

	trial->connections =
		(uint32_t)scenario_option(&s->agent[NODE_CLIENT], OPTION_CONNECTIONS, 1);
	for (enum node_id id = 0; id < _NODE_MAX; id++)
		trial->host[id] = (struct trial_host){
			.trial = trial, .id = id, .powered = true, .told_nsec = NSEC_NONE
		};
	for (enum node_id id = 0; id < s->n_hosts; id++) {
		struct trial_host *host = &trial->host[id];

		host->n_programs = scenario_n_programs(s, id);
		for (size_t i = 0; i < host->n_programs; i++)
			host->program[i] = (struct trial_program){ .host = host,
								   .index = i,
								   .bytes_read = -1 };
	}
	trial->n_ends = s->n_ends;
	for (enum end_id id = 0; id < trial->n_ends; id++)
		init_end(trial, id);
}
