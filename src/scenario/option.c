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
	[OPTION_WORKLOAD] = { "workload", FIELD_WORD, 0, _WORKLOAD_MAX - 1, BOTH,
			      "what the agent does with its connection" },
	[OPTION_INTERVAL] = { "interval", FIELD_TIME, 0, 86400 * SECONDS, BOTH,
			      "pause between two sends of the workload" },
	[OPTION_SIZE] = { "size", FIELD_BYTES, 1, GIB, BOTH, "bytes the workload sends at a time" },
	[OPTION_MISSES] = { "misses", FIELD_COUNT, 1, 1000, BOTH,
			    "heartbeat: unanswered requests until it gives up" },
	[OPTION_CONNECTIONS] = { "connections", FIELD_COUNT, 1, 20000, CLIENT,
				 "how many connections the client opens at once" },
	[OPTION_AUTOCONNECT] = { "autoconnect", FIELD_BOOL, 0, 1, CLIENT,
				 "connect at the start; false: when an action says so" },
	[OPTION_CLOSE_ON_EOF] = { "close_on_eof", FIELD_BOOL, 0, 1, BOTH,
				  "close when the peer has closed" },
	[OPTION_PAUSED] = { "paused", FIELD_BOOL, 0, 1, BOTH,
			    "does not read until it is told to resume-reading" },
	[OPTION_PORT] = { "port", FIELD_COUNT, 1, 65535, BOTH,
			  "where the server listens, or the client connects to" },
	[OPTION_LOCAL_PORT] = { "local_port", FIELD_COUNT, 1, 65535, CLIENT,
				"what the client binds its connection to" },
	[OPTION_BACKLOG] = { "backlog", FIELD_COUNT, 0, 65535, SERVER, "of listen()" },
	[OPTION_DESCRIPTORS] = { "descriptors", FIELD_COUNT, 0, 100000, SERVER,
				 "how many more the server may open once it listens" },
	[OPTION_KEEPALIVE] = { "keepalive.enabled", FIELD_BOOL, 0, 1, BOTH, "SO_KEEPALIVE",
			       SOL_SOCKET, SO_KEEPALIVE },
	[OPTION_KEEPALIVE_IDLE] = { "keepalive.idle", FIELD_TIME, SECONDS, KEEP_MAX, BOTH,
				    "TCP_KEEPIDLE: silence before the first probe", IPPROTO_TCP,
				    TCP_KEEPIDLE, SECONDS },
	[OPTION_KEEPALIVE_INTERVAL] = { "keepalive.interval", FIELD_TIME, SECONDS, KEEP_MAX, BOTH,
					"TCP_KEEPINTVL: pause between probes", IPPROTO_TCP,
					TCP_KEEPINTVL, SECONDS },
	[OPTION_KEEPALIVE_COUNT] = { "keepalive.count", FIELD_COUNT, 1, 127, BOTH,
				     "TCP_KEEPCNT: unanswered probes until the end", IPPROTO_TCP,
				     TCP_KEEPCNT },
	[OPTION_USER_TIMEOUT] = { "user_timeout", FIELD_TIME, 0, INT_MAX *NSEC_PER_MSEC, BOTH,
				  "TCP_USER_TIMEOUT: how long data may stay unacknowledged",
				  IPPROTO_TCP, TCP_USER_TIMEOUT, NSEC_PER_MSEC },
	[OPTION_SYN_COUNT] = { "syn_count", FIELD_COUNT, 1, 127, CLIENT,
			       "TCP_SYNCNT: how often SYN is sent again", IPPROTO_TCP, TCP_SYNCNT },
	[OPTION_LINGER] = { "linger", FIELD_TIME, 0, 86400 * SECONDS, BOTH,
			    "SO_LINGER: how long close() waits; 0 resets", SOL_SOCKET, SO_LINGER,
			    SECONDS },
	[OPTION_REUSE_ADDRESS] = { "reuse_address", FIELD_BOOL, 0, 1, BOTH, "SO_REUSEADDR",
				   SOL_SOCKET, SO_REUSEADDR },
	[OPTION_NODELAY] = { "nodelay", FIELD_BOOL, 0, 1, BOTH, "TCP_NODELAY", IPPROTO_TCP,
			     TCP_NODELAY },
	[OPTION_DEFER_ACCEPT] = { "defer_accept", FIELD_TIME, 0, KEEP_MAX, SERVER,
				  "TCP_DEFER_ACCEPT: wait for data before accepting", IPPROTO_TCP,
				  TCP_DEFER_ACCEPT, SECONDS },
	[OPTION_SEND_BUFFER] = { "send_buffer", FIELD_BYTES, 1, GIB, BOTH,
				 "SO_SNDBUF; the kernel doubles it", SOL_SOCKET, SO_SNDBUF },
	[OPTION_RECEIVE_BUFFER] = { "receive_buffer", FIELD_BYTES, 1, GIB, BOTH,
				    "SO_RCVBUF; the kernel doubles it", SOL_SOCKET, SO_RCVBUF },
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
	static_assert(WORKLOAD_COMMAND == _WORKLOAD_MAX - 1, "the words are those before COMMAND");
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
