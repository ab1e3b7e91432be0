/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How a trial gets from its agents' start to a running timeline: the server listens,
 * the trial waits for its turn and its phase, the client is connected.
 */

#include "src/trial/state.h"

/* All is ready for the client. */
void beginning_ready(struct trial *trial);
/* Gives a trial that waits the moment at which its client starts. */
void beginning_go(struct trial *trial);
/* The client is connected, or the trial begins without a connection. Of connections that have names
 * all have to be there. */
void beginning_connected(struct trial *trial);
/* The trial has waited long enough for the rest of its connections: that not all of them came, or
 * that the server did not let them in, is a result. */
void beginning_incomplete(struct trial *trial);
