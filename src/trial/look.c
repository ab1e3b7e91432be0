/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/look.h"

struct lookup {
	const struct endpoint *endpoint;
	struct sockdiag_socket found;
	bool ok;
};

static int match_socket(const struct sockdiag_socket *s, void *userdata)
{
	struct lookup *l = userdata;

	if (s->local_port != l->endpoint->local_port || s->peer_port != l->endpoint->peer_port ||
	    s->state == TCP_STATE_LISTEN)
		return 0;
	l->found = *s;
	l->ok = true;
	return 0;
}

bool look_up(struct trial_node *node, struct sockdiag_socket *ret_socket)
{
	struct testbed_node *host = &node->trial->testbed->node[node->id];
	struct lookup l = { .endpoint = trial_endpoint(node) };

	if (!node->follows || !host->diag || !l.endpoint->local_port)
		return false;
	if (sockdiag_dump(host->diag, host->address.family, ~0u, match_socket, &l, NULL) < 0 ||
	    !l.ok)
		return false;
	*ret_socket = l.found;
	return true;
}

uint64_t look_progress(struct trial_node *node)
{
	struct sockdiag_socket s;

	if (!look_up(node, &s) || !s.has_info)
		return 0;
	endpoint_tcp_info(trial_endpoint(node), &s.info);
	return s.info.tcpi_bytes_acked + s.info.tcpi_bytes_received;
}

static int found_listener(const struct sockdiag_socket *s, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

bool look_for_listener(struct trial *trial)
{
	struct testbed_node *node = &trial->testbed->node[NODE_SERVER];
	bool found = false;

	sockdiag_dump(node->diag, node->address.family, 1u << TCP_STATE_LISTEN, found_listener,
		      &found, NULL);
	return found;
}

void look_at_bytes(struct trial_node *node)
{
	struct agent *agent = node->trial->agent[node->id];
	struct agent_counters counters;

	if (!agent || agent != node->original)
		return;
	counters = agent_counters(agent);
	node->bytes_read = (int64_t)counters.bytes_read;
	node->bytes_written = (int64_t)counters.bytes_written;
	node->original = NULL; /* another agent may get the same address in memory */
}
