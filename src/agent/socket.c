/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "src/scenario/option.h"

#define TRIES 3 /* so often the kernel is asked */

/* `value` in the unit of the socket option; SO_LINGER alone takes a struct. */
static int apply_one(int fd, const struct option_definition *definition, int64_t value)
{
	int number = definition->type == FIELD_TIME ? value / definition->unit_nsec : value;
	struct linger linger = { .l_onoff = 1, .l_linger = number };
	bool is_linger = definition->level == SOL_SOCKET && definition->name == SO_LINGER;

	if (setsockopt(fd, definition->level, definition->name,
		       is_linger ? (void *)&linger : &number,
		       is_linger ? sizeof(linger) : sizeof(number)) < 0)
		return -errno;
	return 0;
}

/* Sets the socket's options. Connections inherit those of their listener. */
static int apply_all(int fd, const struct scenario_agent *options, char *detail, size_t detail_size)
{
	for (enum option i = 0; i < _OPTION_MAX; i++) {
		const struct option_definition *definition = &option_definitions[i];
		int rc;

		if (!definition->level || options->option[i] == OPTION_UNSET)
			continue;
		rc = apply_one(fd, definition, options->option[i]);
		if (rc < 0) {
			/* the help of a socket option begins with its constant */
			snprintf(detail, detail_size, "setsockopt(%.*s)",
				 (int)strcspn(definition->help, ":; "), definition->help);
			return rc;
		}
	}
	return 0;
}

int agent_socket_new(enum family family, const struct scenario_agent *options, int *ret_fd,
		     char *detail, size_t detail_size)
{
	_cleanup_(fd_closep) int fd = -1;
	int rc;

	fd = socket(family == FAMILY_IPV6 ? AF_INET6 : AF_INET,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0) {
		rc = -errno;
		snprintf(detail, detail_size, "socket()");
		return rc;
	}
	rc = apply_all(fd, options, detail, detail_size);
	if (rc < 0)
		return rc;
	*ret_fd = take_fd(&fd);
	return 0;
}

unsigned int agent_socket_address(const struct ip *ip, uint16_t port,
				  struct sockaddr_storage *ret_address)
{
	*ret_address = (struct sockaddr_storage){ 0 };
	if (ip->family == AF_INET6) {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;

		v6->sin6_family = AF_INET6;
		v6->sin6_addr = ip->v6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;

	v4->sin_family = AF_INET;
	v4->sin_addr = ip->v4;
	v4->sin_port = htons(port);
	return sizeof(*v4);
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

int agent_socket_option(int fd, int level, int option, void *value, socklen_t size)
{
	for (int tries = TRIES; tries--;) {
		socklen_t filled = size;

		if (getsockopt(fd, level, option, value, &filled) >= 0)
			return 0;
	}
	return -errno;
}

typedef int (*name_func)(int fd, struct sockaddr *address, socklen_t *size);

static int ask_port(int fd, name_func ask, uint16_t *port)
{
	struct sockaddr_storage address;

	for (int tries = TRIES; tries--;) {
		socklen_t size = sizeof(address);

		if (ask(fd, (struct sockaddr *)&address, &size) >= 0) {
			*port = port_of(&address);
			return 0;
		}
		if (errno == ENOTCONN)
			return 0;
	}
	return -errno;
}

int agent_socket_describe(int fd, struct agent_socket_name *name)
{
	int rc = ask_port(fd, getsockname, &name->local_port);

	if (rc >= 0)
		rc = ask_port(fd, getpeername, &name->peer_port);
	if (rc >= 0)
		rc = agent_socket_option(fd, SOL_SOCKET, SO_COOKIE, &name->cookie,
					 sizeof(name->cookie));
	return rc;
}
