/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/scenario/option.h"
#include "src/util/array.h"

int scenario_refuse(const struct scenario *scenario, int line, struct error *err,
		    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_setv(err, ERROR_INPUT, -EINVAL, format, ap);
	va_end(ap);
	if (line)
		return error_prefix(err, -EINVAL, "%s:%d", scenario->file, line);
	return error_prefix(err, -EINVAL, "%s", scenario->file);
}

struct scenario *scenario_new(void)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));

	if (!scenario)
		return NULL;
	scenario->n_hosts = NODE_SERVER + 1;
	scenario->n_ends = 2;
	for (enum node_id n = 0; n < SCENARIO_HOSTS_MAX; n++) {
		for (int i = 0; i < _OPTION_MAX; i++)
			scenario->agent[n].option[i] = OPTION_UNSET;
		scenario->agent[n].to = n;
	}
	scenario->agent[NODE_CLIENT].to = NODE_SERVER;
	scenario->sample_until_nsec = NSEC_NEVER;
	scenario->agent[NODE_CLIENT].option[OPTION_WORKLOAD] = WORKLOAD_IDLE;
	scenario->agent[NODE_SERVER].option[OPTION_WORKLOAD] = WORKLOAD_SINK;
	return scenario;
}

void scenario_expect_nothing(struct expectation *expect)
{
	free(expect->packets);
	strings_free(expect->packet_texts);
	strings_free(expect->call_texts);
	free(expect->calls);
	free(expect->samples);
	*expect = (struct expectation){ .present = expect->present, .line = expect->line };
}

struct scenario *scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return NULL;
	for (int node = 0; node < _NODE_MAX; node++) {
		for (size_t i = 0; i < scenario->node[node].n_sysctls; i++) {
			free(scenario->node[node].sysctls[i].key);
			free(scenario->node[node].sysctls[i].value);
		}
		free(scenario->node[node].sysctls);
	}
	for (enum node_id n = 0; n < SCENARIO_HOSTS_MAX; n++) {
		scenario_forget_programs(&scenario->agent[n]);
		free(scenario->host_name[n]);
	}
	for (enum end_id end = 0; end < scenario->n_ends; end++)
		for (int family = 0; family < _FAMILY_MAX; family++)
			scenario_expect_nothing(&scenario->expect[family][end]);
	for (size_t i = 0; i < SCENARIO_CONNECTIONS_MAX; i++)
		free(scenario->connections[i].name);
	strings_free(scenario->recipe.set);
	free(scenario->events);
	free(scenario->explanation);
	free(scenario->summary);
	free(scenario->variant);
	free(scenario->name);
	free(scenario->id);
	free(scenario->file);
	free(scenario->source);
	free(scenario);
	return NULL;
}

void scenario_list_deinit(struct scenario_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		scenario_free(list->items[i]);
	free(list->items);
	*list = (struct scenario_list){ 0 };
}

void scenario_list_truncate(struct scenario_list *list, size_t count)
{
	while (list->count > count)
		scenario_free(list->items[--list->count]);
}

bool scenario_has_programs(const struct scenario *s)
{
	for (enum node_id n = 0; n < s->n_hosts; n++)
		if (scenario_is_command(&s->agent[n]))
			return true;
	return false;
}

struct scenario_sysctl *scenario_find_sysctl(const struct scenario_node *node, const char *key)
{
	for (size_t i = 0; i < node->n_sysctls; i++)
		if (!strcmp(node->sysctls[i].key, key))
			return &node->sysctls[i];
	return NULL;
}

const char *scenario_sysctl(const struct scenario *scenario, enum node_id node, const char *key)
{
	const struct scenario_sysctl *found = scenario_find_sysctl(&scenario->node[node], key);

	return found ? found->value : NULL;
}

char *scenario_format_range(const struct expect_range *range, char *buffer, size_t size)
{
	if (range->least == range->most)
		snprintf(buffer, size, "%" PRIu64, range->least);
	else if (range->most == UINT64_MAX)
		snprintf(buffer, size, "at least %" PRIu64, range->least);
	else
		snprintf(buffer, size, "%" PRIu64 " to %" PRIu64, range->least, range->most);
	return buffer;
}
