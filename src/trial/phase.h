/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* When a trial with a pinned phase begins: at the tick at which the timer wheel stands as asked. */

#include "src/trial/state.h"

/* When to start the client. */
nsec_t phase_next(const struct trial *trial);
