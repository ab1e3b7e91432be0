/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How a trial's programs are started, one after another: those of the server, those of the hosts
 * that have a name, and those of the client, the last of which is to connect. Each is started when
 * the one before it is ready.
 */

#include "src/trial/state.h"

/* Starts the first program. If all are ready by then, the client is next. */
int start_first(struct trial *trial, struct agent *standby, struct error *err);
/* A program has done what shows that it is ready, for one of these reasons: it listens or has
 * connected, it runs, or it has ended with status 0. */
enum start_sign {
	START_LISTENS,
	START_CONNECTED,
	START_RUNS,
	START_FINISHED,
};
void start_note(struct trial_program *program, enum start_sign sign);
/* Looks whether the program that is waited for is ready by now, where nothing tells. */
void start_look(struct trial *trial);
/* When to look next; NSEC_NEVER: its own report tells. */
nsec_t start_next_look(const struct trial *trial);
/* The program that is not ready, or not connected, in its time. */
void start_timed_out(struct trial *trial);
/* When that is. */
nsec_t start_limit(const struct trial *trial);
void start_deinit(struct trial *trial);

/* The client's program that connects: the last of its programs. */
struct trial_program *start_client_program(struct trial *trial);
