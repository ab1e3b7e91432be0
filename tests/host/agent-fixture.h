/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Two namespaces joined by a veth pair, a loop, and an agent on each end whose
 * reports are kept. await() runs the loop until a report comes.
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
	size_t n_reports, n_seen; /* those before n_seen have been awaited */
};

struct fixture {
	struct loop *loop;
	struct loop_timer *timer;
	struct side side[_ENDPOINT_MAX];
	struct side *waiting; /* whose report ends loop_run(), or NULL */
	enum agent_call call;
	bool stand_by; /* start agents out of processes that stand by */
};

/* Enters a user namespace when not root. Ends the test program with 77 where namespaces are not
 * permitted. */
void fixture_require(void);
void fixture_setup(struct fixture *fixture);
void fixture_teardown(struct fixture *fixture);

void fixture_start(struct fixture *fixture, enum node_id node);
/* Both, with these workloads; returns when the connection is established at both ends. */
void fixture_start_pair(struct fixture *fixture, enum workload client, enum workload server);
/* The next report of that call; fails the test after 10 s. */
const struct agent_report *fixture_await(struct fixture *fixture, enum node_id node,
					 enum agent_call call);
/* How many reports of that call came so far. */
size_t fixture_count(const struct fixture *fixture, enum node_id node, enum agent_call call);
void fixture_run_for(struct fixture *fixture, nsec_t span_nsec);
void fixture_act(struct fixture *fixture, enum node_id node, enum action action, uint64_t size);
/* A process that is gone, or a zombie, is not alive. */
bool process_alive(pid_t pid);
/* All descendants of `pid`, in this process's PID namespace. */
size_t process_descendants(pid_t pid, pid_t *ret_pids, size_t max);
