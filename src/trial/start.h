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
/* Looks whether the program that is waited for is ready by now, and starts the next one if so. */
void start_look(struct trial *trial);
/* The program that is not ready, or not connected, in its time (ready_limit()). */
void start_timed_out(struct trial *trial);
void start_deinit(struct trial *trial);

/* The client's program that connects: the last of its programs. */
struct trial_program *start_client_program(struct trial *trial);
