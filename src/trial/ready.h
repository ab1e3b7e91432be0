/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What shows that a program is ready, and when to look for it. Reports of agents leave signs here;
 * the trial's timer goes on with the next program (start.h).
 */

#include "src/trial/state.h"

/* A program has listened, connected, run, or ended with status 0. */
enum ready_sign {
	READY_SIGN_LISTENS,
	READY_SIGN_CONNECTED,
	READY_SIGN_RUNS,
	READY_SIGN_FINISHED,
};

void ready_note(struct trial_program *program, enum ready_sign sign);
bool ready_has(const struct trial_program *program, enum ready_sign sign);
/* Whether the signs that a program has left are enough. Where they cannot be, because its port, its
 * output or a command tells, this is false. */
bool ready_by_sign(const struct trial_program *program);
/* What the scenario says of a program; NULL: it is the built-in agent. */
const struct scenario_program *ready_said(const struct trial_program *program);
/* "command 'redis-server'", or where the host has several "program 'store'". Returns `buffer`. */
char *ready_title(const struct trial_program *program, char *buffer, size_t size);
/* What a program of the user's is ready by. */
enum ready_kind ready_kind(const struct trial_program *program);
/* When to look next at the program that is waited for; NSEC_NEVER: its own report tells. */
nsec_t ready_next_look(const struct trial *trial);
/* When it has to be ready, or connected. */
nsec_t ready_limit(const struct trial *trial);
