/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
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
	for (int node = 0; node < _ENDPOINT_MAX; node++)
		for (int i = 0; i < _OPTION_MAX; i++)
			scenario->agent[node].option[i] = OPTION_UNSET;
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
	for (int node = 0; node < _ENDPOINT_MAX; node++) {
		strings_free(scenario->agent[node].command);
		for (int family = 0; family < _FAMILY_MAX; family++)
			scenario_expect_nothing(&scenario->expect[family][node]);
	}
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

const char *scenario_sysctl(const struct scenario *scenario, enum node_id node, const char *key)
{
	for (size_t i = 0; i < scenario->node[node].n_sysctls; i++)
		if (!strcmp(scenario->node[node].sysctls[i].key, key))
			return scenario->node[node].sysctls[i].value;
	return NULL;
}

/* One pass over the settings: where they go. */
struct visit {
	setting_func func;
	void *userdata;
	int rc; /* what func returned; the first that is not 0 ends it */
};

static void visit_text(struct visit *visit, const char *key, const char *text)
{
	struct setting_value value = { .key = key, .text = text };
	char *end;

	if (visit->rc)
		return;
	if (*text >= '0' && *text <= '9') {
		value.number = strtod(text, &end);
		value.is_number = !*end;
	}
	visit->rc = visit->func(&value, visit->userdata);
}

static void visit_number(struct visit *visit, const char *key, const char *text, double number)
{
	struct setting_value value = { key, text, true, number };

	if (!visit->rc)
		visit->rc = visit->func(&value, visit->userdata);
}

static void visit_span(struct visit *visit, const char *key, nsec_t span)
{
	char text[64];

	if (span)
		visit_number(visit, key, option_format(OPTION_INTERVAL, span, text, sizeof(text)),
			     nsec_to_sec(span));
}

static void visit_percent(struct visit *visit, const char *key, double probability)
{
	char text[64];

	snprintf(text, sizeof(text), "%.6g%%", probability * 100);
	if (probability > 0)
		visit_number(visit, key, text, probability);
}

static void visit_count(struct visit *visit, const char *key, uint64_t count, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64 "%s", count, unit);
	if (count)
		visit_number(visit, key, text, (double)count);
}

static void visit_path(struct visit *visit, const struct scenario_path *path)
{
	if (path->kind != PATH_ROUTED)
		visit_text(visit, "path.kind", path_kind_name(path->kind));
	visit_count(visit, "path.mtu", path->mtu, "");
	visit_span(visit, "path.delay", path->netem.delay_nsec);
	visit_span(visit, "path.jitter", path->netem.jitter_nsec);
	visit_percent(visit, "path.loss", path->netem.loss);
	visit_percent(visit, "path.duplicate", path->netem.duplicate);
	visit_percent(visit, "path.corrupt", path->netem.corrupt);
	visit_percent(visit, "path.reorder", path->netem.reorder);
	visit_count(visit, "path.rate", path->netem.rate_bps, "bit");
	visit_count(visit, "path.limit", path->netem.limit_packets, "");
	if (path->conntrack)
		visit_text(visit, "path.conntrack", "true");
	if (path->masquerade)
		visit_text(visit, "path.nat", "masquerade");
	if (path->untracked != FIREWALL_PASS)
		visit_text(visit, "path.untracked", untracked_name(path->untracked));
}

static void visit_option(struct visit *visit, const char *node, int option, int64_t value)
{
	const struct option_definition *definition = &option_definitions[option];
	char key[64], text[64];

	if (value == OPTION_UNSET)
		return;
	snprintf(key, sizeof(key), "%s.%s", node, definition->key);
	option_format(option, value, text, sizeof(text));
	if (definition->type == OPTION_TYPE_WORKLOAD)
		visit_text(visit, key, text);
	else if (definition->type == OPTION_TYPE_TIME)
		visit_number(visit, key, text, nsec_to_sec(value));
	else
		visit_number(visit, key, text, (double)value);
}

static void visit_command(struct visit *visit, const char *node, char **command)
{
	_cleanup_(freep) char *text = NULL;
	char key[64];
	size_t size;
	FILE *f;

	if (!command || visit->rc)
		return;
	f = open_memstream(&text, &size);
	for (char **word = command; f && *word; word++)
		fprintf(f, "%s%s", word == command ? "" : " ", *word);
	if (!f || fclose(f) != 0) {
		visit->rc = -ENOMEM;
		return;
	}
	snprintf(key, sizeof(key), "%s.command", node);
	visit_text(visit, key, text);
}

static int compare_sysctls(const void *a, const void *b)
{
	const struct scenario_sysctl *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* In the order of their keys, so that files which write them in another order agree. */
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
		visit_text(visit, key, sorted[i]->value);
	}
}

int scenario_for_each_setting(const struct scenario *scenario, setting_func func, void *userdata)
{
	struct visit visit = { func, userdata, 0 };

	visit_path(&visit, &scenario->path);
	visit_span(&visit, "sample.every", scenario->sample_nsec);
	if (scenario->sample_until_nsec != NSEC_NEVER)
		visit_span(&visit, "sample.until", scenario->sample_until_nsec);
	for (int node = 0; node < _NODE_MAX; node++) {
		if (node < _ENDPOINT_MAX) {
			const struct scenario_agent *agent = &scenario->agent[node];

			for (int i = 0; i < _OPTION_MAX; i++)
				visit_option(&visit, node_name(node), i, agent->option[i]);
			visit_command(&visit, node_name(node), agent->command);
		}
		visit_sysctls(&visit, node_name(node), &scenario->node[node]);
	}
	return visit.rc;
}
