/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Without tracepoints nothing tells that a user's program has closed its socket while data is in
 * flight or the window is closed: the FIN waits behind the data, and if nobody answers it is never
 * sent. So the kernel is asked for the state, again and again.
 */

#include "src/trial/state.h"

/* Asks where it is due; `func` gets what is found, as a change of state at that moment. */
typedef void (*close_look_func)(struct trial_end *end, const struct observation *observation);
void close_look(struct trial *trial, close_look_func func);
/* When to ask next; NSEC_NEVER: the tracepoints tell, or no program of the user's is there. */
nsec_t close_look_next(const struct trial *trial);
