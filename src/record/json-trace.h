/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The keys of an entry of a trace. */

#include "src/record/json.h"

extern const struct json_table json_trace_entry; /* struct trace_entry */
