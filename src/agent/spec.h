/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What program an agent is to run, where, and how. */

#include <stdbool.h>
#include <stdint.h>

#include "netns/netns.h"
#include "src/scenario/scenario.h"
#include "src/util/ip.h"

/* A host by its name, as a user's own command knows it. */
struct agent_host {
	const char *name;
	struct ip address;
};

/* Gets what a command wrote to standard output or error, as it was written. `userdata` is that of
 * the reports. */
typedef void agent_output_func(const char *bytes, size_t size, void *userdata);

struct agent_spec {
	char name[16]; /* of its host */
	bool connects; /* else it listens */
	enum family family;
	const struct scenario_agent *options;	/* of a built-in agent; must outlive it */
	const struct scenario_program *program; /* the user's own; must outlive the agent; NULL: the
						 * agent is built in */
	struct ip local, peer;			/* addresses of this node and of the other end */
	uint16_t port;				/* where the server listens; host order */
	bool wait; /* a built-in client connects when ACTION_CONNECT says so, never by itself */
	unsigned int place; /* built-in agents of the same place run on the same processor */
	bool many;	    /* an action is about all connections, not only the oldest */
	const struct agent_host
		*hosts; /* for a command: of the whole scenario; must outlive the agent
			 */
	size_t n_hosts;
	agent_output_func *output_func; /* of a command; or NULL */
	const struct netns *ns;		/* must live until agent_start() returns */
};

/* Whether the agent runs the user's own command. */
static inline bool agent_is_command(const struct agent_spec *spec)
{
	return spec->program;
}
