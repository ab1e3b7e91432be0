/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sysctls that an option of the same socket goes over: tcp(7), keepalive_time_when() and its like,
 * tcp_write_timeout(). (tcp_retries2 counts beside TCP_USER_TIMEOUT: tcp_probe_timer().) */
#include <string.h>

#include "src/scenario/option.h"
#include "src/scenario/scenario.h"

static const struct {
	const char *sysctl;
	enum option option;
	bool keepalive; /* and it counts where keepalive is on only */
} overrides[] = {
	{ "net.ipv4.tcp_keepalive_time", OPTION_KEEPALIVE_IDLE, true },
	{ "net.ipv4.tcp_keepalive_intvl", OPTION_KEEPALIVE_INTERVAL, true },
	{ "net.ipv4.tcp_keepalive_probes", OPTION_KEEPALIVE_COUNT, true },
	{ "net.ipv4.tcp_syn_retries", OPTION_SYN_COUNT, false },
};

static bool changed(const struct scenario *s, enum node_id node, const char *key)
{
	for (size_t i = 0; i < s->node[node].n_sysctls; i++)
		if (!strcmp(s->node[node].sysctls[i].key, key))
			return s->node[node].sysctls[i].line == 0;
	return false;
}

/* Whether the sysctl counts on that node; if not, why. */
static bool counts(const struct scenario *s, enum node_id node, size_t i, char *text, size_t size)
{
	const struct scenario_agent *agent = &s->agent[node];
	bool off = overrides[i].keepalive && !scenario_option(agent, OPTION_KEEPALIVE, 0);

	if (agent->command ||
	    (!off && scenario_option(agent, overrides[i].option, OPTION_UNSET) == OPTION_UNSET))
		return true;
	if (!*text) /* the first reason will do */
		snprintf(text, size, "--set %s.%s: has no effect, since %s.%s is %s",
			 node_name(node), overrides[i].sysctl, node_name(node),
			 option_definitions[off ? OPTION_KEEPALIVE : overrides[i].option].key,
			 off ? "not true" : "set");
	return false;
}

void scenario_for_each_overridden(const struct scenario_list *list,
				  void (*each)(const char *text, void *userdata), void *userdata)
{
	for (size_t i = 0; i < ARRAY_SIZE(overrides); i++) {
		bool any = false;
		char text[160] = "";

		for (size_t k = 0; k < list->count; k++)
			for (enum node_id node = 0; node < _ENDPOINT_MAX; node++)
				any |= changed(list->items[k], node, overrides[i].sysctl) &&
				       counts(list->items[k], node, i, text, sizeof(text));
		if (*text && !any)
			each(text, userdata);
	}
}
