/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/node.h"

#include <errno.h>
#include <stdio.h>

#include "src/trial/events.h"
#include "src/trial/look.h"

int node_start_agent(struct trial *trial, enum node_id id, struct agent *standby, struct error *err)
{
	struct testbed *tb = trial->testbed;
	struct agent_spec spec = {
		.node = id,
		.family = trial->spec.family,
		.options = &trial->spec.scenario->agent[id],
		.local = tb->node[id].address,
		.peer = tb->node[testbed_peer(id)].address,
		.port = trial_port(trial->spec.scenario, id),
		.place = trial->spec.place,
		.many = trial->connections > 1,
		.ns = tb->node[id].ns,
		.wait = id == NODE_CLIENT && trial->phase == PHASE_SERVER,
	};
	int rc = agent_start(trial->loop, &spec, standby, events_report, &trial->node[id],
			     &trial->agent[id], err);

	if (rc >= 0 && !trial->node[id].processes++)
		trial->node[id].original = trial->agent[id];
	return rc < 0 ? error_prefix(err, rc, "node '%s'", node_name(id)) : 0;
}

int node_restart_agent(struct trial *trial, enum node_id id, struct error *err)
{
	struct agent **agent = &trial->agent[id];

	if (*agent && agent_running(*agent))
		return error_input(err, "the agent of the %s is still running", node_name(id));
	look_at_bytes(&trial->node[id]);
	*agent = agent_free(*agent);
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
		     repeat, node_name(id), boot) < 0)
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
	rc = observer_watch(trial->observer, &spec, events_observation, &trial->node[id],
			    &trial->node[id].watch, err);
	return rc < 0 ? error_prefix(err, rc, "node '%s'", node_name(id)) : 0;
}

int node_unwatch(struct trial *trial, enum node_id id, struct error *err)
{
	struct trial_node *node = &trial->node[id];
	int rc = node->watch ? observer_watch_check(node->watch, err) : 0;

	node->watch = observer_watch_free(node->watch);
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
	struct trial_node *node = &trial->node[id];
	struct error err = { 0 };

	if (node->watch)
		observer_watch_flush(node->watch);
	look_at_bytes(node);
	node->follows = false;
	for (int w = 0; w < _WITNESS_MAX; w++)
		node->view[w].powerless = true;
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

void node_init(struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	bool derived = observer_derived_reason(trial->observer);

	trial->connections =
		(uint32_t)scenario_option(&s->agent[NODE_CLIENT], OPTION_CONNECTIONS, 1);
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		struct trial_node *node = &trial->node[id];

		*node = (struct trial_node){ .trial = trial,
					     .id = id,
					     .rto_nsec = NSEC_NONE,
					     .told_nsec = NSEC_NONE,
					     .bytes_read = -1,
					     .doubt_nsec = NSEC_NEVER,
					     .minisocket = { .look_nsec = NSEC_NEVER,
							     .fin_nsec = NSEC_NONE,
							     .reset_nsec = NSEC_NONE },
					     .believed = derived ? WITNESS_DERIVED
								 : WITNESS_TRACEPOINT };
		for (int w = 0; w < _WITNESS_MAX; w++)
			endpoint_init(&node->view[w], id);
		if (id == NODE_ROUTER)
			continue;
		node->follows = true;
		for (int w = 0; w < _WITNESS_MAX; w++) {
			node->view[w].derived = w == WITNESS_DERIVED;
			node->view[w].port = trial_port(s, id);
			node->view[w].many = trial->connections > 1;
			node->view[w].command = s->agent[id].program.run;
			node->view[w].user_timeout_nsec =
				scenario_option(&s->agent[id], OPTION_USER_TIMEOUT, 0);
		}
	}
}
