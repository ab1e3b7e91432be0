/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The table of JSON keys by which the entries of a trace are written and read (json.h). */

#include "src/record/json.h"

extern const struct json_table json_trace_entry; /* struct trace_entry */
