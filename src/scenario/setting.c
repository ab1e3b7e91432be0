/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One setting, by its flat key: "client.net.ipv4.tcp_retries2", "path.delay",
 * "keepalive.idle". Files, quick settings, variants and --set all end here.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/scenario/option.h"
#include "src/text/quantity.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

#define HORIZON_MAX (3650 * 86400 * NSEC_PER_SEC)

enum netem_key {
	NETEM_DELAY,
	NETEM_JITTER,
	NETEM_LOSS,
	NETEM_DUPLICATE,
	NETEM_CORRUPT,
	NETEM_REORDER,
	NETEM_RATE,
	NETEM_LIMIT,
};
const char *const netem_keys[NETEM_KEY_COUNT] = {
	[NETEM_DELAY] = "delay",	 [NETEM_JITTER] = "jitter",   [NETEM_LOSS] = "loss",
	[NETEM_DUPLICATE] = "duplicate", [NETEM_CORRUPT] = "corrupt", [NETEM_REORDER] = "reorder",
	[NETEM_RATE] = "rate",		 [NETEM_LIMIT] = "limit",
};

static int parse_delay(const char *value, nsec_t *ret_span, struct error *err)
{
	nsec_t span;
	int rc;

	rc = nsec_parse(value, &span, err);
	if (rc < 0)
		return rc;
	if (span > 3600 * NSEC_PER_SEC)
		return error_input(err, "%s is out of range; it goes from 0 to 1h", value);
	*ret_span = span;
	return 0;
}

int scenario_set_netem(struct netem *netem, int key, const char *value, struct error *err)
{
	uint64_t count;
	int rc;

	switch ((enum netem_key)key) {
	case NETEM_DELAY:
		return parse_delay(value, &netem->delay_nsec, err);
	case NETEM_JITTER:
		return parse_delay(value, &netem->jitter_nsec, err);
	case NETEM_LOSS:
		return quantity_parse_percent(value, &netem->loss, err);
	case NETEM_DUPLICATE:
		return quantity_parse_percent(value, &netem->duplicate, err);
	case NETEM_CORRUPT:
		return quantity_parse_percent(value, &netem->corrupt, err);
	case NETEM_REORDER:
		return quantity_parse_percent(value, &netem->reorder, err);
	case NETEM_RATE:
		return quantity_parse_rate(value, &netem->rate_bps, err);
	case NETEM_LIMIT:
		rc = quantity_parse_count(value, 1, 1000000, &count, err);
		if (rc == 0)
			netem->limit_packets = (uint32_t)count;
		return rc;
	}
	return -EINVAL;
}

bool scenario_netem_is_empty(const struct netem *netem)
{
	return !netem->delay_nsec && !netem->jitter_nsec && netem->loss <= 0 &&
	       netem->duplicate <= 0 && netem->corrupt <= 0 && netem->reorder <= 0 &&
	       !netem->rate_bps && !netem->limit_packets;
}

/* Every key there is, for suggestions and to tell whether one is known. `each` returns true to
 * stop. */
static bool for_each_key(bool (*each)(const char *key, void *userdata), void *userdata)
{
	char key[64];

	for (int i = 0; i < _OPTION_MAX; i++) {
		if (each(option_definitions[i].key, userdata))
			return true;
		for (int node = 0; node < _ENDPOINT_MAX; node++) {
			snprintf(key, sizeof(key), "%s.%s", node_name(node),
				 option_definitions[i].key);
			if ((option_definitions[i].nodes & (1u << node)) && each(key, userdata))
				return true;
		}
	}
	for (int i = 0; i < NETEM_KEY_COUNT; i++) {
		snprintf(key, sizeof(key), "path.%s", netem_keys[i]);
		if (each(key, userdata))
			return true;
	}
	return each("path.kind", userdata) || each("path.mtu", userdata) ||
	       each("path.conntrack", userdata) || each("path.nat", userdata) ||
	       each("path.untracked", userdata) || each("client.command", userdata) ||
	       each("server.command", userdata) || each("client.sysctl", userdata) ||
	       each("server.sysctl", userdata) || each("router.sysctl", userdata) ||
	       each("horizon", userdata) || each("sample", userdata) ||
	       each("sample.every", userdata) || each("sample.until", userdata);
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

/* The node that a key begins with, and in `*key` what comes after it; -1 when there is none. */
static int split_node(const char **key)
{
	for (int node = 0; node < _NODE_MAX; node++) {
		size_t n = strlen(node_name(node));

		if (!strncmp(*key, node_name(node), n) && (*key)[n] == '.') {
			*key += n + 1;
			return node;
		}
	}
	return -1;
}

static int unknown_key(const char *key, struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];
	const char *sysctl = key;

	/* "tcp_retries2", "client.tcp_retries2": whoever knows it from /proc/sys/net/ipv4. */
	split_node(&sysctl);
	if (!strncmp(sysctl, "tcp_", 4) || !strncmp(sysctl, "ip_", 3))
		return error_input(err, "there is no such setting; did you mean '%.*snet.ipv4.%s'?",
				   (int)(sysctl - key), key, sysctl);
	if (!strncmp(sysctl, "ipv4.", 5) || !strncmp(sysctl, "ipv6.", 5))
		return error_input(err, "there is no such setting; did you mean '%.*snet.%s'?",
				   (int)(sysctl - key), key, sysctl);
	suggestion_init(&suggestion, key);
	for_each_key(offer, &suggestion);
	return error_input(err, "there is no such setting%s",
			   suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

static int set_nat(struct scenario *scenario, const char *value, struct error *err)
{
	scenario->path.masquerade = !strcmp(value, "masquerade");
	if (!scenario->path.masquerade && strcmp(value, "none"))
		return error_input(err, "'%s' is neither none nor masquerade", value);
	return 0;
}

static int set_untracked(struct scenario *scenario, const char *value, struct error *err)
{
	int policy = untracked_from_name(value);

	if (policy < 0)
		return error_input(err, "'%s' is none of pass, drop and reset", value);
	scenario->path.untracked = policy;
	return 0;
}

static int set_path(struct scenario *scenario, const char *key, const char *value, int line,
		    struct error *err)
{
	int rc, kind;
	uint64_t mtu;

	scenario->path.line = line;
	if (!strcmp(key, "path") || !strcmp(key, "path.kind")) {
		kind = path_kind_from_name(value);
		if (kind < 0)
			return error_input(err,
					   "there is no path '%s'; use routed, switched or direct",
					   value);
		scenario->path.kind = kind;
		return 0;
	}
	if (!strcmp(key, "path.mtu")) {
		rc = quantity_parse_count(value, 1280, 65535, &mtu, err);
		if (rc == 0)
			scenario->path.mtu = (unsigned int)mtu;
		return rc;
	}
	if (!strcmp(key, "path.conntrack"))
		return quantity_parse_bool(value, &scenario->path.conntrack, err);
	if (!strcmp(key, "path.nat"))
		return set_nat(scenario, value, err);
	if (!strcmp(key, "path.untracked"))
		return set_untracked(scenario, value, err);
	for (int i = 0; i < NETEM_KEY_COUNT; i++)
		if (!strncmp(key, "path.", 5) && !strcmp(key + 5, netem_keys[i])) {
			rc = scenario_set_netem(&scenario->path.netem, i, value, err);
			scenario->path.has_netem = !scenario_netem_is_empty(&scenario->path.netem);
			return rc;
		}
	return unknown_key(key, err);
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
	return 0;
}

static int set_sysctl(struct scenario *scenario, enum node_id node, const char *key,
		      const char *value, int line, struct error *err)
{
	struct scenario_node *to = &scenario->node[node];
	struct scenario_sysctl *sysctl = NULL;
	char *copy;

	for (size_t i = 0; i < to->n_sysctls; i++)
		if (!strcmp(to->sysctls[i].key, key))
			sysctl = &to->sysctls[i];
	if (!sysctl) {
		if (to->n_sysctls == SCENARIO_MAX_SYSCTLS)
			return error_input(err, "more than %d sysctls on one node",
					   SCENARIO_MAX_SYSCTLS);
		sysctl = reallocarray(to->sysctls, to->n_sysctls + 1, sizeof(*sysctl));
		if (!sysctl)
			return error_errno(err, -ENOMEM, "sysctl");
		to->sysctls = sysctl;
		sysctl += to->n_sysctls;
		*sysctl = (struct scenario_sysctl){ .key = strdup(key) };
		if (!sysctl->key)
			return error_errno(err, -ENOMEM, "sysctl");
		to->n_sysctls++;
	}
	copy = strdup(value);
	if (!copy)
		return error_errno(err, -ENOMEM, "sysctl");
	free(sysctl->value);
	sysctl->value = copy;
	sysctl->line = line;
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
		agent->command = strings_free(agent->command);
	return 0;
}

/* A key without its node goes to both ends, that is to those that have such an option: a user's
 * own command has none but the port. */
static int set_option_of_both(struct scenario *scenario, int option, const char *value, int line,
			      struct error *err)
{
	int rc, done = 0;

	for (int node = 0; node < _ENDPOINT_MAX; node++) {
		if (!(option_definitions[option].nodes & (1u << node)))
			continue;
		if (scenario->agent[node].command && option != OPTION_PORT)
			continue;
		rc = set_option(scenario, node, option, value, line, err);
		if (rc < 0)
			return rc;
		done++;
	}
	return done ? 0 : error_input(err, "only built-in agents have this, and there is none");
}

static int set_horizon(struct scenario *scenario, const char *value, int line, struct error *err)
{
	nsec_t span;
	int rc;

	rc = nsec_parse(value, &span, err);
	if (rc < 0)
		return rc;
	if (span <= 0 || span > HORIZON_MAX)
		return error_input(err, "a horizon of %s; it goes from more than 0 to 3650d",
				   value);
	scenario->horizon_nsec = span;
	scenario->horizon_line = line;
	return 0;
}

/* "sample", "sample.every", "sample.until" */
static int set_sample(struct scenario *scenario, const char *key, const char *value,
		      struct error *err)
{
	bool until = !strcmp(key, "sample.until");
	nsec_t span;
	int rc;

	if (!until && strcmp(key, "sample") != 0 && strcmp(key, "sample.every") != 0)
		return unknown_key(key, err);
	rc = nsec_parse(value, &span, err);
	if (rc < 0)
		return rc;
	if (span < NSEC_PER_MSEC || span > HORIZON_MAX)
		return error_input(err, "samples every or until %s; it goes from 1ms to 3650d",
				   value);
	*(until ? &scenario->sample_until_nsec : &scenario->sample_nsec) = span;
	return 0;
}

int scenario_set(struct scenario *scenario, const char *key, const char *value, int line,
		 struct error *err)
{
	const char *rest = key;
	bool is_sysctl;
	int rc, option, node;

	if (!*value)
		return error_input(err, "has no value");
	if (!strcmp(key, "horizon"))
		return set_horizon(scenario, value, line, err);
	if (!strcmp(key, "sample") || !strncmp(key, "sample.", 7))
		return set_sample(scenario, key, value, err);
	if (!strcmp(key, "path") || !strncmp(key, "path.", 5))
		return set_path(scenario, key, value, line, err);
	node = split_node(&rest);
	is_sysctl = !strncmp(rest, "net.", 4);
	if (!strncmp(rest, "sysctl.", 7)) {
		is_sysctl = true;
		rest += 7;
	}
	if (is_sysctl) {
		rc = check_sysctl(rest, value, err);
		if (rc == 0 && node >= 0)
			return set_sysctl(scenario, node, rest, value, line, err);
		for (node = 0; rc == 0 && node < _ENDPOINT_MAX; node++)
			rc = set_sysctl(scenario, node, rest, value, line, err);
		return rc;
	}
	if (!strcmp(rest, "command"))
		return error_input(err, "a command is a list, and stands in the file: "
					"[PROGRAM, ARGUMENT, ...]");
	option = option_from_key(rest);
	if (option < 0)
		return unknown_key(key, err);
	if (node < 0)
		return set_option_of_both(scenario, option, value, line, err);
	if (!(option_definitions[option].nodes & (1u << node)))
		return error_input(err, "the %s has no such option%s", node_name(node),
				   node == NODE_ROUTER	 ? "; it has sysctls only"
				   : node == NODE_CLIENT ? "; it is the server's"
							 : "; it is the client's");
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
