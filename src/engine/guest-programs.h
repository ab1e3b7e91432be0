/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The user's programs that go along into guests. */

#include "src/kernel/closure.h"
#include "src/trial/job.h"

/* Finds what the commands of a job's scenarios need; *ret_closure is NULL if there are none. Fails
 * with ERROR_INPUT, and names the line, for what cannot go along. */
int guest_programs_find(const struct engine_job *job, struct closure **ret_closure,
			struct error *err);
