/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The settings that are one field of a struct each: how each is written, read and
 * told. One line of a table says all that is known of a key, and whoever reads,
 * suggests, completes or records settings goes by the tables.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/scenario/scenario.h"
#include "src/util/names.h"

enum field_type {
	FIELD_TIME,    /* nsec_t; 0 and NSEC_NEVER: not said */
	FIELD_PERCENT, /* double, a probability; 0: not said */
	FIELD_COUNT,   /* 0: not said */
	FIELD_RATE,    /* uint64_t, bits a second; 0: not said */
	FIELD_BOOL,    /* bool; false: not said */
	FIELD_WORD,    /* of `names`; 0: not said */
};

struct field {
	const char *key;   /* "delay" */
	const char *alias; /* another name for it, or NULL */
	enum field_type type;
	size_t offset, size;	   /* in its struct */
	int64_t minimum, maximum;  /* TIME in nanoseconds, COUNT */
	const struct names *names; /* WORD */
	const char *wrong;	   /* TIME, WORD: the error text, with %s for the value */
	bool untold;		   /* it is not among the settings of a record */
};

/* netem's parameters, of paths and of faults: fields of struct netem. */
enum { NETEM_FIELDS = 8 };
extern const struct field netem_fields[NETEM_FIELDS];
/* What a scenario says of no node: fields of struct scenario, but for netem's. */
extern const struct field scenario_fields[];
extern const size_t n_scenario_fields;

/* Reads `value` into the field of `base`. The error text has no key. */
int field_parse(const struct field *field, void *base, const char *value, struct error *err);
/* Tells the field of `base` as `ret_value`, whose key is left alone; false where it is not said.
 * `buffer` is for the text: 64 bytes. */
bool field_tell(const struct field *field, const void *base, char *buffer, size_t size,
		struct setting_value *ret_value);
