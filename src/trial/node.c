/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/node.h"

#include <errno.h>
#include <stdio.h>

#include "src/trial/events.h"
#include "src/trial/look.h"

/* The other end, as far as an agent's own setting tells: many may connect to one that listens. */
static enum node_id peer_of(const struct scenario *s, enum node_id id)
{
	return scenario_connects(s, id) ? s->agent[id].to : testbed_peer(id);
}

int node_start_agent(struct trial *trial, enum node_id id, struct agent *standby, struct error *err)
{
	struct testbed *tb = trial->testbed;
	struct agent_spec spec = {
		.connects = scenario_connects(trial->spec.scenario, id),
		.family = trial->spec.family,
		.options = &trial->spec.scenario->agent[id],
		.local = tb->node[id].address,
		.peer = tb->node[peer_of(trial->spec.scenario, id)].address,
		.port = trial_port(trial->spec.scenario, id),
		.place = trial->spec.place,
		.many = trial->connections > 1,
		.ns = tb->node[id].ns,
		.wait = id == NODE_CLIENT && trial->phase == PHASE_SERVER,
		.hosts = trial->names,
		.n_hosts = trial->spec.scenario->n_hosts,
	};
	struct trial_host *host = &trial->host[id];
	int rc;

	snprintf(spec.name, sizeof(spec.name), "%s", scenario_node_name(trial->spec.scenario, id));
	rc = agent_start(trial->loop, &spec, standby, events_report, host, &host->agent, err);

	if (rc >= 0 && !host->processes++)
		host->original = host->agent;
	return rc < 0 ? error_prefix(err, rc, "node '%s'",
				     scenario_node_name(trial->spec.scenario, id))
		      : 0;
}

int node_restart_agent(struct trial *trial, enum node_id id, struct error *err)
{
	struct trial_host *host = &trial->host[id];

	if (host->agent && agent_running(host->agent))
		return error_input(err, "the agent of the %s is still running",
				   scenario_node_name(trial->spec.scenario, id));
	look_at_bytes(host);
	host->agent = agent_free(host->agent);
	return node_start_agent(trial, id, NULL, err);
}

static char *pcap_path(const struct trial *trial, enum node_id id)
{
	const struct trial_spec *spec = &trial->spec;
	const struct scenario *s = spec->scenario;
	unsigned int boots = trial->testbed->node[id].boots;
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
		     repeat, scenario_node_name(s, id), boot) < 0)
		return NULL;
	return path;
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
	look_at_bytes(host);
	host->powered = false;
	for (enum end_id e = 0; e < _END_MAX; e++)
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
	return rc < 0 || !service ? rc : node_start_agent(trial, id, NULL, err);
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
				   .rto_nsec = NSEC_NONE,
				   .doubt_nsec = NSEC_NEVER,
				   .minisocket = { .look_nsec = NSEC_NEVER,
						   .fin_nsec = NSEC_NONE,
						   .reset_nsec = NSEC_NONE },
				   .believed = derived ? WITNESS_DERIVED : WITNESS_TRACEPOINT };
	for (int w = 0; w < _WITNESS_MAX; w++) {
		endpoint_init(&end->view[w], id);
		end->view[w].derived = w == WITNESS_DERIVED;
		end->view[w].port = trial_port(s, node);
		end->view[w].many = trial->connections > 1;
		end->view[w].command = s->agent[node].program.run;
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
		trial->host[id] = (struct trial_host){ .trial = trial,
						       .id = id,
						       .powered = true,
						       .told_nsec = NSEC_NONE,
						       .bytes_read = -1 };
	for (enum end_id id = 0; id < _END_MAX; id++)
		init_end(trial, id);
}
