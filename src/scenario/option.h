/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The one table of agent options: key in scenario files and --set, type and
 * bounds, and the socket option it stands for, if it is one. To add an option is
 * to add a line here and one in enum option.
 */

#include "src/scenario/field.h"
#include "src/scenario/scenario.h"

struct option_definition {
	const char *key;	  /* "keepalive.idle"; static */
	enum field_type type;	  /* WORD: a workload's name */
	int64_t minimum, maximum; /* of the value as stored; TIME: nsec */
	unsigned int nodes;	  /* mask of 1 << enum node_id: whose agents have it */
	const char *help; /* one line, which begins with the socket option's constant; static */
	int level, name;  /* of setsockopt(); level 0: it is not a socket option */
	nsec_t unit_nsec; /* TIME: what setsockopt() counts in; the value is a multiple */
};

extern const struct option_definition option_definitions[]; /* by enum option */

/* The option of that key, or -1. "keepalive" alone is "keepalive.enabled". */
int option_from_key(const char *key);
/* Parses and checks `text`; ERROR_INPUT says what is accepted. */
int option_parse(enum option option, const char *text, int64_t *ret_value, struct error *err);
/* Writes what option_parse() would read back. Returns `buffer`; 64 bytes are enough. */
char *option_format(enum option option, int64_t value, char *buffer, size_t size);
