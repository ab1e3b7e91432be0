/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a trial waits for: whether it is at its end, and when it next has something to do. */

#include "src/trial/state.h"

/* How long a server may take to listen, and a client to connect. */
#define TRIAL_START_LIMIT (10 * NSEC_PER_SEC)

/* Called once at the end of each way into the trial: if the state has changed, looks for the end
 * and sets the timer. */
void trial_settle(struct trial *trial);
/* Begins the grace when nothing is waited for any more. */
void trial_check_end(struct trial *trial);
/* Whether nothing of that node is waited for any more. */
bool trial_concluded(const struct trial_node *node);
