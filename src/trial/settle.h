/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Decides whether a trial is at its end, and when it next has something to do. */

#include "src/trial/state.h"

/* Called once at the end of each way into the trial: if the state has changed, begins the grace
 * when nothing is waited for any more, and sets the timer for whatever is due next. */
void settle_trial(struct trial *trial);
/* Whether the timeline is done and nothing is waited for any more, though the trial still runs. */
bool settle_concluded(const struct trial *trial);
/* Whether nothing that happens at that node is waited for any more. */
bool settle_end_concluded(const struct trial_end *end);
