/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * An enclosure for a shell and all that it starts. When the shell ends, nothing of it is left.
 *
 * Theory of operation: the calling process stays outside and waits. Inside, in a new PID
 * namespace, a small process 1 reaps orphans. Its one child goes on as deadpeer, in a mount
 * namespace and with a /proc of its own. The kernel kills every process inside when process 1
 * ends. Process 1 ends with its child, and also when the process outside dies, even of SIGKILL.
 * The mount namespace goes with the last process in it.
 */

#include <signal.h>

#include "src/util/error.h"

/*
 * Returns twice. Inside it returns 0: the caller goes on there, and its exit status becomes the
 * enclosure's. Outside it returns 1 once everything inside has ended, with the enclosure's
 * status in `*ret_status`, and gives the terminal back to this process group. SIGINT, SIGTERM
 * and SIGHUP are blocked from here on, and are passed on to the inside. The caller calls
 * privilege_acquire() first.
 */
int enclosure_enter(int *ret_status, struct error *err);
/* Fills a set with the signals that are blocked inside, and that the caller has to wait for there:
 * SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGCHLD. */
void enclosure_signals(sigset_t *ret_signals);
/* Returns the exit status that a shell gives to a process, from the status that waitpid() has of
 * it. */
int enclosure_status(int wait_status);
