/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A trace as JSON and back. It is written as text, not put together from objects:
 * a stream has hundreds of thousands of packets, and a guest little memory.
 */

#include <json-c/json.h>

#include "src/record/trace.h"

/* An array, or NULL where there is no trace; NULL too when out of memory. */
json_object *trace_to_json(const struct trace *trace);
/* Reads it; NULL: there is none. */
struct record_reader;
void trace_from_json(struct record_reader *reader, json_object *list, struct trace *ret_trace);
