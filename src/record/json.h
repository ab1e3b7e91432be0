/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the writing and the reading of a record's JSON share. Nobody else includes it.
 */

#include <json-c/json.h>

#include "src/record/record.h"

/* One line a field of tcp_info: used to write and to read. */
struct record_json_field {
	const char *key;
	size_t offset;
};
#define RECORD_JSON_INFO_FIELDS	  8
#define RECORD_JSON_INFO_COUNTERS 3
extern const struct record_json_field record_json_info_fields[RECORD_JSON_INFO_FIELDS];
extern const struct record_json_field record_json_info_counters[RECORD_JSON_INFO_COUNTERS];

/* json-write.c; NULL, which is null, for what there is not. */
json_object *record_json_text(const char *text);
json_object *record_json_seconds(nsec_t t);

/* json-sample.c */
struct record_reader;
json_object *record_json_samples(const struct record_endpoint *endpoint);
json_object *record_json_population(const struct record_endpoint *endpoint);
void record_json_read_samples(struct record_reader *reader, json_object *list,
			      struct record_endpoint *endpoint);
void record_json_read_population(struct record_reader *reader, json_object *o,
				 struct record_endpoint *endpoint);

/* json-read.c: `missing` remembers the first key that was not as it is written. */
struct record_reader {
	const char *missing;
};
json_object *record_json_get(struct record_reader *reader, json_object *o, const char *key);
nsec_t record_json_get_seconds(struct record_reader *reader, json_object *o, const char *key);
int record_json_get_state(struct record_reader *reader, json_object *o, const char *key);
