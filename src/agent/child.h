/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The agent's side of the fork: it moves the new process into its namespace, takes
 * from it what is not its own, and runs one of the two programs that a child can be, the
 * built-in agent or the small init above a user's command. Nothing here returns to
 * the parent's code: the child leaves by _exit().
 */

#include "src/agent/channel.h"

_Noreturn void agent_child_main(const struct agent_child *child);
