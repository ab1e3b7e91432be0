/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netns/sockdiag.h"
#include "src/testbed/testbed.h"

/* Makes the trial inconclusive, since the kernel did not answer. */
static int failed(struct trial_end *end, int rc, const struct error *err)
{
	struct trial *trial = end->trial;

	trial->lost += record_doubt(trial->record, "a look at the sockets of the %s failed: %s",
				    scenario_node_name(trial->spec.scenario, end->host->id),
				    err->text) < 0;
	return rc;
}

int look_through(struct trial_end *end, sockdiag_func func, void *result, size_t size)
{
	struct testbed_node *host = &end->trial->testbed->node[end->host->id];
	_cleanup_(freep) void *before = malloc(size);
	struct error err = { 0 };
	int rc = -ENOMEM;

	if (!before) {
		end->trial->lost++;
		return rc;
	}
	memcpy(before, result, size);
	for (int i = 0; rc < 0 && i < LOOK_TRIES; i++) {
		memcpy(result, before, size);
		rc = sockdiag_dump(host->diag, host->address.family, ~0u, func, result, &err);
	}
	return rc < 0 ? failed(end, rc, &err) : 0;
}

int look_up_like(struct trial_end *end, const struct sockdiag_socket *like,
		 struct sockdiag_socket *ret_socket)
{
	struct nl *diag = end->trial->testbed->node[end->host->id].diag;
	struct error err = { 0 };
	int rc = -ENOMEM;

	if (!diag) /* the host is gone, and its sockets with it */
		return 0;
	for (int i = 0; rc < 0 && i < LOOK_TRIES; i++)
		rc = sockdiag_get(diag, like, ret_socket, &err);
	return rc < 0 ? failed(end, rc, &err) : rc;
}

int look_up(struct trial_end *end, struct sockdiag_socket *ret_socket)
{
	const struct endpoint_tuple *tuple = &end->followed.tuple;
	struct sockdiag_socket like = { .local = tuple->local,
					.peer = tuple->peer,
					.local_port = tuple->local_port,
					.peer_port = tuple->peer_port };

	if (!end->host->powered || !tuple->known)
		return 0;
	return look_up_like(end, &like, ret_socket);
}

int look_progress(struct trial_end *end, uint64_t *ret_bytes)
{
	struct sockdiag_socket s;
	int rc = look_up(end, &s);

	if (rc < 0)
		return rc;
	*ret_bytes = 0;
	if (!rc || !s.has_info)
		return 0;
	endpoint_tcp_info(trial_endpoint(end), &s.info);
	*ret_bytes = s.info.tcpi_bytes_acked + s.info.tcpi_bytes_received;
	return 0;
}

/* Whether everything that one end has sent has reached the other. The SYN of a client counts as a
 * byte that was acknowledged (net/ipv4/tcp_input.c: tcp_rcv_synsent_state_process()). */
static bool all_arrived(const struct sockdiag_socket *from, const struct sockdiag_socket *to)
{
	uint64_t acked = from->info.tcpi_bytes_acked, received = to->info.tcpi_bytes_received;

	return !from->send_queue && (acked == received || acked == received + 1);
}

bool look_fits(const struct sockdiag_socket *a, const struct sockdiag_socket *b)
{
	return a->state == TCP_STATE_ESTABLISHED && b->state == TCP_STATE_ESTABLISHED &&
	       a->has_info && b->has_info && all_arrived(a, b) && all_arrived(b, a);
}

/* What look_for_listener() looks for. */
struct wanted {
	const struct ip *address;
	uint16_t port;
	bool found;
};

static bool is_any(const struct ip *ip)
{
	return ip->family == AF_INET ? ip->v4.s_addr == htonl(INADDR_ANY)
				     : IN6_IS_ADDR_UNSPECIFIED(&ip->v6);
}

static int match_listener(const struct sockdiag_socket *s, void *userdata)
{
	struct wanted *wanted = userdata;

	wanted->found |= s->local_port == wanted->port &&
			 (is_any(&s->local) || ip_is_same(&s->local, wanted->address));
	return 0;
}

bool look_for_listener(struct trial *trial, enum node_id host, uint16_t port)
{
	struct testbed_node *node = &trial->testbed->node[host];
	struct wanted wanted = { .address = &node->address, .port = port };

	trial->listener_error = (struct error){ 0 };
	sockdiag_dump(node->diag, node->address.family, 1u << TCP_STATE_LISTEN, match_listener,
		      &wanted, &trial->listener_error);
	return wanted.found;
}

void look_at_bytes(struct trial_program *program)
{
	struct agent_counters counters;

	if (!program->agent || program->agent != program->original)
		return;
	counters = agent_counters(program->agent);
	program->bytes_read = (int64_t)counters.bytes_read;
	program->bytes_written = (int64_t)counters.bytes_written;
	program->original = NULL; /* another agent may get the same address in memory */
}
