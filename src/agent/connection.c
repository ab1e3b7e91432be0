/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/connection.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Theory of operation. A connection is watched edge-triggered for everything, so
 * that one that may not be read from (paused, at its end, an echo not yet sent
 * back) does not spin, and its errors are still heard of. Whoever stops before
 * EAGAIN must therefore ask for the edge again, by watch().
 *
 * Times are taken directly after the call they are about; everything else that a
 * report says is gathered after that.
 */

#define TRIES	  3 /* so often the kernel is asked */
#define EVENTS	  (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define CALLS_MAX 16 /* reads or writes in a row before others get their turn */

static const char write_buffer[CONNECTION_BUFFER_SIZE] = { [0 ... CONNECTION_BUFFER_SIZE - 1] =
								   'd' };

void connection_report_by_number(const struct builtin *builtin, uint32_t connection,
				 enum agent_call call, nsec_t start_nsec, int error,
				 const char *detail)
{
	struct agent_report report = {
		.call = call,
		.connection = connection,
		.start_nsec = start_nsec,
		.time_nsec = nsec_now(),
		.error = error,
		.local_port = builtin->listen_fd >= 0 ? builtin->spec->port : 0,
	};

	strncpy(report.detail, detail, sizeof(report.detail) - 1);
	agent_channel_report(builtin->child, &report);
}

static bool has_info(enum agent_call call, int64_t result, int error)
{
	return error || call == AGENT_CALL_CONNECT || call == AGENT_CALL_ACCEPT ||
	       call == AGENT_CALL_HEARTBEAT || (call == AGENT_CALL_READ && result == 0);
}

/* Ends the agent if the kernel did not answer it. */
static void must(const struct connection *connection, int rc, const char *what)
{
	if (rc >= 0)
		return;
	errno = -rc;
	agent_channel_give_up(connection->builtin->child, what);
}

static void describe(struct connection *connection)
{
	must(connection, agent_socket_describe(connection->fd, &connection->name),
	     "getsockname(), getpeername() or getsockopt(SO_COOKIE)");
}

static void send_report(struct connection *connection, struct agent_report *report)
{
	report->connection = connection->number;
	report->bytes_read = connection->bytes_read;
	report->bytes_written = connection->bytes_written;
	report->local_port = connection->name.local_port;
	report->peer_port = connection->name.peer_port;
	report->cookie = connection->name.cookie;
	if (connection->fd >= 0 && has_info(report->call, report->result, report->error)) {
		must(connection,
		     agent_socket_option(connection->fd, IPPROTO_TCP, TCP_INFO, &report->info,
					 sizeof(report->info)),
		     "getsockopt(TCP_INFO)");
		report->has_info = true;
	}
	agent_channel_report(connection->builtin->child, report);
}

static void report_call(struct connection *connection, enum agent_call call, nsec_t start_nsec,
			nsec_t time_nsec, int64_t result, int error)
{
	struct agent_report report = {
		.call = call,
		.start_nsec = start_nsec,
		.time_nsec = time_nsec,
		.result = result,
		.error = error,
	};

	send_report(connection, &report);
}

static void unlink_connection(struct connection *connection)
{
	struct builtin *builtin = connection->builtin;

	*(connection->previous ? &connection->previous->next : &builtin->first) = connection->next;
	*(connection->next ? &connection->next->previous : &builtin->last) = connection->previous;
}

static void close_socket(struct connection *connection)
{
	nsec_t start_nsec = nsec_now(), time_nsec;
	int rc = close(connection->fd) < 0 ? errno : 0;

	time_nsec = nsec_now();
	connection->fd = -1;
	report_call(connection, AGENT_CALL_CLOSE, start_nsec, time_nsec, 0, rc);
}

/* With SO_LINGER close() blocks until the peer has everything or the time is up, non-blocking
 * sockets too (net/ipv4/af_inet.c: inet_release(); net/core/stream.c: sk_stream_wait_close()). A
 * process that shares the descriptors waits in it, so that this one's other calls keep their
 * times; it has a copy of the memory. */
static void close_apart(struct connection *connection)
{
	long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid < 0)
		_exit(EXIT_FAILURE);
	if (pid > 0)
		return;
	close_socket(connection);
	_exit(EXIT_SUCCESS);
}

void connection_close(struct connection *connection)
{
	const struct scenario_agent *options = connection->builtin->spec->options;

	loop_io_free(connection->io);
	loop_timer_free(connection->due);
	if (scenario_option(options, OPTION_LINGER, 0) > 0)
		close_apart(connection);
	else
		close_socket(connection);
	unlink_connection(connection);
	connection->builtin->closed(connection->builtin);
	free(connection->echo);
	free(connection);
}

static bool fail(struct connection *connection, enum agent_call call, nsec_t start_nsec,
		 nsec_t time_nsec, int error)
{
	report_call(connection, call, start_nsec, time_nsec, 0, error);
	connection_close(connection);
	return false;
}

bool connection_heartbeat_lost(struct connection *connection)
{
	nsec_t now_nsec = nsec_now();

	return fail(connection, AGENT_CALL_HEARTBEAT, now_nsec, now_nsec, 0);
}

static void on_event(void *userdata, uint32_t events);

static void on_due(void *userdata)
{
	struct connection *connection = userdata;

	connection->builtin->workload->due(connection);
}

static void watch(struct connection *connection)
{
	connection->io = loop_io_free(connection->io);
	if (loop_io_new(connection->builtin->loop, connection->fd, EVENTS, on_event, connection,
			&connection->io, NULL) < 0)
		_exit(EXIT_FAILURE);
}

/* Counts what the first connection moves, in memory that is shared with deadpeer, which reads it by
 * agent_counters(). */
static void count(struct connection *connection)
{
	struct agent_counters *counters = connection->builtin->child->counters;

	if (connection->number)
		return;
	__atomic_store_n(&counters->bytes_read, connection->bytes_read, __ATOMIC_RELAXED);
	__atomic_store_n(&counters->bytes_written, connection->bytes_written, __ATOMIC_RELAXED);
}

static struct connection *connection_new(struct builtin *builtin, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		_exit(EXIT_FAILURE);
	*connection = (struct connection){
		.builtin = builtin,
		.previous = builtin->last,
		.number = builtin->n_connections++,
		.fd = fd,
	};
	if (builtin->workload->echoes && !(connection->echo = malloc(CONNECTION_BUFFER_SIZE)))
		_exit(EXIT_FAILURE);
	if (builtin->workload->due &&
	    loop_timer_new(builtin->loop, on_due, connection, &connection->due, NULL) < 0)
		_exit(EXIT_FAILURE);
	*(builtin->last ? &builtin->last->next : &builtin->first) = connection;
	builtin->last = connection;
	return connection;
}

static bool established(struct connection *connection)
{
	const struct workload_functions *workload = connection->builtin->workload;

	if (workload->start)
		workload->start(connection);
	return connection_write(connection);
}

void connection_accepted(struct builtin *builtin, int fd, nsec_t start_nsec, nsec_t time_nsec)
{
	struct connection *connection = connection_new(builtin, fd);

	describe(connection);
	report_call(connection, AGENT_CALL_ACCEPT, start_nsec, time_nsec, fd, 0);
	watch(connection);
	established(connection);
}

/* Binds the socket to a local port, if one is wanted. Returns 0 or an errno. */
static int bind_local(const struct connection *connection, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = agent_socket_address(&connection->builtin->spec->local, port, &address);

	if (port && bind(connection->fd, (struct sockaddr *)&address, size) < 0)
		return errno;
	return 0;
}

void connection_connect(struct builtin *builtin, uint16_t local_port)
{
	const struct agent_spec *spec = builtin->spec;
	struct sockaddr_storage address;
	socklen_t size = agent_socket_address(&spec->peer, spec->port, &address);
	struct connection *connection;
	char detail[64] = "";
	int fd, rc;

	rc = agent_socket_new(spec->family, spec->options, &fd, detail, sizeof(detail));
	if (rc < 0) {
		connection_report_by_number(builtin, 0, AGENT_CALL_SOCKET, nsec_now(), -rc, detail);
		_exit(EXIT_FAILURE);
	}
	connection = connection_new(builtin, fd);
	connection->name.peer_port = spec->port;
	connection->connecting = true;
	connection->connect_nsec = nsec_now();
	rc = bind_local(connection, local_port);
	if (rc) {
		fail(connection, AGENT_CALL_BIND, connection->connect_nsec, nsec_now(), rc);
		return;
	}
	rc = connect(fd, (struct sockaddr *)&address, size) < 0 ? errno : 0;
	if (rc && rc != EINPROGRESS) {
		fail(connection, AGENT_CALL_CONNECT, connection->connect_nsec, nsec_now(), rc);
		return;
	}
	describe(connection);
	watch(connection);
}

static int pending_error(struct connection *connection)
{
	int error = 0;

	must(connection,
	     agent_socket_option(connection->fd, SOL_SOCKET, SO_ERROR, &error, sizeof(error)),
	     "getsockopt(SO_ERROR)");
	return error;
}

static bool connected(struct connection *connection, nsec_t time_nsec)
{
	int error = pending_error(connection);

	connection->connecting = false;
	if (error)
		return fail(connection, AGENT_CALL_CONNECT, connection->connect_nsec, time_nsec,
			    error);
	describe(connection);
	report_call(connection, AGENT_CALL_CONNECT, connection->connect_nsec, time_nsec, 0, 0);
	return established(connection);
}

static bool may_read(const struct connection *connection)
{
	return !connection->builtin->paused && !connection->at_eof &&
	       connection->echo_start == connection->echo_end;
}

static bool met_eof(struct connection *connection, nsec_t start_nsec, nsec_t time_nsec)
{
	connection->at_eof = true;
	report_call(connection, AGENT_CALL_READ, start_nsec, time_nsec, 0, 0);
	if (!connection->builtin->close_on_eof)
		return true;
	connection_close(connection);
	return false;
}

static void received(struct connection *connection, nsec_t start_nsec, nsec_t time_nsec, ssize_t n)
{
	const struct workload_functions *workload = connection->builtin->workload;

	connection->bytes_read += n;
	count(connection);
	if (!connection->told_read)
		report_call(connection, AGENT_CALL_READ, start_nsec, time_nsec, n, 0);
	connection->told_read = true;
	if (workload->received)
		workload->received(connection, connection->builtin->read_buffer, n);
}

static bool connection_read(struct connection *connection)
{
	for (int i = 0; may_read(connection); i++) {
		nsec_t start_nsec = nsec_now(), time_nsec;
		ssize_t n;

		if (i == CALLS_MAX) {
			watch(connection);
			return true;
		}
		n = recv(connection->fd, connection->builtin->read_buffer, CONNECTION_BUFFER_SIZE,
			 0);
		time_nsec = nsec_now();
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0 && errno != EINTR)
			return fail(connection, AGENT_CALL_READ, start_nsec, time_nsec, errno);
		if (n == 0)
			return met_eof(connection, start_nsec, time_nsec);
		if (n > 0)
			received(connection, start_nsec, time_nsec, n);
	}
	return true;
}

/* Writes the bytes of an echo. If there are none, writes what the workload or an action sends. */
static ssize_t write_some(struct connection *connection)
{
	size_t echo = connection->echo_end - connection->echo_start;
	ssize_t n;

	if (echo) {
		n = send(connection->fd, connection->echo + connection->echo_start, echo,
			 MSG_NOSIGNAL);
		connection->echo_start += n > 0 ? n : 0;
		return n;
	}
	n = send(connection->fd, write_buffer,
		 connection->to_write < CONNECTION_BUFFER_SIZE ? connection->to_write
							       : CONNECTION_BUFFER_SIZE,
		 MSG_NOSIGNAL);
	connection->to_write -= n > 0 ? n : 0;
	return n;
}

static bool wants_write(struct connection *connection)
{
	const struct workload_functions *workload = connection->builtin->workload;

	if (connection->shut || connection->connecting)
		return false;
	if (connection->echo_start == connection->echo_end && !connection->to_write &&
	    workload->writable)
		connection->to_write = workload->writable(connection);
	return connection->echo_start < connection->echo_end || connection->to_write;
}

static void wrote(struct connection *connection, nsec_t start_nsec, nsec_t time_nsec, ssize_t n)
{
	connection->bytes_written += n;
	count(connection);
	if (!connection->told_write)
		report_call(connection, AGENT_CALL_WRITE, start_nsec, time_nsec, n, 0);
	connection->told_write = true;
}

bool connection_write(struct connection *connection)
{
	for (int i = 0; wants_write(connection); i++) {
		nsec_t start_nsec = nsec_now(), time_nsec;
		ssize_t n;

		if (i == CALLS_MAX) {
			watch(connection);
			return true;
		}
		n = write_some(connection);
		time_nsec = nsec_now();
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0 && errno != EINTR)
			return fail(connection, AGENT_CALL_WRITE, start_nsec, time_nsec, errno);
		if (n > 0)
			wrote(connection, start_nsec, time_nsec, n);
	}
	return true;
}

/* After a shutdown the kernel takes nothing more, and says so (net/core/stream.c:
 * sk_stream_error()). That is the result of this call, and not the end of the connection. */
static void send_in_vain(struct connection *connection, uint64_t size)
{
	nsec_t start_nsec = nsec_now(), time_nsec;
	ssize_t n =
		send(connection->fd, write_buffer,
		     size < CONNECTION_BUFFER_SIZE ? size : CONNECTION_BUFFER_SIZE, MSG_NOSIGNAL);
	int rc = n < 0 ? errno : 0;

	time_nsec = nsec_now();
	report_call(connection, AGENT_CALL_WRITE, start_nsec, time_nsec, n < 0 ? 0 : n, rc);
}

void connection_send(struct connection *connection, uint64_t size)
{
	if (connection->shut) {
		send_in_vain(connection, size);
		return;
	}
	connection->to_write += size;
	connection->told_write = false; /* a write that was asked for is reported */
	connection_run(connection);
}

void connection_shutdown(struct connection *connection)
{
	nsec_t start_nsec = nsec_now(), time_nsec;
	int rc = shutdown(connection->fd, SHUT_WR) < 0 ? errno : 0;

	time_nsec = nsec_now();
	connection->shut = true;
	report_call(connection, AGENT_CALL_SHUTDOWN, start_nsec, time_nsec, 0, rc);
}

/* Whether something waits to be read that a paused agent will read when it resumes. An error that
 * the connection has met comes after that (net/ipv4/tcp.c: tcp_recvmsg_locked()). */
static bool has_unread(const struct connection *connection)
{
	int size = 0, rc = -1;

	if (!connection->builtin->paused || connection->at_eof)
		return false;
	for (int tries = TRIES; rc < 0 && tries--;)
		rc = ioctl(connection->fd, FIONREAD, &size);
	must(connection, rc < 0 ? -errno : 0, "ioctl(FIONREAD)");
	return size > 0;
}

/* Reports a reset or a timeout of a connection that is not read from, as a program learns of it
 * that polls. */
static bool check_error(struct connection *connection, nsec_t time_nsec)
{
	struct agent_report report = {
		.call = AGENT_CALL_READ,
		.start_nsec = time_nsec,
		.time_nsec = time_nsec,
		.error = pending_error(connection),
		.detail = "getsockopt(SO_ERROR)",
	};

	if (!report.error)
		return true;
	send_report(connection, &report);
	connection_close(connection);
	return false;
}

/* An echo may read on once it has written, so both are done in turn until neither moves a byte. */
void connection_run(struct connection *connection)
{
	for (int i = 0; i < CALLS_MAX && !connection->connecting; i++) {
		uint64_t moved = connection->bytes_read + connection->bytes_written;

		if (!connection_read(connection) || !connection_write(connection))
			return;
		if (!connection->echo ||
		    moved == connection->bytes_read + connection->bytes_written)
			return;
	}
	if (!connection->connecting)
		watch(connection);
}

static void on_event(void *userdata, uint32_t events)
{
	struct connection *connection = userdata;
	bool ended = events & (EPOLLERR | EPOLLHUP);
	nsec_t now_nsec = nsec_now();

	if (connection->connecting && !ended && !(events & EPOLLOUT))
		return;
	if (connection->connecting) {
		if (!connected(connection, now_nsec))
			return;
	} else if (ended && !may_read(connection) && !has_unread(connection)) {
		if (!check_error(connection, now_nsec))
			return;
	}
	connection_run(connection);
}
