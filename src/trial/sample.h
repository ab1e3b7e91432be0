/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Looks at queues and timers at multiples of a span. */

#include "src/trial/state.h"

/* How long before the first event to ask for what was before it. */
nsec_t sample_ahead(const struct trial *trial);
void sample_first(struct trial *trial);
nsec_t sample_next(const struct trial *trial);
void sample_due(struct trial *trial);
/* Whether a look that something is expected of is still to come. */
bool sample_wanted(const struct trial *trial);
