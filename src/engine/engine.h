/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Who provides the kernel. An engine takes a list of trials and hands out a record
 * for each; nobody else asks which one runs. The host engine runs them on this
 * machine's kernel in real time, the qemu engine on a stock kernel in virtual time.
 *
 * Theory of operation of the qemu engine. A guest's first process is this program (guest-main.h),
 * which runs the same trials by the same code. qemu.c draws each trial's phase, which is where the
 * timer wheel stands at the first event, from the seed and the trial; the trial waits for the tick
 * that has it. src/trial/ticks.c finds out where the kernel's ticks lie and which number they
 * have (their jiffies), and beginning.c lets events strike in the middle of a tick: at its edge a
 * few microseconds decide whether a timer is armed a tick earlier, which a granule of the wheel
 * later makes a difference of 32 ms or more. So the same trial in guests of 1, 30 and 200 trials
 * ends within half a millisecond.
 *
 * Clients connect only when every trial of the guest is set up, and namespaces stay until the last
 * trial is over, so that neither is in the way of a measurement. A record says by how much its
 * latest event came late. A trial that is late by more than a tick runs again, alone in a guest,
 * and fails if it is late there too.
 *
 * A guest that is to run 25 trials or more starts from a snapshot that has testbeds ready
 * (src/trial/pool.h), each with two processes that stand by to become its agents
 * (agent_stand_by()). What is left of a trial with default settings takes 2.4 million guest
 * instructions on Linux 6.12 if its connection is idle, and 5.3 million if it is busy. Built-in
 * agents share the memory of what runs the trials (src/agent/spawn.h).
 */

#include <stdbool.h>

#include "src/trial/job.h"

struct engine {
	const char *name;   /* as --engine takes it */
	bool virtual_time;  /* waiting costs nothing, and the phase of a trial can be chosen */
	const char *remedy; /* what to try where the machine cannot do a trial, or NULL */
	/* Runs all trials of a job. Fails with ERROR_INTERRUPTED after SIGINT or SIGTERM, when
	 * everything is cleaned up. */
	int (*run)(const struct engine_job *job, const struct engine_listener *listener,
		   struct error *err);
	/* Finds the release, as uname(1) prints it, of the kernel that would run a job with this
	 * kernel_name and kernel_modules. The caller frees *ret_release. */
	int (*release)(const char *kernel_name, const char *kernel_modules, char **ret_release,
		       struct error *err);
	/* Names all kernels at hand, the newest first, as NULL-terminated list that the caller
	 * frees with strings_free(); it may be empty. The function is NULL where there is one only.
	 */
	int (*kernels)(char ***ret_names, struct error *err);
	/* Finds the version of the QEMU that would run a job, which the caller frees. The
	 * function is NULL where the engine uses none. */
	int (*emulator)(char **ret_version, struct error *err);
};

extern const struct engine engine_host, engine_qemu;
extern const struct engine *const engines[3]; /* all of them; NULL at the end */

/* Returns NULL if no engine has this name. */
const struct engine *engine_from_name(const char *name);
/* Returns "host, qemu", for error texts. */
const char *engine_names(void);
