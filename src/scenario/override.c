/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds sysctls of --set that have no effect, since an option of the same socket overrides them:
 * tcp(7), keepalive_time_when() and its like, tcp_write_timeout(). tcp_retries2 is not among them:
 * it has an effect beside TCP_USER_TIMEOUT (tcp_probe_timer()). */
#include "src/scenario/internal.h"
#include "src/scenario/option.h"

static const struct {
	const char *sysctl; /* full name; static */
	enum option option; /* that overrides it */
	bool keepalive;	    /* the sysctl has an effect only where keepalive is on */
} overrides[] = {
	{ "net.ipv4.tcp_keepalive_time", OPTION_KEEPALIVE_IDLE, true },
	{ "net.ipv4.tcp_keepalive_intvl", OPTION_KEEPALIVE_INTERVAL, true },
	{ "net.ipv4.tcp_keepalive_probes", OPTION_KEEPALIVE_COUNT, true },
	{ "net.ipv4.tcp_syn_retries", OPTION_SYN_COUNT, false },
};

/* Whether --set gives the sysctl its value on that node. */
static bool changed(const struct scenario *s, enum node_id node, const char *key)
{
	const struct scenario_sysctl *sysctl = scenario_find_sysctl(&s->node[node], key);

	return sysctl && !sysctl->line;
}

/* Whether the sysctl has an effect on that node. If not, `text` becomes the reason, unless it has
 * one already. */
static bool counts(const struct scenario *s, enum node_id node, size_t i, char *text, size_t size)
{
	const struct scenario_agent *agent = &s->agent[node];
	bool off = overrides[i].keepalive && !scenario_option(agent, OPTION_KEEPALIVE, 0);

	if (scenario_is_command(agent) ||
	    (!off && scenario_option(agent, overrides[i].option, OPTION_UNSET) == OPTION_UNSET))
		return true;
	if (!*text)
		snprintf(text, size, "--set %s.%s: has no effect, since %s.%s is %s",
			 scenario_node_name(s, node), overrides[i].sysctl,
			 scenario_node_name(s, node),
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
			for (enum node_id node = 0; node < list->items[k]->n_hosts; node++)
				any |= changed(list->items[k], node, overrides[i].sysctl) &&
				       counts(list->items[k], node, i, text, sizeof(text));
		if (*text && !any)
			each(text, userdata);
	}
}
