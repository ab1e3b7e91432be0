/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The program on a node: the built-in client or server, or the user's own
 * command. Theory of operation: an agent is a child process in the node's
 * network namespace and in a PID namespace of its own, whose first process it is,
 * so that everything it started dies with it; it dies with deadpeer too
 * (PR_SET_PDEATHSIG and the end of its control socket). It tells what its calls
 * gave in reports over that socket, as fixed-size messages with CLOCK_MONOTONIC times taken
 * right after the call they speak of.
 *
 * Both built-in agents of a trial run on one processor, and trials take turns among the processors
 * (channel.c says why). A command may use all processors there are, so its packets may overtake
 * each other.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/agent/report.h"
#include "src/agent/spec.h"
#include "src/util/loop.h"

struct agent;

/* From now on built-in agents share this process's memory (spawn.h says why and how), which is for
 * processes that end with all their agents. */
void agent_share_memory(void);

/* Makes a process in the namespace that waits to become a built-in agent of either kind, for
 * agent_start() to take: most of an agent's cost is its fork. If it ends before that, agent_start()
 * fails. `ns` must live until this returns. */
int agent_stand_by(const struct netns *ns, struct agent **ret_agent, struct error *err);

typedef void (*agent_func)(struct agent *agent, const struct agent_report *report, void *userdata);

/* Starts the process, or gives the one that stands by its part: `standby`, in spec->ns, is taken
 * over, also in case of failure, and may be NULL. Reports come through `loop`. A command that
 * cannot be executed is reported by AGENT_CALL_EXEC, not by this call. */
int agent_start(struct loop *loop, const struct agent_spec *spec, struct agent *standby,
		agent_func func, void *userdata, struct agent **ret_agent, struct error *err);

/* Kills the process (SIGKILL), everything it started, and waits until they are gone: all their
 * sockets are closed by the kernel when it returns. No further report comes. Idempotent. */
void agent_kill(struct agent *agent);
/* The same without waiting: SIGKILL is sent, and no further report comes. */
void agent_shoot(struct agent *agent);
/* agent_kill() and free. */
struct agent *agent_free(struct agent *agent);
DEFINE_CLEANUP(struct agent *, agent_free)

/* SIGSTOP or SIGCONT to the process and everything it started. */
int agent_freeze(struct agent *agent, bool frozen, struct error *err);
/* Tells a built-in agent to do something on its (first) connection. `value`: ACTION_SEND, bytes;
 * ACTION_CONNECT, the local port, 0 for any. Does not wait for it: what comes of it is reported.
 * A command can be told to exit, which is SIGTERM; ERROR_INPUT for anything else. */
int agent_act(struct agent *agent, enum action action, uint64_t value, struct error *err);

/* What the program has moved so far on its first connection. */
struct agent_counters agent_counters(const struct agent *agent);

/* Whether anything of it still runs, which includes what a command left in the background. */
bool agent_running(const struct agent *agent);
/* The number that process 1 of the agent's PID namespace has in deadpeer's own. That process is the
 * built-in agent, or the init above a command. */
pid_t agent_pid(const struct agent *agent);

/* What a command wrote to standard output and error so far, the last 16 KiB of it, as valid UTF-8;
 * never NULL, valid until the next call. Built-in agents write nothing. */
const char *agent_output(struct agent *agent);
