/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Looks at the sockets of both ends: once before the first event, and then at multiples of the
 * scenario's `sample`. */

#include "src/trial/state.h"

/* How long before the first event sample_first() is due. */
nsec_t sample_ahead(const struct trial *trial);
/* Notes what the retransmission timers start from. This is done shortly before the first event, so
 * that asking does not delay it. Idempotent. */
void sample_first(struct trial *trial);
/* When the next look is due; NSEC_NEVER: there is none to come. */
nsec_t sample_next(const struct trial *trial);
/* The trial looks no more: notes the looks that were due while it ran, and not taken. */
void sample_finish(struct trial *trial);
/* Takes the look that is due, if one is. */
void sample_due(struct trial *trial);
