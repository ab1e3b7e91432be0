/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/workload.h"

#include <assert.h>
#include <string.h>

/*
 * The workloads, one table at the end. To add one: its functions, a line there,
 * and its name in enum workload. A function only counts up what is to be written;
 * connection_write() writes it as the socket takes it.
 */

/* Sets the next due time, which keeps the rhythm. What a frozen process has missed is not made up
 * for. */
static void due_next(struct connection *connection)
{
	nsec_t now_nsec = nsec_now();

	connection->due_nsec += connection->builtin->interval_nsec;
	if (connection->due_nsec < now_nsec)
		connection->due_nsec = now_nsec + connection->builtin->interval_nsec;
	loop_timer_set(connection->due, connection->due_nsec);
}

static void send_one(struct connection *connection)
{
	connection->to_write += connection->builtin->size;
}

static void answered(struct connection *connection, size_t size)
{
	connection->awaited -= size < connection->awaited ? size : connection->awaited;
}

/* request: the next message is sent after the interval, but not before the last one is answered. */

static void request_send(struct connection *connection)
{
	connection->awaited = connection->builtin->size;
	send_one(connection);
	connection->due_nsec = nsec_now() + connection->builtin->interval_nsec;
}

static void request_received(struct connection *connection, const char *data, size_t size)
{
	if (!connection->awaited)
		return;
	answered(connection, size);
	if (!connection->awaited)
		loop_timer_set(connection->due, connection->due_nsec);
}

static bool request_due(struct connection *connection)
{
	request_send(connection);
	return connection_write(connection);
}

/* heartbeat: a message is sent every interval, answered or not, until too many are unanswered. */

static void heartbeat_start(struct connection *connection)
{
	connection->awaited = connection->builtin->size;
	send_one(connection);
	connection->due_nsec = nsec_now();
	due_next(connection);
}

static void heartbeat_received(struct connection *connection, const char *data, size_t size)
{
	answered(connection, size);
}

static bool heartbeat_due(struct connection *connection)
{
	const struct builtin *builtin = connection->builtin;

	if ((connection->awaited + builtin->size - 1) / builtin->size >= builtin->misses)
		return connection_heartbeat_lost(connection);
	connection->awaited += builtin->size;
	send_one(connection);
	due_next(connection);
	return connection_write(connection);
}

/* stream: a message is sent every interval, and none while the socket is full. Without an interval,
 * one is sent whenever the socket takes more. */

static void stream_start(struct connection *connection)
{
	send_one(connection);
	connection->due_nsec = nsec_now();
	if (connection->builtin->interval_nsec)
		due_next(connection);
}

static bool stream_due(struct connection *connection)
{
	send_one(connection);
	due_next(connection);
	if (!connection_write(connection))
		return false;
	if (connection->to_write)
		loop_timer_set(connection->due, NSEC_NEVER);
	return true;
}

static uint64_t stream_writable(struct connection *connection)
{
	if (!connection->builtin->interval_nsec)
		return connection->builtin->size;
	if (connection->due_nsec < nsec_now())
		due_next(connection);
	else
		loop_timer_set(connection->due, connection->due_nsec);
	return 0;
}

/* echo: nothing is read until everything was sent back, so one buffer is enough. */

static void echo_received(struct connection *connection, const char *data, size_t size)
{
	memcpy(connection->echo, data, size);
	connection->echo_start = 0;
	connection->echo_end = size;
}

const struct workload_functions workloads[] = {
	[WORKLOAD_IDLE] = { 0 },
	[WORKLOAD_REQUEST] = { .start = request_send,
			       .received = request_received,
			       .due = request_due },
	[WORKLOAD_STREAM] = { .start = stream_start,
			      .writable = stream_writable,
			      .due = stream_due },
	[WORKLOAD_HEARTBEAT] = { .start = heartbeat_start,
				 .received = heartbeat_received,
				 .due = heartbeat_due },
	[WORKLOAD_ECHO] = { .received = echo_received, .echoes = true },
	[WORKLOAD_SINK] = { 0 },
	[WORKLOAD_NO_ACCEPT] = { .accepts_not = true },
	[WORKLOAD_COMMAND] = { 0 }, /* it is no built-in agent */
};
static_assert(ARRAY_SIZE(workloads) == _WORKLOAD_MAX, "a line for every workload");
