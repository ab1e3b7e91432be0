/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* TCP sockets of a built-in agent: their options, and the addresses and ports at their ends. */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "src/scenario/scenario.h"
#include "src/util/ip.h"

/* What tells one socket from another. */
struct agent_socket_name {
	uint16_t local_port, peer_port; /* host order */
	uint64_t cookie;		/* SO_COOKIE */
};

/* A socket with its options set. Returns -errno, and in `detail` which call failed. */
int agent_socket_new(enum family family, const struct scenario_agent *options, int *ret_fd,
		     char *detail, size_t detail_size);
/* Fills in a socket address and returns its size. */
unsigned int agent_socket_address(const struct ip *ip, uint16_t port,
				  struct sockaddr_storage *ret_address);
/* getsockopt(), which is made again if it fails. */
int agent_socket_option(int fd, int level, int option, void *value, socklen_t size);
/* Asks the kernel. A socket without a peer leaves the peer's port as it is in `name`. */
int agent_socket_describe(int fd, struct agent_socket_name *name);
