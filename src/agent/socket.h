/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is the same for every TCP socket of a built-in agent: its options and addresses. */

#include "src/agent/connection.h"

struct sockaddr_storage;
int agent_socket_new(enum family family, const struct scenario_agent *options, bool listener,
		     int *ret_fd, char *detail, size_t detail_size);
int agent_socket_apply(int fd, const struct scenario_agent *options, bool listener, bool accepted,
		       char *detail, size_t detail_size);
unsigned int agent_socket_address(const struct ip *ip, uint16_t port,
				  struct sockaddr_storage *ret_address);
void agent_socket_describe(int fd, struct connection *connection);
