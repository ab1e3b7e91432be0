/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Who provides the kernel. An engine takes a list of trials and hands out a record
 * for each; nobody else asks which one runs. The host engine runs them on this
 * machine's kernel in real time, the qemu engine on a stock kernel in virtual time.
 */

#include <stdbool.h>

#include "src/trial/job.h"

struct engine {
	const char *name;
	bool virtual_time;  /* waiting costs nothing, and the phase of a trial can be chosen */
	const char *remedy; /* what to try where the machine cannot do a trial, or NULL */
	/* Runs them all. ERROR_INTERRUPTED after SIGINT or SIGTERM, with everything cleaned up. */
	int (*run)(const struct engine_job *job, const struct engine_listener *listener,
		   struct error *err);
	/* The release, as uname(1) prints it, of the kernel that would run a job of that
	 * kernel_name and kernel_modules. The caller frees *ret_release. */
	int (*release)(const char *kernel_name, const char *kernel_modules, char **ret_release,
		       struct error *err);
};

extern const struct engine engine_host, engine_qemu;
extern const struct engine *const engines[3]; /* all of them; NULL at the end */

/* Returns NULL when there is none of that name. */
const struct engine *engine_from_name(const char *name);
/* "host, qemu" for error texts. */
const char *engine_names(void);
