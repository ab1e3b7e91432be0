/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/json.h"

#include <math.h>
#include <string.h>

#include "src/util/array.h"
#include "src/util/format.h"
#include "src/util/nsec.h"
#include "src/util/utf8.h"

static const void *at(const struct json_field *field, const void *object)
{
	return (const char *)object + field->offset;
}

static void *at_mutable(const struct json_field *field, void *object)
{
	return (char *)object + field->offset;
}

static uint64_t load_unsigned(const struct json_field *field, const void *object)
{
	const void *value = at(field, object);

	switch (field->size) {
	case 1:
		return *(const uint8_t *)value;
	case 2:
		return *(const uint16_t *)value;
	case 4:
		return *(const uint32_t *)value;
	}
	return *(const uint64_t *)value;
}

static int64_t load_signed(const struct json_field *field, const void *object)
{
	const void *value = at(field, object);

	return field->size == sizeof(int) ? *(const int *)value : *(const int64_t *)value;
}

static void store(const struct json_field *field, void *object, uint64_t number)
{
	void *value = at_mutable(field, object);

	switch (field->size) {
	case 1:
		*(uint8_t *)value = (uint8_t)number;
		return;
	case 2:
		*(uint16_t *)value = (uint16_t)number;
		return;
	case 4:
		*(uint32_t *)value = (uint32_t)number;
		return;
	}
	*(uint64_t *)value = number;
}

static const char *load_text(const struct json_field *field, const void *object)
{
	return *(char *const *)at(field, object);
}

static const char *load_name(const struct json_field *field, const void *object)
{
	return names_text(field->names, (int)load_unsigned(field, object));
}

static bool has_counts(const struct json_field *field, const void *object)
{
	const uint32_t *counts = at(field, object);

	for (int i = 0; i < field->names->count; i++)
		if (counts[i])
			return true;
	return false;
}

/* Whether a value is the one by which a row that decides makes its object null. */
static bool is_nothing(const struct json_field *field, const void *object)
{
	switch (field->kind) {
	case JSON_SECONDS:
		return load_signed(field, object) == NSEC_NONE;
	case JSON_TEXT:
		return !load_text(field, object);
	case JSON_NATURAL:
		return load_signed(field, object) < 0;
	case JSON_SOME_COUNTS:
		return !has_counts(field, object);
	default:
		return !load_unsigned(field, object);
	}
}

static bool is_null(const struct json_table *table, const void *object)
{
	for (size_t i = 0; i < table->n_fields; i++)
		if (table->fields[i].decides && is_nothing(&table->fields[i], object))
			return true;
	return false;
}

void json_write_text(struct json_writer *writer, const char *text)
{
	if (!text) {
		fputs("null", writer->out);
		return;
	}
	putc('"', writer->out);
	utf8_put_json(writer->out, text);
	putc('"', writer->out);
}

void json_write_key(struct json_writer *writer, const char *key)
{
	if (writer->begun)
		putc(',', writer->out);
	json_write_text(writer, key);
	putc(':', writer->out);
	writer->begun = true;
}

/* Writes the name of an enum value or an errno, which needs no escapes; null for NULL. */
static void write_name(struct json_writer *writer, const char *name)
{
	if (name)
		putc('"', writer->out);
	fputs(name ? name : "null", writer->out);
	if (name)
		putc('"', writer->out);
}

static void write_number(struct json_writer *writer, uint64_t number, bool negative)
{
	char text[FORMAT_DIGITS_SIZE], *end = text + sizeof(text);
	char *start = format_digits(end, number, 1);

	if (negative)
		*--start = '-';
	fwrite(start, 1, (size_t)(end - start), writer->out);
}

static void write_signed(struct json_writer *writer, int64_t number)
{
	write_number(writer, number < 0 ? -(uint64_t)number : (uint64_t)number, number < 0);
}

/* Writes seconds with six decimals. Because they are made from whole microseconds, the same record
 * has the same bytes on every machine. */
static void write_seconds(struct json_writer *writer, nsec_t time_nsec)
{
	char text[32];

	fputs(time_nsec == NSEC_NONE ? "null" : nsec_format_seconds(text, sizeof(text), time_nsec),
	      writer->out);
}

static void write_counts(struct json_writer *writer, const struct json_field *field,
			 const void *object)
{
	const uint32_t *counts = at(field, object);

	for (int i = 0; i < field->names->count; i++) {
		if (!names_text(field->names, i) || (field->kind == JSON_SOME_COUNTS && !counts[i]))
			continue;
		json_write_key(writer, names_text(field->names, i));
		write_number(writer, counts[i], false);
	}
}

static void write_fields(struct json_writer *writer, const struct json_table *table,
			 const void *object);

static bool is_left_out(const struct json_field *field, const void *object)
{
	switch (field->kind) {
	case JSON_OBJECT:
		return is_null(field->table, at(field, object));
	case JSON_SECONDS:
		return !load_signed(field, object);
	case JSON_NAME:
		return !load_unsigned(field, object);
	case JSON_LIST:
		return !*(const size_t *)((const char *)object + field->count);
	default:
		return false;
	}
}

static void write_field(struct json_writer *writer, const struct json_field *field,
			const void *object)
{
	if (field->optional && is_left_out(field, object))
		return;
	if (field->key)
		json_write_key(writer, field->key);
	switch (field->kind) {
	case JSON_SECONDS:
		write_seconds(writer, load_signed(field, object));
		break;
	case JSON_TEXT:
		json_write_text(writer, load_text(field, object));
		break;
	case JSON_COUNT:
		write_number(writer, load_unsigned(field, object), false);
		break;
	case JSON_NATURAL:
	case JSON_NUMBER:
		if (field->kind == JSON_NATURAL && is_nothing(field, object))
			fputs("null", writer->out);
		else
			write_signed(writer, load_signed(field, object));
		break;
	case JSON_ERRNO:
		write_name(writer, errno_text((int)load_signed(field, object)));
		break;
	case JSON_NAME:
		write_name(writer, load_name(field, object));
		break;
	case JSON_COUNTS:
	case JSON_SOME_COUNTS:
		write_counts(writer, field, object);
		break;
	case JSON_OBJECT:
		json_write_object(writer, field->table, at(field, object));
		break;
	case JSON_GROUP:
		write_fields(writer, field->table, at(field, object));
		break;
	case JSON_VARIANT:
		write_fields(writer, &field->variants[load_unsigned(field, object)], object);
		break;
	case JSON_LIST:
		json_write_list(writer, field->table, load_text(field, object),
				*(const size_t *)((const char *)object + field->count));
		break;
	case JSON_PRESENT:
		break;
	case JSON_CUSTOM:
		field->write(writer, object);
		break;
	}
}

static void write_fields(struct json_writer *writer, const struct json_table *table,
			 const void *object)
{
	for (size_t i = 0; i < table->n_fields; i++)
		write_field(writer, &table->fields[i], object);
}

void json_write_object(struct json_writer *writer, const struct json_table *table,
		       const void *object)
{
	if (is_null(table, object)) {
		fputs("null", writer->out);
		return;
	}
	fputc('{', writer->out);
	writer->begun = false;
	write_fields(writer, table, object);
	fputc('}', writer->out);
	writer->begun = true;
}

void json_write_list(struct json_writer *writer, const struct json_table *table, const void *array,
		     size_t n)
{
	fputc('[', writer->out);
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputc(',', writer->out);
		json_write_object(writer, table, (const char *)array + i * table->size);
	}
	fputc(']', writer->out);
}

/* Returns the value of a key: NULL for null, and for a missing key, which the reader remembers. */
static json_object *get(struct json_reader *reader, json_object *o, const char *key)
{
	json_object *value = NULL;

	if (!json_object_object_get_ex(o, key, &value) && !reader->missing)
		reader->missing = key;
	return value;
}

static void read_text(struct json_reader *reader, json_object *value, char **ret_text)
{
	*ret_text = value ? strdup(json_object_get_string(value)) : NULL;
	reader->failed |= value && !*ret_text;
}

static nsec_t read_seconds(json_object *value)
{
	if (!value)
		return NSEC_NONE;
	return (nsec_t)llrint(json_object_get_double(value) * 1e6) * NSEC_PER_USEC;
}

static uint64_t read_name(const struct names *names, json_object *value)
{
	int found = value ? names_find(names, json_object_get_string(value)) : 0;

	return found < 0 ? 0 : (uint64_t)found;
}

static uint64_t read_unsigned(const struct json_field *field, json_object *value)
{
	return field->size == sizeof(uint64_t) ? json_object_get_uint64(value)
					       : (uint64_t)json_object_get_int64(value);
}

static void read_counts(struct json_reader *reader, const struct json_field *field, json_object *o,
			void *object)
{
	uint32_t *counts = at_mutable(field, object);

	for (int i = 0; i < field->names->count; i++) {
		const char *name = names_text(field->names, i);
		json_object *value;

		if (!name ||
		    (field->kind == JSON_SOME_COUNTS && !json_object_object_get_ex(o, name, NULL)))
			continue;
		value = get(reader, o, name);
		counts[i] = (uint32_t)json_object_get_int64(value);
	}
}

static void read_fields(struct json_reader *reader, const struct json_table *table, json_object *o,
			void *object);

static void read_field(struct json_reader *reader, const struct json_field *field, json_object *o,
		       void *object)
{
	bool asked = field->key && (field->kind != JSON_CUSTOM || field->read);
	bool there = asked && (!field->optional || json_object_object_get_ex(o, field->key, NULL));
	json_object *value = there ? get(reader, o, field->key) : NULL;
	void *target = at_mutable(field, object);

	switch (field->kind) {
	case JSON_SECONDS:
		store(field, object, field->optional && !there ? 0 : (uint64_t)read_seconds(value));
		break;
	case JSON_TEXT:
		read_text(reader, value, target);
		break;
	case JSON_COUNT:
		store(field, object, read_unsigned(field, value));
		break;
	case JSON_NUMBER:
		store(field, object, (uint64_t)json_object_get_int64(value));
		break;
	case JSON_NATURAL:
		store(field, object, value ? (uint64_t)json_object_get_int64(value) : UINT64_MAX);
		break;
	case JSON_ERRNO:
		*(int *)target = value ? errno_from_text(json_object_get_string(value)) : 0;
		break;
	case JSON_NAME:
		store(field, object, read_name(field->names, value));
		break;
	case JSON_COUNTS:
	case JSON_SOME_COUNTS:
		read_counts(reader, field, o, object);
		break;
	case JSON_OBJECT:
		json_read_object(reader, field->table, value, target);
		break;
	case JSON_GROUP:
		read_fields(reader, field->table, o, target);
		break;
	case JSON_VARIANT:
		read_fields(reader, &field->variants[load_unsigned(field, object)], o, object);
		break;
	case JSON_LIST:
		json_read_list(reader, field->table, value, target,
			       (size_t *)((char *)object + field->count));
		break;
	case JSON_PRESENT:
		*(bool *)target = true;
		break;
	case JSON_CUSTOM:
		if (field->read)
			field->read(reader, value, object);
		break;
	}
}

static void read_fields(struct json_reader *reader, const struct json_table *table, json_object *o,
			void *object)
{
	for (size_t i = 0; i < table->n_fields; i++)
		read_field(reader, &table->fields[i], o, object);
}

static bool may_be_null(const struct json_table *table)
{
	for (size_t i = 0; i < table->n_fields; i++)
		if (table->fields[i].decides)
			return true;
	return false;
}

/* Gives the values of an object that is null what null stands for: NSEC_NONE for SECONDS, less than
 * 0 for NATURAL. All others are 0 already. */
static void read_null(const struct json_table *table, void *object)
{
	for (size_t i = 0; i < table->n_fields; i++) {
		const struct json_field *field = &table->fields[i];

		if (field->kind == JSON_SECONDS)
			store(field, object, (uint64_t)NSEC_NONE);
		else if (field->kind == JSON_NATURAL)
			store(field, object, UINT64_MAX);
	}
}

void json_read_object(struct json_reader *reader, const struct json_table *table, json_object *o,
		      void *object)
{
	if (!o && may_be_null(table))
		read_null(table, object);
	else
		read_fields(reader, table, o, object);
}

void json_read_list(struct json_reader *reader, const struct json_table *table, json_object *list,
		    void *array, size_t *count)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		void *element = array_append(array, count, table->size);

		if (!element) {
			reader->failed = true;
			return;
		}
		json_read_object(reader, table, json_object_array_get_idx(list, i), element);
	}
}
