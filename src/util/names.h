/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names of the values of an enum, as they stand in scenario files, records and
 * output, and the names of errno.
 */

/* The names of an enum whose values count from 0. */
struct names {
	const char *const *texts; /* by value; NULL where a value has no name; static */
	int count;
};

/* The name of a value; NULL where it has none, or is no value of the enum. */
const char *names_text(const struct names *names, int value);
/* The value of a name; -1 when none has it. */
int names_find(const struct names *names, const char *text);

/* Declares PREFIX_names, and PREFIX_name() and PREFIX_from_name() that look into it. */
#define DECLARE_NAMES(prefix, type)                                                                \
	extern const struct names prefix##_names;                                                  \
	static inline const char *prefix##_name(type value)                                        \
	{                                                                                          \
		return names_text(&prefix##_names, (int)value);                                    \
	}                                                                                          \
	static inline int prefix##_from_name(const char *text)                                     \
	{                                                                                          \
		return names_find(&prefix##_names, text);                                          \
	}

/* Defines PREFIX_names of an enum with `number` values: [VALUE] = "name", ... */
#define DEFINE_NAMES(prefix, number, ...)                                                          \
	static const char *const prefix##_texts[] = { __VA_ARGS__ };                               \
	_Static_assert(sizeof(prefix##_texts) / sizeof(*prefix##_texts) == (number),               \
		       "every " #prefix " has its place");                                         \
	const struct names prefix##_names = { prefix##_texts, number };

/* Every errno that the C library has a name for is less. */
#define ERRNO_MAX 256
/* "ETIMEDOUT"; NULL for 0 and where there is no name. */
const char *errno_name(int error);
/* 0 when no errno has the name. */
int errno_from_name(const char *text);
/* The same for results, in which an errno without a name is "?". */
const char *errno_text(int error);
int errno_from_text(const char *text);
