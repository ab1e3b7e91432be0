/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How a trial gets from its agents' start to a running timeline: the server listens,
 * the trial waits for its turn and its phase, the client is connected.
 */

#include "src/trial/state.h"

/* The server listens. */
void beginning_listening(struct trial *trial);
/* Gives a trial that waits the moment at which its client starts. */
void beginning_go(struct trial *trial);
/* The client is connected, or the trial begins without a connection. */
void beginning_connected(struct trial *trial);
