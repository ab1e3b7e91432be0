/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Two of the three ways into a trial: what its agents report and what the observer sees. */

#include "src/trial/state.h"

/* `userdata` of both is the struct trial_end. */
void events_report(struct agent *agent, const struct agent_report *report, void *userdata);
/* The same of an end that another part has found out. */
void events_take(struct trial_end *end, const struct observation *observation);
void events_observation(const struct observation *observation, void *userdata);
/* Decides at the first event which connection is followed, where that was left open, and takes in
 * what was told of it. */
void events_decide(struct trial *trial);
/* Takes in the rest of what was told, at the end of the trial. */
void events_conclude(struct trial *trial);
/* Asks the kernel which witness is right where they disagree, once that is due. */
void events_resolve_doubt(struct trial_end *end);
