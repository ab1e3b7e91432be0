/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Keeps everything that came past, where a trace is wanted; does nothing elsewhere. */

#include "src/trial/state.h"

int sightings_init(struct trial *trial, struct error *err);
void sightings_deinit(struct trial *trial);
void sightings_observe(struct trial_node *node, const struct observation *observation);
/* Looks at both ends' timers as soon as what is under way is done. */
void sightings_look(struct trial *trial);
/* Hands over to the record what it has. */
void sightings_give(struct trial *trial);
