/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent-builtin.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "src/option.h"

#define DEFAULT_SIZE	     64
#define DEFAULT_STREAM_SIZE  1000
#define DEFAULT_INTERVAL     (1 * NSEC_PER_SEC)
#define DEFAULT_STREAM_PAUSE (10 * NSEC_PER_MSEC)
#define DEFAULT_MISSES	     3

void builtin_report(const struct builtin *builtin, enum agent_call call, nsec_t start_nsec,
		    int error, const char *detail)
{
	struct agent_report report = {
		.call = call,
		.start_nsec = start_nsec,
		.time_nsec = nsec_now(),
		.error = error,
		.local_port = builtin->listen_fd >= 0 ? builtin->spec->port : 0,
	};

	strncpy(report.detail, detail, sizeof(report.detail) - 1);
	agent_child_report(builtin->child, &report);
}

/* Returns false when there is nothing more to accept for now. */
static bool accept_one(struct builtin *builtin)
{
	const struct agent_spec *spec = builtin->spec;
	nsec_t start_nsec = nsec_now(), time_nsec;
	char detail[64] = "";
	int rc, fd;

	fd = accept4(builtin->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	time_nsec = nsec_now();
	if (fd < 0 && errno == EAGAIN)
		return false;
	if (fd < 0) {
		rc = errno;
		builtin_report(builtin, AGENT_CALL_ACCEPT, start_nsec, rc, "");
		if (rc != ECONNABORTED && rc != EINTR) /* no descriptors: once there are again */
			builtin->listen_io = loop_io_free(builtin->listen_io);
		return builtin->listen_io;
	}
	rc = agent_socket_apply(fd, spec->options, false, true, detail, sizeof(detail));
	if (rc < 0) {
		builtin_report(builtin, AGENT_CALL_SOCKET, start_nsec, -rc, detail);
		_exit(EXIT_FAILURE);
	}
	connection_accepted(builtin, fd, start_nsec, time_nsec);
	return true;
}

static void on_listener(void *userdata, uint32_t events)
{
	while (accept_one(userdata))
		;
}

void builtin_accept_again(struct builtin *builtin)
{
	if (builtin->listen_fd < 0 || builtin->listen_io || builtin->workload->accepts_not)
		return;
	if (loop_io_new(builtin->loop, builtin->listen_fd, EPOLLIN, on_listener, builtin,
			&builtin->listen_io, NULL) < 0)
		_exit(EXIT_FAILURE);
}

/* A server that cannot listen ends, as any would. */
_Noreturn static void give_up(const struct builtin *builtin, enum agent_call call,
			      nsec_t start_nsec, int error, const char *detail)
{
	builtin_report(builtin, call, start_nsec, error, detail);
	_exit(EXIT_FAILURE);
}

static void start_listening(struct builtin *builtin)
{
	const struct agent_spec *spec = builtin->spec;
	struct sockaddr_storage address;
	socklen_t size = agent_socket_address(&spec->local, spec->port, &address);
	nsec_t start_nsec = nsec_now();
	char detail[64] = "";
	int rc;

	rc = agent_socket_new(spec->family, spec->options, true, &builtin->listen_fd, detail,
			      sizeof(detail));
	if (rc < 0)
		give_up(builtin, AGENT_CALL_SOCKET, start_nsec, -rc, detail);
	if (bind(builtin->listen_fd, (struct sockaddr *)&address, size) < 0)
		give_up(builtin, AGENT_CALL_BIND, start_nsec, errno, "");
	if (listen(builtin->listen_fd, scenario_option(spec->options, OPTION_BACKLOG, SOMAXCONN)) <
	    0)
		give_up(builtin, AGENT_CALL_LISTEN, start_nsec, errno, "");
	builtin_report(builtin, AGENT_CALL_LISTEN, start_nsec, 0, "");
	builtin_accept_again(builtin);
}

/* What an action is about: the oldest open connection. Without one it fails as the call would. */
static struct connection *subject(struct builtin *builtin, enum agent_call call)
{
	struct connection *connection = builtin->first;

	if (connection)
		return connection;
	builtin_report(builtin, call, nsec_now(), ENOTCONN, "no connection");
	return NULL;
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

static void send_bytes(struct builtin *builtin, uint64_t size)
{
	struct connection *connection = subject(builtin, AGENT_CALL_WRITE);

	if (!connection)
		return;
	connection->to_write += size;
	connection->told_write = false; /* asked for, so told of */
	connection_run(connection);
}

static void act(struct builtin *builtin, const struct agent_order *order)
{
	struct connection *connection;

	switch (order->action) {
	case ACTION_CONNECT:
		connection_connect(builtin);
		break;
	case ACTION_SEND:
		send_bytes(builtin, order->size);
		break;
	case ACTION_SHUTDOWN:
		if ((connection = subject(builtin, AGENT_CALL_SHUTDOWN)))
			connection_shutdown(connection);
		break;
	case ACTION_CLOSE:
		if ((connection = subject(builtin, AGENT_CALL_CLOSE)))
			connection_close(connection);
		break;
	case ACTION_PAUSE_READING:
	case ACTION_RESUME_READING:
		set_paused(builtin, order->action == ACTION_PAUSE_READING);
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
	ssize_t n = recv(builtin->child->control_fd, &order, sizeof(order), MSG_DONTWAIT);

	if (n == sizeof(order))
		act(builtin, &order);
	else if (n == 0) /* deadpeer is gone */
		_exit(EXIT_SUCCESS);
}

static void allow_many_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void read_options(struct builtin *builtin)
{
	const struct scenario_agent *options = builtin->spec->options;
	enum workload workload;
	bool stream;

	workload =
		scenario_option(options, OPTION_WORKLOAD,
				builtin->spec->node == NODE_CLIENT ? WORKLOAD_IDLE : WORKLOAD_ECHO);
	stream = workload == WORKLOAD_STREAM;
	builtin->workload = workload_get(workload);
	builtin->interval_nsec = scenario_option(options, OPTION_INTERVAL,
						 stream ? DEFAULT_STREAM_PAUSE : DEFAULT_INTERVAL);
	builtin->size =
		scenario_option(options, OPTION_SIZE, stream ? DEFAULT_STREAM_SIZE : DEFAULT_SIZE);
	builtin->misses = scenario_option(options, OPTION_MISSES, DEFAULT_MISSES);
	builtin->close_on_eof = scenario_option(options, OPTION_CLOSE_ON_EOF, 1);
}

_Noreturn void agent_builtin_main(const struct agent_child *child)
{
	struct builtin builtin = { .child = child, .spec = child->spec, .listen_fd = -1 };
	struct loop_io *orders;

	signal(SIGPIPE, SIG_IGN);
	allow_many_descriptors();
	read_options(&builtin);
	connection_fill_buffer();
	if (loop_new(&builtin.loop, NULL) < 0 ||
	    loop_io_new(builtin.loop, child->control_fd, EPOLLIN, on_order, &builtin, &orders,
			NULL) < 0)
		give_up(&builtin, AGENT_CALL_SOCKET, nsec_now(), errno, "epoll");
	if (builtin.spec->node == NODE_SERVER)
		start_listening(&builtin);
	else if (scenario_option(builtin.spec->options, OPTION_AUTOCONNECT, 1))
		connection_connect(&builtin);
	loop_run(builtin.loop, NULL);
	_exit(EXIT_FAILURE);
}
