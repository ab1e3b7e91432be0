/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the timeline does: faults, heals, actions, and what a trial takes down of them. */

#include "src/trial/state.h"

void step_take_due(struct trial *trial);
const char *step_verb(const struct timeline_step *step);
