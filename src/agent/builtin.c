/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/builtin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "src/agent/connection.h"
#include "src/agent/socket.h"
#include "src/agent/workload.h"
#include "src/scenario/option.h"

#define DEFAULT_SIZE	     64
#define DEFAULT_STREAM_SIZE  1000
#define DEFAULT_INTERVAL     (1 * NSEC_PER_SEC)
#define TRIES		     3 /* so often an order is read */
#define DEFAULT_STREAM_PAUSE (10 * NSEC_PER_MSEC)
#define DEFAULT_MISSES	     3

/* Accepts one connection at a time: a kernel that has no descriptor to give says so before it looks
 * whether a connection waits (net/socket.c: __sys_accept4_file()). */
static void on_listener(void *userdata, uint32_t events)
{
	struct builtin *builtin = userdata;
	nsec_t start_nsec = nsec_now(), time_nsec;
	int rc, fd;

	fd = accept4(builtin->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	time_nsec = nsec_now();
	if (fd < 0 && errno == EAGAIN)
		return;
	if (fd < 0) {
		rc = errno;
		connection_report_by_number(builtin, 0, AGENT_CALL_ACCEPT, start_nsec, rc, "");
		/* No descriptor is free: accept_again() goes on when one is. */
		if (rc != ECONNABORTED && rc != EINTR)
			builtin->listen_io = loop_io_free(builtin->listen_io);
		return;
	}
	connection_accepted(builtin, fd, start_nsec, time_nsec);
}

static void accept_again(struct builtin *builtin)
{
	if (builtin->listen_fd < 0 || builtin->listen_io || builtin->workload->accepts_not)
		return;
	if (loop_io_new(builtin->loop, builtin->listen_fd, EPOLLIN, on_listener, builtin,
			&builtin->listen_io, NULL) < 0)
		_exit(EXIT_FAILURE);
}

/* Reports a call without which the agent cannot go on, and ends it. */
_Noreturn static void give_up(const struct builtin *builtin, enum agent_call call,
			      nsec_t start_nsec, int error, const char *detail)
{
	connection_report_by_number(builtin, 0, call, start_nsec, error, detail);
	_exit(EXIT_FAILURE);
}

/* Allows as many more descriptors as the scenario says. The limit is one on the numbers of new
 * descriptors, and the kernel gives out the lowest number that is free. */
static void limit_descriptors(const struct builtin *builtin)
{
	int64_t count = scenario_option(builtin->spec->options, OPTION_DESCRIPTORS, -1);
	struct rlimit limit = builtin->many;
	int next = count < 0 ? -1 : fcntl(builtin->listen_fd, F_DUPFD_CLOEXEC, 0);

	if (next < 0)
		return;
	close(next);
	limit.rlim_cur = (rlim_t)next + (rlim_t)count;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void start_listening(struct builtin *builtin)
{
	const struct agent_spec *spec = builtin->spec;
	struct sockaddr_storage address;
	socklen_t size = agent_socket_address(&spec->local, spec->port, &address);
	nsec_t start_nsec = nsec_now();
	char detail[64] = "";
	int rc;

	rc = agent_socket_new(spec->family, spec->options, &builtin->listen_fd, detail,
			      sizeof(detail));
	if (rc < 0)
		give_up(builtin, AGENT_CALL_SOCKET, start_nsec, -rc, detail);
	if (bind(builtin->listen_fd, (struct sockaddr *)&address, size) < 0)
		give_up(builtin, AGENT_CALL_BIND, start_nsec, errno, "");
	if (listen(builtin->listen_fd, scenario_option(spec->options, OPTION_BACKLOG, SOMAXCONN)) <
	    0)
		give_up(builtin, AGENT_CALL_LISTEN, start_nsec, errno, "");
	limit_descriptors(builtin);
	connection_report_by_number(builtin, 0, AGENT_CALL_LISTEN, start_nsec, 0, "");
	accept_again(builtin);
}

static void set_paused(struct builtin *builtin, bool paused)
{
	struct connection *next;

	builtin->paused = paused;
	for (struct connection *i = builtin->first; i && !paused; i = next) {
		next = i->next;
		connection_run(i);
	}
}

static void act_on(struct connection *connection, const struct agent_order *order)
{
	if (order->action == ACTION_SHUTDOWN) {
		connection_shutdown(connection);
	} else if (order->action == ACTION_CLOSE) {
		connection_close(connection);
	} else {
		connection_send(connection, order->value);
	}
}

/* Acts on the oldest open connection, or on all where an action is about many. If there is none,
 * the call is reported to have failed, under the number that the next connection would have. */
static void act_on_all(struct builtin *builtin, enum agent_call call,
		       const struct agent_order *order)
{
	struct connection *connection = builtin->first, *next;

	if (!connection)
		connection_report_by_number(builtin, builtin->n_connections, call, nsec_now(),
					    ENOTCONN, "no connection");
	for (; connection; connection = next) {
		next = builtin->spec->many ? connection->next : NULL;
		act_on(connection, order);
	}
}

/* Only the first connection gets the local port that the scenario asks for. */
static void connect_all(struct builtin *builtin, uint16_t local_port)
{
	int64_t count = scenario_option(builtin->spec->options, OPTION_CONNECTIONS, 1);

	for (int64_t i = 0; i < count; i++)
		connection_connect(builtin, i ? 0 : local_port);
}

static void act(struct builtin *builtin, const struct agent_order *order)
{
	switch (order->action) {
	case ACTION_CONNECT:
		connect_all(builtin, (uint16_t)order->value);
		break;
	case ACTION_SEND:
		act_on_all(builtin, AGENT_CALL_WRITE, order);
		break;
	case ACTION_SHUTDOWN:
		act_on_all(builtin, AGENT_CALL_SHUTDOWN, order);
		break;
	case ACTION_CLOSE:
		act_on_all(builtin, AGENT_CALL_CLOSE, order);
		break;
	case ACTION_PAUSE_READING:
	case ACTION_RESUME_READING:
		set_paused(builtin, order->action == ACTION_PAUSE_READING);
		break;
	case ACTION_FREE_DESCRIPTORS:
		setrlimit(RLIMIT_NOFILE, &builtin->many);
		accept_again(builtin);
		break;
	case ACTION_START: /* the process that hears this is running already */
		break;
	case ACTION_EXIT:
	case _ACTION_MAX:
		_exit(EXIT_SUCCESS);
	}
}

static void on_order(void *userdata, uint32_t events)
{
	struct builtin *builtin = userdata;
	struct agent_order order;
	ssize_t n = -1;

	for (int tries = TRIES; n < 0 && tries--;) {
		n = recv(builtin->child->control_fd, &order, sizeof(order), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
	}
	if (n < 0)
		agent_channel_give_up(builtin->child, "recv() of an order");
	if (n == sizeof(order))
		act(builtin, &order);
	else if (n == 0) /* deadpeer is gone */
		_exit(EXIT_SUCCESS);
}

static void allow_many_descriptors(struct builtin *builtin)
{
	if (getrlimit(RLIMIT_NOFILE, &builtin->many) < 0)
		return;
	builtin->many.rlim_cur = builtin->many.rlim_max;
	setrlimit(RLIMIT_NOFILE, &builtin->many);
}

static void read_options(struct builtin *builtin)
{
	const struct scenario_agent *options = builtin->spec->options;
	enum workload workload;
	bool stream;

	workload = scenario_option(options, OPTION_WORKLOAD,
				   builtin->spec->connects ? WORKLOAD_IDLE : WORKLOAD_ECHO);
	stream = workload == WORKLOAD_STREAM;
	builtin->workload = &workloads[workload];
	builtin->interval_nsec = scenario_option(options, OPTION_INTERVAL,
						 stream ? DEFAULT_STREAM_PAUSE : DEFAULT_INTERVAL);
	builtin->size =
		scenario_option(options, OPTION_SIZE, stream ? DEFAULT_STREAM_SIZE : DEFAULT_SIZE);
	builtin->misses = scenario_option(options, OPTION_MISSES, DEFAULT_MISSES);
	builtin->close_on_eof = scenario_option(options, OPTION_CLOSE_ON_EOF, 1);
	builtin->paused = scenario_option(options, OPTION_PAUSED, 0);
}

/* Waits until the process that stands by is told its part. */
static void await_part(const struct agent_child *child, struct agent_part *ret_part)
{
	ssize_t n = -1;

	for (int tries = TRIES; n < 0 && tries--;)
		n = TEMP_FAILURE_RETRY(recv(child->control_fd, ret_part, sizeof(*ret_part), 0));
	if (n < 0)
		agent_channel_give_up(child, "recv() of its part");
	if (n != sizeof(*ret_part)) /* deadpeer is gone, or has no use for this process */
		_exit(EXIT_SUCCESS);
	ret_part->spec.options = &ret_part->options;
	agent_channel_settle(&ret_part->spec);
}

_Noreturn void agent_builtin_main(const struct agent_child *child)
{
	struct builtin builtin = { .child = child,
				   .spec = child->spec,
				   .closed = accept_again,
				   .listen_fd = -1,
				   .read_buffer = malloc(CONNECTION_BUFFER_SIZE) };
	struct agent_part part;
	struct loop_io *orders;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* a process that waits in close() is reaped by the kernel */
	allow_many_descriptors(&builtin);
	if (!builtin.read_buffer || loop_new(&builtin.loop, NULL) < 0 ||
	    loop_io_new(builtin.loop, child->control_fd, EPOLLIN, on_order, &builtin, &orders,
			NULL) < 0)
		give_up(&builtin, AGENT_CALL_SOCKET, nsec_now(), errno, "epoll");
	if (!child->spec) {
		await_part(child, &part);
		builtin.spec = &part.spec;
	}
	read_options(&builtin);
	if (!builtin.spec->connects)
		start_listening(&builtin);
	else if (!builtin.spec->wait &&
		 scenario_option(builtin.spec->options, OPTION_AUTOCONNECT, 1))
		connect_all(&builtin, scenario_option(builtin.spec->options, OPTION_LOCAL_PORT, 0));
	loop_run(builtin.loop, NULL);
	_exit(EXIT_FAILURE);
}
