/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a trace has besides packets: states, calls, samples, timers, events, and the
 * retransmissions that no packet shows. */

#include "src/record/trace-entry.h"

/* -ENOMEM is the only failure. */
int trace_take_lists(struct trace_work *work);
