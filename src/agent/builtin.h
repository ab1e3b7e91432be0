/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The built-in agent, inside its process: a loop over the control socket, the
 * listener and the connections. Which end it is (connect or listen) and what it
 * does with a connection (the workload) are independent of each other.
 */

#include "src/agent/channel.h"

_Noreturn void agent_builtin_main(const struct agent_child *child);
