/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Keeps all packets and timers of both ends, if the trial is to have a trace, and else does
 * nothing. */

#include "src/trial/state.h"

int sightings_init(struct trial *trial, struct error *err);
void sightings_deinit(struct trial *trial);
void sightings_observe(struct trial_host *host, const struct observation *observation);
/* Gives `n` more connections what was kept of the one whose first end this is, behind which they
 * come: the ends behind it move. -ENOMEM is the only failure. */
int sightings_multiply(struct trial *trial, enum end_id first, size_t n);
/* Looks at the timers of both ends when the loop comes round. */
void sightings_look(struct trial *trial);
/* Hands over to the record all that was kept. */
void sightings_give(struct trial *trial);
