/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Carries out the steps of the timeline, which are faults, heals, returns of power and actions, and
 * notes them in the record. */

#include "src/trial/state.h"

/* Carries out all steps that are due. */
void step_take_due(struct trial *trial);
/* "path-loss", "heal", "power-on", "send". */
const char *step_verb(const struct timeline_step *step);
