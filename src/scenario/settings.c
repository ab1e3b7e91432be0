/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells every setting that a scenario says, in the order of a record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/scenario/field.h"
#include "src/scenario/option.h"
#include "src/scenario/scenario.h"
#include "src/util/cleanup.h"

/* One pass over the settings. */
struct visit {
	setting_func func; /* gets each of them */
	void *userdata;
	int rc; /* what func returned; the first that is not 0 ends the pass */
};

static void tell(struct visit *visit, const struct setting_value *value)
{
	if (!visit->rc)
		visit->rc = visit->func(value, visit->userdata);
}

/* Tells a setting that is a text, which may be a number all the same. */
static void tell_text(struct visit *visit, const char *key, const char *text)
{
	struct setting_value value = { .key = key, .text = text };
	char *end;

	if (*text >= '0' && *text <= '9') {
		value.number = strtod(text, &end);
		value.is_number = !*end;
	}
	tell(visit, &value);
}

static void visit_field(struct visit *visit, const struct field *field,
			const struct scenario *scenario)
{
	struct setting_value value = { .key = field->key };
	char buffer[64];

	if (!field->untold && field_tell(field, scenario, buffer, sizeof(buffer), &value))
		tell(visit, &value);
}

static void visit_option(struct visit *visit, const char *node, int option, int64_t value)
{
	const struct option_definition *definition = &option_definitions[option];
	char key[64], text[64];

	if (value == OPTION_UNSET)
		return;
	snprintf(key, sizeof(key), "%s.%s", node, definition->key);
	tell(visit, &(struct setting_value){ key, option_format(option, value, text, sizeof(text)),
					     definition->type != FIELD_WORD,
					     definition->type == FIELD_TIME   ? nsec_to_sec(value)
					     : definition->type == FIELD_WORD ? 0
									      : (double)value });
}

/* The words with a blank between two of them. */
static char *join(char *const *words)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (char *const *word = words; f && *word; word++)
		fprintf(f, "%s%s", word == words ? "" : " ", *word);
	return f && fclose(f) == 0 ? take_ptr(text) : NULL;
}

static void visit_words(struct visit *visit, const char *key, char *const *words)
{
	_cleanup_(freep) char *text = words && !visit->rc ? join(words) : NULL;

	if (words && !text && !visit->rc)
		visit->rc = -ENOMEM;
	else if (text)
		tell_text(visit, key, text);
}

/* "server.command", or of several programs on one host "server.programs.nginx". */
static void visit_program(struct visit *visit, const char *node, bool several,
			  const struct scenario_program *p)
{
	char name[80], key[400], text[64];

	snprintf(name, sizeof(name), several ? "%s.programs.%s" : "%s.command", node, p->name);
	visit_words(visit, name, p->run);
	snprintf(key, sizeof(key), "%s.env", name);
	visit_words(visit, key, p->env);
	for (size_t i = 0; i < p->n_files; i++) {
		char *words[] = { p->files[i].text, NULL };

		snprintf(key, sizeof(key), "%s.files.%s", name, p->files[i].name);
		visit_words(visit, key, words);
	}
	snprintf(key, sizeof(key), "%s.user", name);
	snprintf(text, sizeof(text), "%u", p->user);
	if (p->has_user)
		tell(visit, &(struct setting_value){ key, text, true, (double)p->user });
}

static void visit_agent(struct visit *visit, const struct scenario *scenario, enum node_id host)
{
	const struct scenario_agent *agent = &scenario->agent[host];
	const char *name = scenario_node_name(scenario, host);
	char key[64];

	for (int i = 0; i < _OPTION_MAX; i++)
		visit_option(visit, name, i, agent->option[i]);
	for (size_t i = 0; i < agent->n_programs; i++)
		visit_program(visit, name, agent->n_programs > 1, &agent->programs[i]);
	if (agent->to == (host == NODE_CLIENT ? NODE_SERVER : host))
		return;
	snprintf(key, sizeof(key), "%s.to", name);
	tell_text(visit, key, scenario_node_name(scenario, agent->to));
}

/* A host on which nothing is set is told of, too. */
static void visit_hosts(struct visit *visit, const struct scenario *scenario)
{
	char *names[SCENARIO_HOSTS_MAX + 1] = { NULL };

	for (enum node_id n = NODE_SERVER + 1; n < scenario->n_hosts; n++)
		names[n - NODE_SERVER - 1] = scenario->host_name[n];
	if (names[0])
		visit_words(visit, "hosts", names);
}

static int compare_sysctls(const void *a, const void *b)
{
	const struct scenario_sysctl *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* Tells sysctls in the order of their keys, so that two files which write them in different orders
 * have the same record. */
static void visit_sysctls(struct visit *visit, const char *name, const struct scenario_node *node)
{
	_cleanup_(freep) const struct scenario_sysctl **sorted = NULL;
	char key[192];

	sorted = calloc(node->n_sysctls + 1, sizeof(struct scenario_sysctl *));
	if (!sorted) {
		visit->rc = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < node->n_sysctls; i++)
		sorted[i] = &node->sysctls[i];
	qsort(sorted, node->n_sysctls, sizeof(*sorted), compare_sysctls);
	for (size_t i = 0; i < node->n_sysctls; i++) {
		snprintf(key, sizeof(key), "%s.%s", name, sorted[i]->key);
		tell_text(visit, key, sorted[i]->value);
	}
}

int scenario_for_each_setting(const struct scenario *scenario, setting_func func, void *userdata)
{
	struct visit visit = { func, userdata, 0 };

	for (size_t i = 0; i < n_scenario_fields; i++)
		visit_field(&visit, &scenario_fields[i], scenario);
	visit_hosts(&visit, scenario);
	for (enum node_id node = 0; node < _NODE_MAX; node++) {
		const char *name = scenario_node_name(scenario, node);

		if (node < scenario->n_hosts)
			visit_agent(&visit, scenario, node);
		if (name)
			visit_sysctls(&visit, name, &scenario->node[node]);
	}
	return visit.rc;
}
