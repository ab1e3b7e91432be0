/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Writes plain structs as JSON and reads them back. A table has a row for each key of
 * an object, in the order of the keys, with the place and the type of its value in the
 * struct; writing and reading go by the same rows. JSON is written as text rather than
 * built from json-c objects, because a trace may have hundreds of thousands of packets
 * and a guest has little memory.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "src/util/cleanup.h"
#include "src/util/names.h"

struct json_writer {
	FILE *out;	  /* gets the text; the caller closes it */
	bool begun;	  /* the object that is being written has a key already */
	bool failed;	  /* memory ran out, so the text is not whole */
	const void *root; /* for the functions of CUSTOM rows: the struct that all is part of; not
			   * owned */
};

struct json_reader {
	const char *missing; /* the first key that an object lacked; NULL: none lacked any */
	bool failed;	     /* memory ran out, so the struct is not whole */
	const void *root;    /* as of a writer; what was read so far is in it */
};

/* The type of a value in the struct, and what its JSON looks like. */
enum json_kind {
	JSON_SECONDS, /* nsec_t, with six decimals; null: NSEC_NONE */
	JSON_TEXT,    /* char *, owned; null: NULL */
	JSON_COUNT,   /* an unsigned integer of any size */
	JSON_NUMBER,  /* int64_t */
	JSON_NATURAL, /* int or int64_t; null: less than 0 */
	JSON_ERRNO,   /* int, a positive errno, by its name; null: 0 */
	JSON_NAME,    /* enum or bool, by its name in `names`; null: a value without a name. A name
		       * that is not in `names` is read as 0 */
	/* uint32_t array with an element for each value of `names`. Each name is a key of the
	 * object that the row belongs to. */
	JSON_COUNTS,
	JSON_SOME_COUNTS, /* like JSON_COUNTS, but a count of 0 has no key */
	JSON_OBJECT,	  /* a struct with a table of its own */
	JSON_GROUP,	  /* a struct whose keys are written into the object of the row */
	JSON_VARIANT, /* enum: its value is the index in `variants` of a table for the same struct,
		       * whose keys are written into the object of the row */
	JSON_LIST,    /* an array of structs, owned, whose length is at `count` */
	JSON_PRESENT, /* bool without a key: whether the object is not null */
	JSON_CUSTOM,  /* anything: `write` and `read` do the work */
};

/* A row of a table. Tables are static, so nothing in a row is ever freed. */
struct json_field {
	const char *key; /* NULL: the row has no key, or the keys of its parts */
	enum json_kind kind;
	size_t offset, size; /* place and size of the value in the struct, bytes */
	bool decides; /* where the value is 0, NULL, NSEC_NONE or below 0 (NATURAL), the object that
		       * the row belongs to is null */
	bool optional; /* records of older builds lack the key, and the value stays 0; an OBJECT
			* that is null, SECONDS and NAME of 0 and an empty LIST have no key */
	size_t count;  /* LIST: offset in the struct of the number of elements, a size_t; bytes */
	const struct names *names;	   /* NAME, COUNTS, SOME_COUNTS */
	const struct json_table *table;	   /* OBJECT, GROUP, LIST */
	const struct json_table *variants; /* VARIANT */
	/* CUSTOM: these write and read the value of the key; `object` is the struct. `read` is NULL
	 * for a value that follows from other keys, which is not read back. */
	void (*write)(struct json_writer *writer, const void *object);
	void (*read)(struct json_reader *reader, json_object *value, void *object);
};

struct json_table {
	const struct json_field *fields;
	size_t n_fields;
	size_t size; /* of the struct, in bytes */
};

/* Begins the row of a struct's member: { JSON_ROW(SECONDS, record_state, time_nsec, "t_s") }. */
#define JSON_ROW(kind_, struct_, member_, key_)                                                    \
	.key = (key_), .kind = JSON_##kind_, .offset = offsetof(struct struct_, member_),          \
	.size = sizeof(((struct struct_ *)NULL)->member_)
/* Initialises a row for the list `member_`, whose length is the struct's member `n_member_`. */
#define JSON_LIST_ROW(struct_, member_, key_, table_)                                              \
	JSON_ROW(LIST, struct_, member_, key_), .count = offsetof(struct struct_, n_##member_),    \
						.table = &(table_)
/* Initialises a row for an object or a group whose table is about the same struct. */
#define JSON_PART(kind_, key_, table_) .key = (key_), .kind = JSON_##kind_, .table = &(table_)
#define JSON_TABLE(struct_, fields_)                                                               \
	{                                                                                          \
		fields_, ARRAY_SIZE(fields_), sizeof(struct struct_)                               \
	}

/* Writes the struct `object` as an object, or null where a row that decides says so. */
void json_write_object(struct json_writer *writer, const struct json_table *table,
		       const void *object);
/* Writes `array`, which has `n` structs of the table, as a list of objects. */
void json_write_list(struct json_writer *writer, const struct json_table *table, const void *array,
		     size_t n);
/* Writes a text in quotes, with escapes; null for NULL. */
void json_write_text(struct json_writer *writer, const char *text);
/* Writes a key of the object that is being written, with its colon. The caller writes the value. */
void json_write_key(struct json_writer *writer, const char *key);

/* Reads `o` into the zeroed struct `object`, which then owns its texts and lists. `o` is NULL for
 * JSON's null: where the table has a row that decides, each value then becomes what null is for its
 * type (enum json_kind). */
void json_read_object(struct json_reader *reader, const struct json_table *table, json_object *o,
		      void *object);
/* Appends the objects of a list to `*array`, which the caller frees. Does nothing if `list` is not
 * a list. */
void json_read_list(struct json_reader *reader, const struct json_table *table, json_object *list,
		    void *array, size_t *count);
