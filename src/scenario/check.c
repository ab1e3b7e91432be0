/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks what only shows on the whole scenario: whether its parts fit together. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/scenario/option.h"

static int check_path(const struct scenario *scenario, struct error *err)
{
	const char *problem = scenario_netem_problem(&scenario->path.netem);

	if (problem)
		return scenario_refuse(scenario, scenario->path.line, err, "path: %s", problem);
	if (scenario->n_hosts > NODE_SERVER + 1 && scenario->path.kind == PATH_DIRECT)
		return scenario_refuse(
			scenario, scenario->path.line, err,
			"path: a direct path is one cable between client and server; "
			"with more hosts it is routed or switched");
	if (scenario_tracks(scenario) && scenario->path.kind != PATH_ROUTED)
		return scenario_refuse(scenario, scenario->path.line, err,
				       "path: conntrack, nat and untracked need a router: 'path: "
				       "routed', not %s",
				       path_kind_name(scenario->path.kind));
	return 0;
}

static int check_commands(const struct scenario *scenario, enum node_id node, struct error *err)
{
	const struct scenario_agent *agent = &scenario->agent[node];

	if (agent->to_line)
		return scenario_refuse(scenario, agent->to_line, err,
				       "%s.to is for built-in agents; the %s runs a command, and "
				       "'follow' says where its connection goes to",
				       scenario_node_name(scenario, node),
				       scenario_node_name(scenario, node));
	for (int i = 0; i < _OPTION_MAX; i++)
		if (agent->option[i] != OPTION_UNSET && i != OPTION_WORKLOAD && i != OPTION_PORT)
			return scenario_refuse(
				scenario, agent->option_line[i], err,
				"%s.%s is an option of built-in agents; the %s runs a command",
				scenario_node_name(scenario, node), option_definitions[i].key,
				scenario_node_name(scenario, node));
	return 0;
}

static bool says_keepalive(const struct scenario_agent *agent)
{
	return agent->option[OPTION_KEEPALIVE] != OPTION_UNSET;
}

/* Refuses times of keepalive where nothing says whether keepalive is on, since they would silently
 * do nothing. Where they were said for both ends at once, it is enough that one end says so. */
static int check_keepalive(const struct scenario *scenario, enum node_id node, struct error *err)
{
	const struct scenario_agent *agent = &scenario->agent[node];
	/* Only client and server can be given an option at once. */
	const struct scenario_agent *other = &scenario->agent[node == NODE_CLIENT];
	bool both = node <= NODE_SERVER;

	if (says_keepalive(agent))
		return 0;
	for (int i = OPTION_KEEPALIVE_IDLE; i <= OPTION_KEEPALIVE_COUNT; i++) {
		bool shared = both && other->option[i] == agent->option[i] &&
			      other->option_line[i] == agent->option_line[i];

		if (agent->option[i] != OPTION_UNSET && !(shared && says_keepalive(other)))
			return scenario_refuse(scenario, agent->option_line[i], err,
					       "%s.%s does nothing while keepalive is off; add "
					       "%s.keepalive.enabled, true or false",
					       scenario_node_name(scenario, node),
					       option_definitions[i].key,
					       scenario_node_name(scenario, node));
	}
	return 0;
}

/* Refuses options of a host without a program, and those of a client where it is a server. */
static int check_role(const struct scenario *s, enum node_id node, struct error *err)
{
	const struct scenario_agent *agent = &s->agent[node];
	enum node_id role = scenario_connects(s, node) ? NODE_CLIENT : NODE_SERVER;
	const char *name = scenario_node_name(s, node);

	if (!scenario_has_agent(s, node) && agent->to_line)
		return scenario_refuse(s, agent->to_line, err,
				       "%s.to: nothing runs on the %s; give it a workload", name,
				       name);
	for (int i = 0; i < _OPTION_MAX; i++) {
		const char *key = option_definitions[i].key;

		if (agent->option[i] == OPTION_UNSET)
			continue;
		if (!scenario_has_agent(s, node) && i != OPTION_PORT)
			return scenario_refuse(s, agent->option_line[i], err,
					       "%s.%s: nothing runs on the %s; give it a workload",
					       name, key, name);
		if (!(option_definitions[i].nodes & (1u << role)))
			return scenario_refuse(s, agent->option_line[i], err,
					       "%s.%s is an option of a %s; '%s.to' makes the %s a "
					       "client",
					       name, key, role == NODE_CLIENT ? "server" : "client",
					       name, name);
	}
	return 0;
}

static int check_agent(const struct scenario *scenario, enum node_id node, struct error *err)
{
	const struct scenario_agent *agent = &scenario->agent[node];

	int rc;

	if (scenario_is_command(agent))
		return check_commands(scenario, node, err);
	rc = check_role(scenario, node, err);
	if (rc == 0 && scenario_connects(scenario, node) &&
	    agent->option[OPTION_WORKLOAD] == WORKLOAD_NO_ACCEPT)
		return scenario_refuse(
			scenario, agent->option_line[OPTION_WORKLOAD], err,
			"%s.workload: the %s does not listen, so that 'no-accept' is "
			"for a server",
			scenario_node_name(scenario, node), scenario_node_name(scenario, node));
	return rc < 0 ? rc : check_keepalive(scenario, node, err);
}

/* How many connections the built-in client makes of itself, or because an action says so. */
static uint64_t count_connections(const struct scenario *s)
{
	const struct scenario_agent *client = &s->agent[NODE_CLIENT];
	uint64_t times = scenario_option(client, OPTION_AUTOCONNECT, 1) != 0;

	for (size_t i = 0; i < s->n_events; i++)
		times += s->events[i].kind == EVENT_ACTION && s->events[i].node == NODE_CLIENT &&
			 (s->events[i].action == ACTION_CONNECT ||
			  s->events[i].action == ACTION_START);
	return times * (uint64_t)scenario_option(client, OPTION_CONNECTIONS, 1);
}

/* What becomes of many connections of a built-in client is told by its population. */
static int check_all(const struct scenario *s, struct error *err)
{
	for (enum end_id end = 0; end < s->n_ends; end += 2)
		if (scenario_follows(s, end) == SCENARIO_FOLLOW_ALL &&
		    scenario_option(&s->agent[NODE_CLIENT], OPTION_CONNECTIONS, 1) > 1)
			return scenario_refuse(
				s, s->follow_line ? s->follow_line : s->connections[0].line, err,
				"follow: all is for connections that come one by one; those of "
				"'client.connections' are told of as a whole ('population')");
	return 0;
}

static int check_follow(const struct scenario *s, struct error *err)
{
	int rc = check_all(s, err);

	if (rc < 0)
		return rc;
	if (s->follow <= 1 || s->follow >= SCENARIO_FOLLOW_LAST ||
	    scenario_is_command(&s->agent[NODE_CLIENT]) || s->follow <= count_connections(s))
		return 0;
	return scenario_refuse(s, s->follow_line, err,
			       "follow: connection %" PRIu32 " is to be followed, and the client "
			       "makes %" PRIu64,
			       s->follow, count_connections(s));
}

static bool is_empty_interval(const struct expect_time *after, const struct expect_time *before)
{
	return after->present && before->present && !after->predicted && !before->predicted &&
	       after->time_nsec >= before->time_nsec;
}

static int check_times(const struct scenario *scenario, enum end_id end,
		       const struct expectation *e, struct error *err)
{
	bool gone = is_empty_interval(&e->gone_after, &e->gone_before);
	char name[SCENARIO_END_NAME_SIZE];

	if (!gone && !is_empty_interval(&e->after, &e->before))
		return 0;
	return scenario_refuse(
		scenario, e->line, err, "expect: %s:%s 'after' is not earlier than 'before'",
		scenario_end_name(scenario, end, name, sizeof(name)), gone ? " gone:" : "");
}

static int check_samples(const struct scenario *s, enum end_id end, const struct expectation *e,
			 struct error *err)
{
	for (size_t i = 0; i < e->n_samples; i++) {
		const struct expect_sample *sample = &e->samples[i];

		if (!s->sample_nsec)
			return scenario_refuse(s, sample->line, err,
					       "expect: samples: nothing is sampled; say how often "
					       "with 'sample: 1s'");
		if (sample->at_nsec > s->horizon_nsec || sample->at_nsec > s->sample_until_nsec)
			return scenario_refuse(s, sample->line, err,
					       "expect: samples: by then nothing is sampled any "
					       "more");
	}
	for (int i = 0; i < _OUTCOME_MAX; i++)
		if (e->population[i].present &&
		    scenario_option(&s->agent[NODE_CLIENT], OPTION_CONNECTIONS, 1) <= 1)
			return scenario_refuse(s, e->line, err,
					       "expect: population: there is one connection; "
					       "'client.connections' makes more");
	return 0;
}

/* Applies one check to what is expected of each endpoint with each family. */
static int check_each(const struct scenario *s,
		      int (*check)(const struct scenario *, enum end_id, const struct expectation *,
				   struct error *),
		      struct error *err)
{
	int rc = 0;

	for (int family = 0; rc == 0 && family < _FAMILY_MAX; family++)
		for (enum end_id end = 0; rc == 0 && end < s->n_ends; end++)
			rc = check(s, end, &s->expect[family][end], err);
	return rc;
}

int scenario_check(struct scenario *scenario, struct error *err)
{
	int rc;

	rc = check_path(scenario, err);
	for (enum node_id node = 0; rc == 0 && node < scenario->n_hosts; node++)
		rc = check_agent(scenario, node, err);
	if (rc == 0)
		rc = scenario_check_timeline(scenario, err);
	if (rc == 0)
		rc = check_follow(scenario, err);
	if (rc == 0)
		rc = check_each(scenario, check_times, err);
	return rc < 0 ? rc : check_each(scenario, check_samples, err);
}
