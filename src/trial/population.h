/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Follows the connections of a client that makes many, by what the programs report. */

#include "src/trial/state.h"

/* Makes room for the connections. -ENOMEM is the only failure. */
int population_init(struct trial *trial);
void population_report(struct trial_node *node, const struct agent_report *report);
/* Whether all connections are made, or have failed. */
bool population_complete(const struct trial *trial);
/* Whether each connection has met its end, or is usable again. */
bool population_concluded(const struct trial_node *node);
/* Whether any connection has not met its end; false where the client makes only one. */
bool population_open(const struct trial_node *node);
/* Asks the kernel how far each connection has come. At a heal that is only noted; afterwards those
 * that have come farther since then are usable. */
void population_look(struct trial_node *node, bool heal);
void population_record(const struct trial_node *node, struct record_population *ret_population);
