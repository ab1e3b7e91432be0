/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A place for a shell and all it starts, of which nothing is left when it ends.
 * Theory of operation: this process stays outside and waits. Inside, in a PID
 * namespace, a small process 1 reaps what is orphaned, and its one child goes on as
 * deadpeer, in a mount namespace of its own with a /proc of its own. The kernel ends
 * every process inside when process 1 ends; that ends with its child, or when the
 * one outside dies, of SIGKILL too. With the last process goes the mount namespace.
 */

#include <signal.h>

#include "src/util/error.h"

/*
 * Returns 0 inside; there the caller goes on, and what it exits with becomes the status. Returns
 * 1 outside, once all is over, with `*ret_status` and the terminal given back to this process
 * group. SIGINT, SIGTERM and SIGHUP are blocked from here on, and passed on to the inside.
 * privilege_acquire() comes before it.
 */
int enclosure_enter(int *ret_status, struct error *err);
/* The signals that the inside gets and has to wait for: those, SIGUSR1, and SIGCHLD. */
void enclosure_signals(sigset_t *ret_signals);
/* The exit status that a shell has for what waitpid() says of a process. */
int enclosure_status(int wait_status);
