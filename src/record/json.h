/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Plain structs as JSON and back. A table has a row for each key of an object: what
 * it is called, where its value is in the struct and what type it has. One function
 * writes by these rows and one reads by them, so that no key is named twice. The
 * order of the rows is that of the keys. JSON is written as text, not put together
 * from objects: a stream has hundreds of thousands of packets, and a guest little
 * memory.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "src/util/cleanup.h"
#include "src/util/names.h"

struct json_writer {
	FILE *out;
	bool begun;  /* the object that is being written has a key already */
	bool failed; /* out of memory */
};

struct json_reader {
	const char *missing; /* the first key that was not there; NULL: all were */
	bool failed;	     /* out of memory */
};

enum json_kind {
	JSON_SECONDS, /* nsec_t, with six decimals; null: NSEC_NONE */
	JSON_TEXT,    /* char *, owned; null: NULL */
	JSON_COUNT,   /* an unsigned integer of any size */
	JSON_NUMBER,  /* int64_t */
	JSON_NATURAL, /* int or int64_t; null: less than 0 */
	JSON_ERRNO,   /* int, positive, by its name; null: 0 */
	JSON_NAME, /* enum or bool, by its name in `names`; null: a value without a name, and what
		    * is not known is read as 0 */
	/* uint32_t for each value that `names` has a name for. They are keys of the object itself.
	 */
	JSON_COUNTS,
	JSON_SOME_COUNTS, /* likewise, but what is 0 has no key */
	JSON_OBJECT,	  /* a struct with a table of its own */
	JSON_GROUP,	  /* likewise, but its keys are those of the object itself */
	JSON_VARIANT, /* what an enum decides: a group of the same struct from `variants`, by value
		       */
	JSON_LIST,    /* an array of structs, owned, whose length is at `count` */
	JSON_PRESENT, /* bool: whether the object is there; it has no key */
	JSON_CUSTOM,  /* what `write` and `read` make of it */
};

struct json_field {
	const char *key; /* NULL for those whose keys are their own */
	enum json_kind kind;
	size_t offset, size; /* in bytes */
	bool decides;	     /* where this is 0, NULL or NSEC_NONE, the whole object is null */
	size_t count;	     /* LIST: where the number of its elements is, a size_t */
	const struct names *names;
	const struct json_table *table;	   /* OBJECT, GROUP, LIST */
	const struct json_table *variants; /* VARIANT */
	/* CUSTOM; `object` is the struct that the row is about. `read` NULL: what is written
	 * follows from the rest, and is not looked at again. */
	void (*write)(struct json_writer *writer, const void *object);
	void (*read)(struct json_reader *reader, json_object *value, void *object);
};

struct json_table {
	const struct json_field *fields;
	size_t n_fields;
	size_t size; /* of the struct, in bytes */
};

/* The first entries of a row: { JSON_ROW(SECONDS, record_state, time_nsec, "t_s") }. */
#define JSON_ROW(kind_, struct_, member_, key_)                                                    \
	.key = (key_), .kind = JSON_##kind_, .offset = offsetof(struct struct_, member_),          \
	.size = sizeof(((struct struct_ *)NULL)->member_)
/* A row of a list, `member_`, whose length is `n_member_`. */
#define JSON_LIST_ROW(struct_, member_, key_, table_)                                              \
	JSON_ROW(LIST, struct_, member_, key_), .count = offsetof(struct struct_, n_##member_),    \
						.table = &(table_)
/* An object, or a group, of members of the same struct. */
#define JSON_PART(kind_, key_, table_) .key = (key_), .kind = JSON_##kind_, .table = &(table_)
#define JSON_TABLE(struct_, fields_)                                                               \
	{                                                                                          \
		fields_, ARRAY_SIZE(fields_), sizeof(struct struct_)                               \
	}

void json_write_object(struct json_writer *writer, const struct json_table *table,
		       const void *object);
/* `array` has `n` structs of the table. */
void json_write_list(struct json_writer *writer, const struct json_table *table, const void *array,
		     size_t n);
/* A text in quotes, with escapes; null for NULL. */
void json_write_text(struct json_writer *writer, const char *text);
/* A key of the object that is being written, with its colon; the value is to follow. */
void json_write_key(struct json_writer *writer, const char *key);

/* `o` NULL: null. What is null is as its type says; where the object of a row that decides is null,
 * so is all of it. */
void json_read_object(struct json_reader *reader, const struct json_table *table, json_object *o,
		      void *object);
/* Appends what is in a list to `*array`; nothing where `list` is none. */
void json_read_list(struct json_reader *reader, const struct json_table *table, json_object *list,
		    void *array, size_t *count);
