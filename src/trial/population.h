/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Follows the connections of a client that makes many, by what the programs report. */

#include "src/trial/state.h"

/* Makes room for the connections. -ENOMEM is the only failure. */
int population_init(struct trial *trial);
void population_report(struct trial_end *end, const struct agent_report *report);
/* Whether all connections are made, or have failed. */
bool population_complete(const struct trial *trial);
/* Whether each connection has met its end, or is usable again. */
bool population_concluded(const struct trial_end *end);
/* Asks the kernel how far each connection has come. At a heal that is only noted; afterwards those
 * that have come farther since then are usable. */
void population_look(struct trial_end *end, bool heal);
/* Whoever is idle is usable if both kernels, as population_look() found them, agree on the
 * connection. */
void population_compare(struct trial *trial);
void population_record(const struct trial_end *end, struct record_population *ret_population);
