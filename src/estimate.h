/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a scenario asks of whoever runs it, told without running it: parts of the
 * kernel beyond namespaces, and time.
 */

#include "src/scenario.h"

enum need {
	NEED_NETEM,	/* sch_netem */
	NEED_NF_TABLES, /* with the ingress hook */
	NEED_COMMAND,	/* a program of the user's */
	_NEED_MAX,
};

/* Mask of 1 << enum need. */
unsigned int estimate_needs(const struct scenario *scenario);
/* "netem, nf_tables", or "-". Returns `buffer`; 64 bytes are enough. */
char *estimate_format_needs(unsigned int needs, char *buffer, size_t size);

/* Roughly how long a trial takes from its connection to its end: the first event, and what is
 * predicted or expected after it; the horizon where nothing is. */
nsec_t estimate_span(const struct scenario *scenario, enum family family);
/* One unit is enough for a rough time: "0.5 s", "12 s", "16 min", "2.2 h", "30 d"; "-" for
 * NSEC_NONE. Returns `buffer`; 32 bytes are enough. */
char *estimate_format_span(nsec_t span, char *buffer, size_t size);
