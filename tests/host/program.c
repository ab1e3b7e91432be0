/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program STEP...: a user's program for tests, which does what its arguments say, one after the
 * other. Sockets are counted from 0 as they are made. A step that fails is named on standard error,
 * and the exit status is 1.
 *
 *     listen ADDRESS PORT     makes a socket; one on :: serves IPv4 too
 *     connect ADDRESS PORT    makes a socket
 *     accept N                makes a socket
 *     read N                  waits for a byte, or for the end
 *     await N MILLISECONDS    does the same, but gives up, without a complaint, after that time
 *     keepalive N SECONDS     turns keepalive on: three probes, so far apart, after as long a
 * silence timeout N MILLISECONDS  sets TCP_USER_TIMEOUT write N                 sends a byte
 *     shutdown N              ends the direction of what is sent
 *     close N
 *     print N                 prints the local port of a socket, and a blank
 *     sleep MILLISECONDS
 */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX 32

static int sockets[SOCKETS_MAX];
static int n_sockets;

static int keep(int fd)
{
	if (fd < 0 || n_sockets == SOCKETS_MAX)
		return -1;
	sockets[n_sockets++] = fd;
	return 0;
}

static int make(const char *address, const char *port, int listens)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found;
	int fd, rc, on = 1, off = 0;

	if (getaddrinfo(address, port, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listens) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (found->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		rc = bind(fd, found->ai_addr, found->ai_addrlen) < 0 ? -1 : listen(fd, 8);
	} else {
		rc = connect(fd, found->ai_addr, found->ai_addrlen);
	}
	freeaddrinfo(found);
	return rc < 0 ? -1 : keep(fd);
}

static int print_port(int fd)
{
	struct sockaddr_storage own;
	socklen_t size = sizeof(own);
	char port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *)&own, &size) < 0 ||
	    getnameinfo((struct sockaddr *)&own, size, NULL, 0, port, sizeof(port),
			NI_NUMERICSERV) != 0)
		return -1;
	printf("%s ", port);
	return fflush(stdout);
}

static int await(int fd, int milliseconds)
{
	struct pollfd waited = { .fd = fd, .events = POLLIN };

	return poll(&waited, 1, milliseconds) < 0 ? -1 : 0;
}

static int keepalive(int fd, int seconds)
{
	const int on = 1, count = 3;

	return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
			       setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds,
					  sizeof(seconds)) < 0 ||
			       setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds,
					  sizeof(seconds)) < 0 ||
			       setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count)) < 0
		       ? -1
		       : 0;
}

static int user_timeout(int fd, unsigned int milliseconds)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds));
}

static int do_step(const char *step)
{
	char word[16], address[64], port[16], byte = 'x';
	int n = sscanf(step, "%15s %63s %15s", word, address, port);
	int number = n >= 2 ? atoi(address) : -1;

	if (n == 3 && (!strcmp(word, "listen") || !strcmp(word, "connect")))
		return make(address, port, !strcmp(word, "listen"));
	if (n == 2 && !strcmp(word, "sleep"))
		return usleep((useconds_t)number * 1000);
	if (n < 2 || number < 0 || number >= n_sockets)
		return -1;
	if (n == 3 && !strcmp(word, "keepalive"))
		return keepalive(sockets[number], atoi(port));
	if (n == 3 && !strcmp(word, "timeout"))
		return user_timeout(sockets[number], (unsigned int)atoi(port));
	if (n == 3)
		return strcmp(word, "await") == 0 ? await(sockets[number], atoi(port)) : -1;
	if (!strcmp(word, "accept"))
		return keep(accept(sockets[number], NULL, NULL));
	if (!strcmp(word, "read"))
		return read(sockets[number], &byte, 1) < 0 ? -1 : 0;
	if (!strcmp(word, "write"))
		return write(sockets[number], &byte, 1) == 1 ? 0 : -1;
	if (!strcmp(word, "shutdown"))
		return shutdown(sockets[number], SHUT_WR);
	if (!strcmp(word, "close"))
		return close(sockets[number]);
	return strcmp(word, "print") == 0 ? print_port(sockets[number]) : -1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (do_step(argv[i]) < 0) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
	return EXIT_SUCCESS;
}
