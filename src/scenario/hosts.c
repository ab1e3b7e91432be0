/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of a scenario's hosts, and of the ends of its connections. */
#include <stdio.h>
#include <string.h>

#include "src/scenario/internal.h"

const char *scenario_node_name(const struct scenario *scenario, enum node_id node)
{
	return node < SCENARIO_HOSTS_MAX && scenario->host_name[node] ? scenario->host_name[node]
								      : node_name(node);
}

int scenario_find_node(const struct scenario *scenario, const char *name, size_t length)
{
	for (enum node_id n = 0; n < _NODE_MAX; n++) {
		const char *known = scenario_node_name(scenario, n);

		if (known && strlen(known) == length && !strncmp(known, name, length))
			return (int)n;
	}
	return -1;
}

char *scenario_ranked_name(const struct scenario *scenario, enum end_id end, size_t rank,
			   char *buffer, size_t size)
{
	const char *connection = scenario->connections[end_connection(end)].name;
	const char *host = scenario_node_name(scenario, scenario_end_node(scenario, end));
	char number[24] = "";

	if (rank)
		snprintf(number, sizeof(number), "%s%zu", connection ? "-" : "", rank);
	snprintf(buffer, size, "%s%s%s%s", connection ? connection : "", number,
		 connection || rank ? "." : "", host);
	return buffer;
}

char *scenario_end_name(const struct scenario *scenario, enum end_id end, char *buffer, size_t size)
{
	return scenario_ranked_name(scenario, end, 0, buffer, size);
}

int scenario_find_end(const struct scenario *scenario, const char *name)
{
	char known[SCENARIO_END_NAME_SIZE];

	for (enum end_id end = 0; end < scenario->n_ends; end++)
		if (!strcmp(scenario_end_name(scenario, end, known, sizeof(known)), name))
			return (int)end;
	return -1;
}

int scenario_asked_end(const struct scenario *scenario, const char *name)
{
	char known[SCENARIO_END_NAME_SIZE];

	for (enum end_id end = 0; end < scenario->n_ends; end++) {
		bool all = scenario_follows(scenario, end) == SCENARIO_FOLLOW_ALL;

		for (size_t rank = all; rank <= (all ? TRIAL_CONNECTIONS_MAX : 0); rank++)
			if (!strcmp(scenario_ranked_name(scenario, end, rank, known, sizeof(known)),
				    name))
				return (int)end;
	}
	return -1;
}
