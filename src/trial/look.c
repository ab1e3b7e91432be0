/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
	const struct endpoint *endpoint;
	struct sockdiag_socket found;
	bool ok;
};

/* Makes the trial inconclusive, since the kernel did not answer. */
static int failed(struct trial_node *node, int rc, const struct error *err)
{
	struct trial *trial = node->trial;

	trial->lost += record_doubt(trial->record, "a look at the sockets of the %s failed: %s",
				    node_name(node->id), err->text) < 0;
	return rc;
}

int look_through(struct trial_node *node, sockdiag_func func, void *result, size_t size)
{
	struct testbed_node *host = &node->trial->testbed->node[node->id];
	_cleanup_(freep) void *before = malloc(size);
	struct error err = { 0 };
	int rc = -ENOMEM;

	if (!before) {
		node->trial->lost++;
		return rc;
	}
	memcpy(before, result, size);
	for (int i = 0; rc < 0 && i < LOOK_TRIES; i++) {
		memcpy(result, before, size);
		rc = sockdiag_dump(host->diag, host->address.family, ~0u, func, result, &err);
	}
	return rc < 0 ? failed(node, rc, &err) : 0;
}

int look_up_like(struct trial_node *node, const struct sockdiag_socket *like,
		 struct sockdiag_socket *ret_socket)
{
	struct nl *diag = node->trial->testbed->node[node->id].diag;
	struct error err = { 0 };
	int rc = -ENOMEM;

	if (!diag) /* the host is gone, and its sockets with it */
		return 0;
	for (int i = 0; rc < 0 && i < LOOK_TRIES; i++)
		rc = sockdiag_get(diag, like, ret_socket, &err);
	return rc < 0 ? failed(node, rc, &err) : rc;
}

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

int look_up(struct trial_node *node, struct sockdiag_socket *ret_socket)
{
	struct lookup l = { .endpoint = trial_endpoint(node) };
	int rc;

	if (!node->follows || !node->trial->testbed->node[node->id].diag || !l.endpoint->local_port)
		return 0;
	rc = look_through(node, match_socket, &l, sizeof(l));
	if (rc >= 0 && l.ok)
		*ret_socket = l.found;
	return rc < 0 ? rc : l.ok;
}

int look_progress(struct trial_node *node, uint64_t *ret_bytes)
{
	struct sockdiag_socket s;
	int rc = look_up(node, &s);

	if (rc < 0)
		return rc;
	*ret_bytes = 0;
	if (!rc || !s.has_info)
		return 0;
	endpoint_tcp_info(trial_endpoint(node), &s.info);
	*ret_bytes = s.info.tcpi_bytes_acked + s.info.tcpi_bytes_received;
	return 0;
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
