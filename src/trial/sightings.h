/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Keeps all packets and timers of both ends, if the trial is to have a trace, and else does
 * nothing. */

#include "src/trial/state.h"

int sightings_init(struct trial *trial, struct error *err);
void sightings_deinit(struct trial *trial);
void sightings_observe(struct trial_host *host, const struct observation *observation);
/* Looks at the timers of both ends when the loop comes round. */
void sightings_look(struct trial *trial);
/* Hands over to the record all that was kept. */
void sightings_give(struct trial *trial);
