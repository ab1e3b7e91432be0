/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/option.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "src/text/quantity.h"
#include "src/text/suggest.h"

#define CLIENT	 (1u << NODE_CLIENT)
#define SERVER	 (1u << NODE_SERVER)
#define BOTH	 (CLIENT | SERVER)
#define SECONDS	 NSEC_PER_SEC
#define KEEP_MAX (32767 * SECONDS) /* include/net/tcp.h: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL */
#define GIB	 (INT64_C(1) << 30)

const struct option_definition option_definitions[] = {
	[OPTION_WORKLOAD] = { "workload", OPTION_TYPE_WORKLOAD, 0, _WORKLOAD_MAX - 1, -1, 0, 0,
			      false, BOTH, "what the agent does with its connection" },
	[OPTION_INTERVAL] = { "interval", OPTION_TYPE_TIME, 0, 86400 * SECONDS, -1, 0, 1, false,
			      BOTH, "pause between two sends of the workload" },
	[OPTION_SIZE] = { "size", OPTION_TYPE_BYTES, 1, GIB, -1, 0, 0, false, BOTH,
			  "bytes the workload sends at a time" },
	[OPTION_MISSES] = { "misses", OPTION_TYPE_INT, 1, 1000, -1, 0, 0, false, BOTH,
			    "heartbeat: unanswered requests until it gives up" },
	[OPTION_CONNECTIONS] = { "connections", OPTION_TYPE_INT, 1, 20000, -1, 0, 0, false, CLIENT,
				 "how many connections the client opens at once" },
	[OPTION_AUTOCONNECT] = { "autoconnect", OPTION_TYPE_BOOL, 0, 1, -1, 0, 0, false, CLIENT,
				 "connect at the start; false: when an action says so" },
	[OPTION_CLOSE_ON_EOF] = { "close_on_eof", OPTION_TYPE_BOOL, 0, 1, -1, 0, 0, false, BOTH,
				  "close when the peer has closed" },
	[OPTION_PAUSED] = { "paused", OPTION_TYPE_BOOL, 0, 1, -1, 0, 0, false, BOTH,
			    "does not read until it is told to resume-reading" },
	[OPTION_PORT] = { "port", OPTION_TYPE_INT, 1, 65535, -1, 0, 0, false, BOTH,
			  "where the server listens, or the client connects to" },
	[OPTION_LOCAL_PORT] = { "local_port", OPTION_TYPE_INT, 1, 65535, -1, 0, 0, false, CLIENT,
				"what the client binds its connection to" },
	[OPTION_BACKLOG] = { "backlog", OPTION_TYPE_INT, 0, 65535, -1, 0, 0, false, SERVER,
			     "of listen()" },
	[OPTION_DESCRIPTORS] = { "descriptors", OPTION_TYPE_INT, 0, 100000, -1, 0, 0, false, SERVER,
				 "how many more the server may open once it listens" },
	[OPTION_KEEPALIVE] = { "keepalive.enabled", OPTION_TYPE_BOOL, 0, 1, SOL_SOCKET,
			       SO_KEEPALIVE, 0, true, BOTH, "SO_KEEPALIVE" },
	[OPTION_KEEPALIVE_IDLE] = { "keepalive.idle", OPTION_TYPE_TIME, SECONDS, KEEP_MAX,
				    IPPROTO_TCP, TCP_KEEPIDLE, SECONDS, true, BOTH,
				    "TCP_KEEPIDLE: silence before the first probe" },
	[OPTION_KEEPALIVE_INTERVAL] = { "keepalive.interval", OPTION_TYPE_TIME, SECONDS, KEEP_MAX,
					IPPROTO_TCP, TCP_KEEPINTVL, SECONDS, true, BOTH,
					"TCP_KEEPINTVL: pause between probes" },
	[OPTION_KEEPALIVE_COUNT] = { "keepalive.count", OPTION_TYPE_INT, 1, 127, IPPROTO_TCP,
				     TCP_KEEPCNT, 0, true, BOTH,
				     "TCP_KEEPCNT: unanswered probes until the end" },
	[OPTION_USER_TIMEOUT] = { "user_timeout", OPTION_TYPE_TIME, 0, INT_MAX *NSEC_PER_MSEC,
				  IPPROTO_TCP, TCP_USER_TIMEOUT, NSEC_PER_MSEC, true, BOTH,
				  "TCP_USER_TIMEOUT: how long data may stay unacknowledged" },
	[OPTION_SYN_COUNT] = { "syn_count", OPTION_TYPE_INT, 1, 127, IPPROTO_TCP, TCP_SYNCNT, 0,
			       true, CLIENT, "TCP_SYNCNT: how often SYN is sent again" },
	[OPTION_LINGER] = { "linger", OPTION_TYPE_TIME, 0, 86400 * SECONDS, SOL_SOCKET, SO_LINGER,
			    SECONDS, true, BOTH, "SO_LINGER: how long close() waits; 0 resets" },
	[OPTION_REUSE_ADDRESS] = { "reuse_address", OPTION_TYPE_BOOL, 0, 1, SOL_SOCKET,
				   SO_REUSEADDR, 0, true, BOTH, "SO_REUSEADDR" },
	[OPTION_NODELAY] = { "nodelay", OPTION_TYPE_BOOL, 0, 1, IPPROTO_TCP, TCP_NODELAY, 0, true,
			     BOTH, "TCP_NODELAY" },
	[OPTION_DEFER_ACCEPT] = { "defer_accept", OPTION_TYPE_TIME, 0, KEEP_MAX, IPPROTO_TCP,
				  TCP_DEFER_ACCEPT, SECONDS, true, SERVER,
				  "TCP_DEFER_ACCEPT: wait for data before accepting" },
	[OPTION_SEND_BUFFER] = { "send_buffer", OPTION_TYPE_BYTES, 1, GIB, SOL_SOCKET, SO_SNDBUF, 0,
				 true, BOTH, "SO_SNDBUF; the kernel doubles it" },
	[OPTION_RECEIVE_BUFFER] = { "receive_buffer", OPTION_TYPE_BYTES, 1, GIB, SOL_SOCKET,
				    SO_RCVBUF, 0, true, BOTH, "SO_RCVBUF; the kernel doubles it" },
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

static int parse_time(const struct option_definition *definition, const char *text,
		      int64_t *ret_value, struct error *err)
{
	char minimum[64], maximum[64];
	nsec_t span;
	int rc;

	rc = nsec_parse(text, &span, err);
	if (rc < 0)
		return rc;
	if (span % definition->unit_nsec)
		return error_input(err, "'%s' is not a whole number of %s", text,
				   definition->unit_nsec == SECONDS ? "seconds" : "milliseconds");
	if (span < definition->minimum || span > definition->maximum)
		return error_input(err, "%s is out of range; it goes from %s to %s", text,
				   nsec_format(minimum, sizeof(minimum), definition->minimum),
				   nsec_format(maximum, sizeof(maximum), definition->maximum));
	*ret_value = span;
	return 0;
}

static int parse_workload(const char *text, int64_t *ret_value, struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];
	int workload = workload_from_name(text);

	if (workload == WORKLOAD_COMMAND)
		return error_input(
			err, "write 'command: [PROGRAM, ARGUMENT, ...]' in place of workload");
	if (workload < 0) {
		suggestion_init(&suggestion, text);
		for (int i = 0; i < WORKLOAD_COMMAND; i++)
			suggestion_offer(&suggestion, workload_name(i));
		return error_input(err, "there is no workload '%s'%s", text,
				   suggestion_text(&suggestion, buffer, sizeof(buffer)));
	}
	*ret_value = workload;
	return 0;
}

int option_parse(enum option option, const char *text, int64_t *ret_value, struct error *err)
{
	const struct option_definition *definition = &option_definitions[option];
	uint64_t number = 0;
	bool yes = false;
	int rc = 0;

	switch (definition->type) {
	case OPTION_TYPE_BOOL:
		rc = quantity_parse_bool(text, &yes, err);
		number = yes;
		break;
	case OPTION_TYPE_INT:
		rc = quantity_parse_count(text, (uint64_t)definition->minimum,
					  (uint64_t)definition->maximum, &number, err);
		break;
	case OPTION_TYPE_BYTES:
		rc = quantity_parse_bytes(text, (uint64_t)definition->minimum,
					  (uint64_t)definition->maximum, &number, err);
		break;
	case OPTION_TYPE_TIME:
		return parse_time(definition, text, ret_value, err);
	case OPTION_TYPE_WORKLOAD:
		return parse_workload(text, ret_value, err);
	}
	if (rc < 0)
		return rc;
	*ret_value = (int64_t)number;
	return 0;
}

/* The largest unit that makes a whole number of it. */
static void format_time(int64_t value, char *buffer, size_t size)
{
	static const struct {
		const char *name;
		nsec_t nsec;
	} units[] = { { "s", NSEC_PER_SEC }, { "ms", NSEC_PER_MSEC }, { "us", NSEC_PER_USEC } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (value % units[i].nsec == 0) {
			snprintf(buffer, size, "%" PRId64 "%s", value / units[i].nsec,
				 units[i].name);
			return;
		}
	snprintf(buffer, size, "%" PRId64 "ns", value);
}

char *option_format(enum option option, int64_t value, char *buffer, size_t size)
{
	switch (option_definitions[option].type) {
	case OPTION_TYPE_BOOL:
		snprintf(buffer, size, "%s", value ? "true" : "false");
		break;
	case OPTION_TYPE_INT:
	case OPTION_TYPE_BYTES:
		snprintf(buffer, size, "%" PRId64, value);
		break;
	case OPTION_TYPE_TIME:
		format_time(value, buffer, size);
		break;
	case OPTION_TYPE_WORKLOAD:
		snprintf(buffer, size, "%s", workload_name((enum workload)value));
		break;
	}
	return buffer;
}
