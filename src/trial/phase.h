/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* When a trial with a pinned phase begins: at the tick at which the timer wheel stands as asked. */

#include "src/trial/state.h"

/* When to start the client. */
nsec_t phase_next(const struct trial *trial);

/* The phase of a moment of the past, and in *ret_into_nsec how far in its tick it was. -1 where the
 * kernel does not tell the number of a tick. */
int64_t phase_at(nsec_t time_nsec, nsec_t *ret_into_nsec);
