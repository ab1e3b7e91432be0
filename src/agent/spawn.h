/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Makes the process of an agent, as the first one of a PID namespace. There are two kinds.
 *
 * One is a fork: it has a copy of deadpeer's memory, in which the C library can be used as after
 * fork().
 *
 * The other shares deadpeer's memory. Where many agents take turns on one processor, as in a guest,
 * most of what they cost is that each has page tables of its own: they are built by the fork, torn
 * down at the end, and QEMU forgets all translations of addresses whenever another process gets the
 * processor. A process that shares memory and may be killed at any moment must share nothing of the
 * C library's that it could leave half done. So it borrows the thread-local storage of a thread
 * that was made for it and never runs again: it has its own errno, and its own arena, out of which
 * malloc() serves it (glibc: malloc/arena.c). What it has in memory, and that thread, stay when it
 * has ended. That is right for a guest, which ends as a whole, and wrong for anything that goes on
 * for long.
 */

#include <sys/types.h>

#include "src/agent/channel.h"
#include "src/util/error.h"

/* Makes the process, which runs agent_child_main(). `child` has to live until this returns. With
 * `shared`, the process shares this one's memory, and `child` has no specification yet. */
int agent_spawn(const struct agent_child *child, bool shared, pid_t *ret_pid, int *ret_pidfd,
		struct error *err);
