/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Values that are one field of a struct each: how each is written, read and told. One
 * row of a table says all that is known of a key, and whoever reads, suggests,
 * completes or records settings goes by the tables.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/scenario/scenario.h"
#include "src/util/names.h"

/* What a field holds. A setting whose field is 0, false or NSEC_NEVER has not been said. */
enum field_type {
	FIELD_TIME,    /* nsec_t */
	FIELD_PERCENT, /* double, a probability */
	FIELD_COUNT,   /* a whole number */
	FIELD_BYTES,   /* a whole number, "4096" or "64KiB" */
	FIELD_RATE,    /* uint64_t, bits a second */
	FIELD_BOOL,    /* bool: "true", "false" */
	FIELD_WORD,    /* an enum, or a bool: the value of a word of `names` */
	FIELD_PLACE,   /* a whole number from 1, "first", "last", which is `maximum` + 1, or "all",
			* which is `maximum` + 2 */
};

struct field {
	const char *key;   /* "delay"; static, as all strings here */
	const char *alias; /* another name for it, or NULL */
	enum field_type type;
	size_t offset, size;	   /* bytes, in its struct; size is 1, 4 or 8 */
	int64_t minimum, maximum;  /* TIME in nanoseconds, COUNT, BYTES */
	const struct names *names; /* WORD */
	const char *wrong;	   /* TIME, WORD: the error text, with %s for the value; NULL with
				    * TIME: "... is out of range" */
	nsec_t unit_nsec;	   /* TIME: the value is a multiple of it; 0: any */
	bool untold;		   /* it is not among the settings of a record */
};

/* The offset and the size of a field. */
#define FIELD_IN(type, member) offsetof(type, member), sizeof(((type *)NULL)->member)

/* netem's parameters: fields of struct netem. */
enum { NETEM_FIELDS = 8 };
extern const struct field netem_fields[NETEM_FIELDS];
/* The settings that belong to no node: fields of struct scenario. */
extern const struct field scenario_fields[];
extern const size_t n_scenario_fields;

/* Reads `value` into the field of `base`. The error text has no key. */
int field_parse(const struct field *field, void *base, const char *value, struct error *err);
/* Writes the field of `base` as field_parse() would read it back. Returns `buffer`; 64 bytes are
 * enough. */
char *field_format(const struct field *field, const void *base, char *buffer, size_t size);
/* Tells the field of `base` as `ret_value`, whose key is left alone; false where it is not said.
 * `buffer` is for the text: 64 bytes. */
bool field_tell(const struct field *field, const void *base, char *buffer, size_t size,
		struct setting_value *ret_value);
