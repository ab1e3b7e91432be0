/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets one setting by its flat key: "client.net.ipv4.tcp_retries2", "path.delay",
 * "keepalive.idle". Files, quick settings, variants and --set all come here.
 */
#include <errno.h>
#include <string.h>

#include "src/scenario/field.h"
#include "src/scenario/internal.h"
#include "src/scenario/option.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

bool scenario_netem_is_empty(const struct netem *netem)
{
	char buffer[64];
	struct setting_value value;

	for (int i = 0; i < NETEM_FIELDS; i++)
		if (field_tell(&netem_fields[i], netem, buffer, sizeof(buffer), &value))
			return false;
	return true;
}

bool scenario_for_each_key(bool (*each)(const char *key, void *userdata), void *userdata)
{
	char key[64];

	for (int i = 0; i < _OPTION_MAX; i++) {
		if (each(option_definitions[i].key, userdata))
			return true;
		for (enum node_id node = 0; node <= NODE_SERVER; node++) {
			snprintf(key, sizeof(key), "%s.%s", node_name(node),
				 option_definitions[i].key);
			if ((option_definitions[i].nodes & (1u << node)) && each(key, userdata))
				return true;
		}
	}
	for (size_t i = 0; i < n_scenario_fields; i++) {
		const struct field *field = &scenario_fields[i];

		if ((field->alias && each(field->alias, userdata)) || each(field->key, userdata))
			return true;
	}
	return false;
}

/* Goes through the keys of settings, and those that only files have, as maps and lists. */
static bool for_each_key(bool (*each)(const char *key, void *userdata), void *userdata)
{
	return scenario_for_each_key(each, userdata) || each("client.command", userdata) ||
	       each("server.command", userdata) || each("client.programs", userdata) ||
	       each("server.programs", userdata) || each("client.to", userdata) ||
	       each("client.sysctl", userdata) || each("server.sysctl", userdata) ||
	       each("router.sysctl", userdata);
}

static bool is_key_or_begins(const char *key, void *userdata)
{
	const char *wanted = userdata;
	size_t n = strlen(wanted);

	return !strncmp(key, wanted, n) && (key[n] == '.' || !key[n]);
}

bool scenario_key_known(const char *key)
{
	return for_each_key(is_key_or_begins, (void *)key);
}

static bool offer(const char *key, void *userdata)
{
	suggestion_offer(userdata, key);
	return false;
}

/* The node that a key begins with, which is then taken off `*key`; -1 when there is none. */
static int split_node(const struct scenario *scenario, const char **key)
{
	size_t n = strcspn(*key, ".");
	int node = (*key)[n] ? scenario_find_node(scenario, *key, n) : -1;

	if (node >= 0)
		*key += n + 1;
	return node;
}

static int unknown_key(const struct scenario *scenario, const char *key, struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];
	const char *sysctl = key, *missing = NULL;

	/* "tcp_retries2" and "client.tcp_retries2" are how /proc/sys/net/ipv4 calls a sysctl. */
	split_node(scenario, &sysctl);
	if (!strncmp(sysctl, "tcp_", 4) || !strncmp(sysctl, "ip_", 3))
		missing = "net.ipv4.";
	else if (!strncmp(sysctl, "ipv4.", 5) || !strncmp(sysctl, "ipv6.", 5))
		missing = "net.";
	if (missing)
		return error_input(err, "there is no such setting; did you mean '%.*s%s%s'?",
				   (int)(sysctl - key), key, missing, sysctl);
	suggestion_init(&suggestion, key);
	for_each_key(offer, &suggestion);
	return error_input(err, "there is no such setting%s",
			   suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

static const struct field *find_field(const char *key)
{
	for (size_t i = 0; i < n_scenario_fields; i++)
		if (!strcmp(scenario_fields[i].key, key) ||
		    (scenario_fields[i].alias && !strcmp(scenario_fields[i].alias, key)))
			return &scenario_fields[i];
	return NULL;
}

/* Sets `key` if it is a setting that belongs to no node. Returns 1 if it is, and 0 if it is not. */
static int set_field(struct scenario *scenario, const char *key, const char *value, int line,
		     struct error *err)
{
	const struct field *field = find_field(key);
	int rc = field ? field_parse(field, scenario, value, err) : 0;

	if (!field || rc < 0)
		return rc;
	scenario->path.has_netem = !scenario_netem_is_empty(&scenario->path.netem);
	if (!strncmp(key, "path", 4))
		scenario->path.line = line;
	if (!strcmp(key, "horizon"))
		scenario->horizon_line = line;
	if (!strcmp(key, "follow"))
		scenario->follow_line = line;
	return 1;
}

static int check_sysctl(const char *key, const char *value, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.";

	if (strncmp(key, "net.", 4))
		return error_input(err,
				   "sysctl '%s' does not begin with 'net.'; a node has a "
				   "network stack of its own and nothing else",
				   key);
	if (strlen(key) > 128 || key[strspn(key, allowed)] || strstr(key, "..") ||
	    key[strlen(key) - 1] == '.')
		return error_input(err, "'%s' is not the name of a sysctl", key);
	if (strlen(value) > 256)
		return error_input(err, "the value of sysctl '%s' is longer than 256 bytes", key);
	return scenario_check_bounds(key, value, err);
}

static int set_sysctl(struct scenario *scenario, enum node_id node, const char *key,
		      const char *value, int line, struct error *err)
{
	struct scenario_node *to = &scenario->node[node];
	struct scenario_sysctl *sysctl = scenario_find_sysctl(to, key);
	char *copy;

	if (!sysctl) {
		if (to->n_sysctls == SCENARIO_MAX_SYSCTLS)
			return error_input(err, "more than %d sysctls on one node",
					   SCENARIO_MAX_SYSCTLS);
		sysctl = array_append(&to->sysctls, &to->n_sysctls, sizeof(*sysctl));
		if (sysctl)
			sysctl->key = strdup(key);
		if (!sysctl || !sysctl->key)
			return error_errno(err, -ENOMEM, "sysctl");
	}
	copy = strdup(value);
	if (!copy)
		return error_errno(err, -ENOMEM, "sysctl");
	free(sysctl->value);
	sysctl->value = copy;
	sysctl->line = line;
	return 0;
}

/* Which host an agent connects to, so that it is a client. */
static int set_to(struct scenario *scenario, int node, const char *value, int line,
		  struct error *err)
{
	int to = scenario_find_node(scenario, value, strlen(value));

	if (node < 0 || node == NODE_ROUTER)
		return error_input(err, "it is a host that connects to another; write HOST.to");
	if (node == NODE_SERVER)
		return error_input(err, "the server does not connect");
	if (to < 0)
		return error_input(err, "there is no host '%s'", value);
	if (to == NODE_ROUTER || to == node)
		return error_input(err, "the %s cannot connect to %s",
				   scenario_node_name(scenario, (enum node_id)node),
				   to == node ? "itself" : "the router");
	scenario->agent[node].to = (enum node_id)to;
	scenario->agent[node].to_line = line;
	return 0;
}

static int set_option(struct scenario *scenario, int node, int option, const char *value, int line,
		      struct error *err)
{
	struct scenario_agent *agent = &scenario->agent[node];
	int rc;

	rc = option_parse(option, value, &agent->option[option], err);
	if (rc < 0)
		return rc;
	agent->option_line[option] = line;
	if (option == OPTION_WORKLOAD)
		scenario_forget_programs(agent);
	return 0;
}

/* Sets an option at each end that has it. A user's own command has no option but the port. */
static int set_option_of_both(struct scenario *scenario, int option, const char *value, int line,
			      struct error *err)
{
	int rc, done = 0;

	for (enum node_id node = 0; node <= NODE_SERVER; node++) {
		if (!(option_definitions[option].nodes & (1u << node)))
			continue;
		if (scenario_is_command(&scenario->agent[node]) && option != OPTION_PORT)
			continue;
		rc = set_option(scenario, node, option, value, line, err);
		if (rc < 0)
			return rc;
		done++;
	}
	return done ? 0 : error_input(err, "only built-in agents have this, and there is none");
}

int scenario_set(struct scenario *scenario, const char *key, const char *value, int line,
		 struct error *err)
{
	const char *rest = key;
	bool is_sysctl;
	int rc, option, node;

	if (!*value)
		return error_input(err, "has no value");
	rc = set_field(scenario, key, value, line, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	node = split_node(scenario, &rest);
	is_sysctl = !strncmp(rest, "net.", 4);
	if (!strncmp(rest, "sysctl.", 7)) {
		is_sysctl = true;
		rest += 7;
	}
	if (is_sysctl) {
		rc = check_sysctl(rest, value, err);
		if (rc == 0 && node >= 0)
			return set_sysctl(scenario, node, rest, value, line, err);
		for (node = 0; rc == 0 && node <= NODE_SERVER; node++)
			rc = set_sysctl(scenario, node, rest, value, line, err);
		return rc;
	}
	if (!strcmp(rest, "command") || !strncmp(rest, "command.", strlen("command.")))
		return error_input(err, "a command is a list, and stands in the file: "
					"[PROGRAM, ARGUMENT, ...]");
	if (!strcmp(rest, "programs") || !strncmp(rest, "programs.", strlen("programs.")))
		return error_input(err, "programs are a list, and stand in the file");
	if (!strcmp(rest, "to"))
		return set_to(scenario, node, value, line, err);
	option = option_from_key(rest);
	if (option < 0)
		return unknown_key(scenario, key, err);
	if (node < 0)
		return set_option_of_both(scenario, option, value, line, err);
	if (node == NODE_ROUTER)
		return error_input(err, "the router has no such option; it has sysctls only");
	if (node <= NODE_SERVER && !(option_definitions[option].nodes & (1u << node)))
		return error_input(err, "the %s has no such option; it is the %s's",
				   scenario_node_name(scenario, (enum node_id)node),
				   node == NODE_CLIENT ? "server" : "client");
	return set_option(scenario, node, option, value, line, err);
}

const char *scenario_netem_problem(const struct netem *netem)
{
	if (netem->delay_nsec)
		return NULL;
	if (netem->jitter_nsec)
		return "jitter needs a delay that it changes";
	if (netem->reorder > 0)
		return "reorder needs a delay: the packets it picks overtake those that wait";
	return NULL;
}
