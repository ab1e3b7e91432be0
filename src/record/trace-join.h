/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Finds for each packet of one end what the other end saw of it. */

#include "src/record/trace-entry.h"

/* -ENOMEM is the only failure. */
int trace_join(struct trace_work *work);
