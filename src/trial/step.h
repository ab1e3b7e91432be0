/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the timeline does: faults, heals, actions, and what a trial takes down of them. */

#include "src/trial/state.h"

void step_take_due(struct trial *trial);
/* Asks what the retransmission timer would start from, shortly before the first event, so that
 * asking does not delay it. Idempotent. */
void step_sample(struct trial *trial);
const char *step_verb(const struct timeline_step *step);
/* The fault stage's two hooks: a host is about to go, and a host is back. */
int step_let_go(struct fault_stage *stage, enum node_id id, struct error *err);
int step_take_up(struct fault_stage *stage, enum node_id id, bool service, struct error *err);
