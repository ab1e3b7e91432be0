/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/option.h"

#include <assert.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "src/text/grammar.h"

#define CLIENT	 (1u << NODE_CLIENT)
#define SERVER	 (1u << NODE_SERVER)
#define BOTH	 (CLIENT | SERVER)
#define SECONDS	 NSEC_PER_SEC
#define KEEP_MAX (32767 * SECONDS) /* include/net/tcp.h: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL */
#define GIB	 (INT64_C(1) << 30)

const struct option_definition option_definitions[] = {
	[OPTION_WORKLOAD] = { "workload", FIELD_WORD, 0, _WORKLOAD_MAX - 1, -1, 0, 0, false, BOTH,
			      "what the agent does with its connection" },
	[OPTION_INTERVAL] = { "interval", FIELD_TIME, 0, 86400 * SECONDS, -1, 0, 1, false, BOTH,
			      "pause between two sends of the workload" },
	[OPTION_SIZE] = { "size", FIELD_BYTES, 1, GIB, -1, 0, 0, false, BOTH,
			  "bytes the workload sends at a time" },
	[OPTION_MISSES] = { "misses", FIELD_COUNT, 1, 1000, -1, 0, 0, false, BOTH,
			    "heartbeat: unanswered requests until it gives up" },
	[OPTION_CONNECTIONS] = { "connections", FIELD_COUNT, 1, 20000, -1, 0, 0, false, CLIENT,
				 "how many connections the client opens at once" },
	[OPTION_AUTOCONNECT] = { "autoconnect", FIELD_BOOL, 0, 1, -1, 0, 0, false, CLIENT,
				 "connect at the start; false: when an action says so" },
	[OPTION_CLOSE_ON_EOF] = { "close_on_eof", FIELD_BOOL, 0, 1, -1, 0, 0, false, BOTH,
				  "close when the peer has closed" },
	[OPTION_PAUSED] = { "paused", FIELD_BOOL, 0, 1, -1, 0, 0, false, BOTH,
			    "does not read until it is told to resume-reading" },
	[OPTION_PORT] = { "port", FIELD_COUNT, 1, 65535, -1, 0, 0, false, BOTH,
			  "where the server listens, or the client connects to" },
	[OPTION_LOCAL_PORT] = { "local_port", FIELD_COUNT, 1, 65535, -1, 0, 0, false, CLIENT,
				"what the client binds its connection to" },
	[OPTION_BACKLOG] = { "backlog", FIELD_COUNT, 0, 65535, -1, 0, 0, false, SERVER,
			     "of listen()" },
	[OPTION_DESCRIPTORS] = { "descriptors", FIELD_COUNT, 0, 100000, -1, 0, 0, false, SERVER,
				 "how many more the server may open once it listens" },
	[OPTION_KEEPALIVE] = { "keepalive.enabled", FIELD_BOOL, 0, 1, SOL_SOCKET, SO_KEEPALIVE, 0,
			       true, BOTH, "SO_KEEPALIVE" },
	[OPTION_KEEPALIVE_IDLE] = { "keepalive.idle", FIELD_TIME, SECONDS, KEEP_MAX, IPPROTO_TCP,
				    TCP_KEEPIDLE, SECONDS, true, BOTH,
				    "TCP_KEEPIDLE: silence before the first probe" },
	[OPTION_KEEPALIVE_INTERVAL] = { "keepalive.interval", FIELD_TIME, SECONDS, KEEP_MAX,
					IPPROTO_TCP, TCP_KEEPINTVL, SECONDS, true, BOTH,
					"TCP_KEEPINTVL: pause between probes" },
	[OPTION_KEEPALIVE_COUNT] = { "keepalive.count", FIELD_COUNT, 1, 127, IPPROTO_TCP,
				     TCP_KEEPCNT, 0, true, BOTH,
				     "TCP_KEEPCNT: unanswered probes until the end" },
	[OPTION_USER_TIMEOUT] = { "user_timeout", FIELD_TIME, 0, INT_MAX *NSEC_PER_MSEC,
				  IPPROTO_TCP, TCP_USER_TIMEOUT, NSEC_PER_MSEC, true, BOTH,
				  "TCP_USER_TIMEOUT: how long data may stay unacknowledged" },
	[OPTION_SYN_COUNT] = { "syn_count", FIELD_COUNT, 1, 127, IPPROTO_TCP, TCP_SYNCNT, 0, true,
			       CLIENT, "TCP_SYNCNT: how often SYN is sent again" },
	[OPTION_LINGER] = { "linger", FIELD_TIME, 0, 86400 * SECONDS, SOL_SOCKET, SO_LINGER,
			    SECONDS, true, BOTH, "SO_LINGER: how long close() waits; 0 resets" },
	[OPTION_REUSE_ADDRESS] = { "reuse_address", FIELD_BOOL, 0, 1, SOL_SOCKET, SO_REUSEADDR, 0,
				   true, BOTH, "SO_REUSEADDR" },
	[OPTION_NODELAY] = { "nodelay", FIELD_BOOL, 0, 1, IPPROTO_TCP, TCP_NODELAY, 0, true, BOTH,
			     "TCP_NODELAY" },
	[OPTION_DEFER_ACCEPT] = { "defer_accept", FIELD_TIME, 0, KEEP_MAX, IPPROTO_TCP,
				  TCP_DEFER_ACCEPT, SECONDS, true, SERVER,
				  "TCP_DEFER_ACCEPT: wait for data before accepting" },
	[OPTION_SEND_BUFFER] = { "send_buffer", FIELD_BYTES, 1, GIB, SOL_SOCKET, SO_SNDBUF, 0, true,
				 BOTH, "SO_SNDBUF; the kernel doubles it" },
	[OPTION_RECEIVE_BUFFER] = { "receive_buffer", FIELD_BYTES, 1, GIB, SOL_SOCKET, SO_RCVBUF, 0,
				    true, BOTH, "SO_RCVBUF; the kernel doubles it" },
};
static_assert(ARRAY_SIZE(option_definitions) == _OPTION_MAX, "every option is defined");

int option_from_key(const char *key)
{
	if (!strcmp(key, "keepalive"))
		return OPTION_KEEPALIVE;
	for (int i = 0; i < _OPTION_MAX; i++)
		if (!strcmp(option_definitions[i].key, key))
			return i;
	return -1;
}

static int parse_workload(const char *text, int64_t *ret_value, struct error *err)
{
	static const struct word_list workloads = { "workload", &workload_names, WORKLOAD_COMMAND };
	int workload, rc;

	if (!strcmp(text, workload_name(WORKLOAD_COMMAND)))
		return error_input(
			err, "write 'command: [PROGRAM, ARGUMENT, ...]' in place of workload");
	rc = grammar_read_word(text, &workloads, &workload, err);
	if (rc == 0)
		*ret_value = workload;
	return rc;
}

/* An option as a field that is an int64_t by itself. */
static struct field field_of(enum option option)
{
	const struct option_definition *definition = &option_definitions[option];

	return (struct field){ .type = definition->type,
			       .size = sizeof(int64_t),
			       .minimum = definition->minimum,
			       .maximum = definition->maximum,
			       .names = &workload_names,
			       .unit_nsec = definition->unit_nsec };
}

int option_parse(enum option option, const char *text, int64_t *ret_value, struct error *err)
{
	const struct field field = field_of(option);

	if (field.type == FIELD_WORD)
		return parse_workload(text, ret_value, err);
	return field_parse(&field, ret_value, text, err);
}

char *option_format(enum option option, int64_t value, char *buffer, size_t size)
{
	const struct field field = field_of(option);

	return field_format(&field, &value, buffer, size);
}
