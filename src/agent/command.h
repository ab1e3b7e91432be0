/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The init above a user's command: it runs the command, hands on its end, and reaps what it leaves.
 */

#include "src/agent/channel.h"

_Noreturn void agent_command_main(const struct agent_child *child);
