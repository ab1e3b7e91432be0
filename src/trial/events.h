/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Two of the three ways into a trial: what its agents report and what the observer sees. */

#include "src/trial/state.h"

/* `userdata` of both is the struct trial_node. */
void events_report(struct agent *agent, const struct agent_report *report, void *userdata);
void events_observation(const struct observation *observation, void *userdata);
/* Asks the kernel which witness is right where they disagree, once that is due. */
void events_resolve_doubt(struct trial_node *node);
