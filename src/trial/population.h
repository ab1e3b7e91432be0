/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Many connections of one client, each followed by what the programs report. */

#include "src/trial/state.h"

int population_init(struct trial *trial);
void population_report(struct trial_node *node, const struct agent_report *report);
/* All are connected, or have failed to. */
bool population_complete(const struct trial *trial);
bool population_concluded(const struct trial_node *node);
/* Whether any of them has not met its end; false where there is but one. */
bool population_open(const struct trial_node *node);
/* Asks the kernel how far each connection has come. At a heal that is only noted; afterwards those
 * that have come farther since then are usable. */
void population_look(struct trial_node *node, bool heal);
void population_record(const struct trial_node *node, struct record_population *ret_population);
