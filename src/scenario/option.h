/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The one table of agent options: key in scenario files and --set, type and
 * bounds, and the socket option it stands for, if it is one. To add an option is
 * to add a line here and one in enum option.
 */

#include "src/scenario/scenario.h"

enum option_type {
	OPTION_TYPE_BOOL,     /* "true", "false" */
	OPTION_TYPE_INT,      /* minimum..maximum */
	OPTION_TYPE_TIME,     /* a span; a multiple of unit_nsec */
	OPTION_TYPE_BYTES,    /* "4096", "64KiB", "1MiB" */
	OPTION_TYPE_WORKLOAD, /* a workload's name */
};

struct option_definition {
	const char *key; /* "keepalive.idle" */
	enum option_type type;
	int64_t minimum, maximum; /* of the value as stored; TIME: nsec */
	int level, name;	  /* of setsockopt(); level -1: not a socket option */
	nsec_t unit_nsec;	  /* TIME: what setsockopt() counts in */
	bool on_listener;	  /* set before listen() or connect(), and inherited */
	unsigned int nodes;	  /* mask of 1 << enum node_id: whose agents have it */
	const char *help;	  /* one line */
};

extern const struct option_definition option_definitions[_OPTION_MAX];

/* Option of that key, or -1. "keepalive" alone is "keepalive.enabled". */
int option_from_key(const char *key);
/* Parses and checks `text`; ERROR_INPUT says what is accepted. */
int option_parse(enum option option, const char *text, int64_t *ret_value, struct error *err);
/* Text that option_parse() would read back. Returns `buffer`. */
char *option_format(enum option option, int64_t value, char *buffer, size_t size);
