/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The tests of agents have two namespaces that a veth pair joins, a loop, and an
 * agent on each end. The fixture keeps the reports of both agents, and
 * fixture_await() runs the loop until a report comes.
 */

#include <check.h>
#include <stdbool.h>

#include "netns/nl.h"
#include "src/agent/agent.h"

#define FIXTURE_PORT	    5000
#define FIXTURE_REPORTS_MAX 16384

struct side {
	struct fixture *fixture;
	struct agent *agent;
	struct scenario_agent options;
	struct agent_spec spec;
	struct netns *ns;
	struct nl *route_nl;
	struct agent_report *reports;
	size_t n_reports;
	size_t n_seen; /* fixture_await() has returned the reports before this one */
};

#define FIXTURE_SIDES (NODE_SERVER + 1)

struct fixture {
	struct loop *loop;
	struct loop_timer *timer;
	struct agent_host hosts[FIXTURE_SIDES];
	struct side side[FIXTURE_SIDES];
	struct side *waiting; /* the side whose report ends loop_run(), or NULL */
	enum agent_call call;
	bool stand_by; /* fixture_start() takes processes that stand by */
};

/* Enters a user namespace if the caller is not root. Ends the test program with 77 if the caller
 * may make no namespaces. */
void fixture_require(void);
void fixture_setup(struct fixture *fixture);
void fixture_teardown(struct fixture *fixture);

void fixture_start(struct fixture *fixture, enum node_id node);
/* Starts both agents with these workloads, and returns when the connection is established at both
 * ends. */
void fixture_start_pair(struct fixture *fixture, enum workload client, enum workload server);
/* Returns the next report of `call` on `node`. The test fails if none comes within 10 s. */
const struct agent_report *fixture_await(struct fixture *fixture, enum node_id node,
					 enum agent_call call);
/* Returns how many reports of `call` have come from `node` so far. */
size_t fixture_count(const struct fixture *fixture, enum node_id node, enum agent_call call);
void fixture_run_for(struct fixture *fixture, nsec_t span_nsec);
void fixture_act(struct fixture *fixture, enum node_id node, enum action action, uint64_t size);
/* Gives an option to the agent of `node` before it is started. */
void fixture_set(struct fixture *fixture, enum node_id node, enum option option, int64_t value);

/* How many sockets of a node are in a state, the sum of their receive queues, and of the bytes that
 * they ever received. */
struct fixture_queues {
	size_t count;
	uint64_t received, ever;
};
/* `state`: one of TCP's, as the kernel numbers them. */
struct fixture_queues fixture_look(const struct fixture *fixture, enum node_id node, int state);

/* Returns whether `pid` runs. A process that is gone, or is a zombie, is not alive. */
bool process_alive(pid_t pid);
/* Stores the descendants of `pid`, at most `max`, by their numbers in this process's PID namespace.
 * Returns how many it stores. */
size_t process_descendants(pid_t pid, pid_t *ret_pids, size_t max);
