/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * deadpeer inside the guest: it runs one job of trials by the same code as on the host.
 */

/* A guest has at most so many trials, because forks get slower with their number. A pool has as
 * many testbeds of each family. */
#define GUEST_TRIALS_MAX 100

/* If this process is a guest's first, does the job and never returns. */
void guest_run_if_guest(void);
