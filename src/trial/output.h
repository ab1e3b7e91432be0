/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the user's programs write to standard output and error: by line with its time for the
 * record, and as it is to a file of --logs.
 */

#include "src/trial/state.h"

/* An agent_output_func; `userdata` is a struct trial_program. */
void output_take(const char *bytes, size_t size, void *userdata);
/* Notes the last line of each program, which may have no newline. Returns 0, or the first failed
 * write to a file (disk full). */
int output_finish(struct trial *trial, struct error *err);
void output_deinit(struct trial_program *program);
