/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The lines of a ladder before they are drawn. What ladder.c and its parts
 * share: ladder-text.c (entries in words), ladder-fold.c (which lines stay).
 */

#include "src/record/trace.h"

enum ladder_side {
	LADDER_LEFT,	  /* of the client */
	LADDER_RIGHT,	  /* of the server */
	LADDER_RIGHTWARD, /* a packet to the server */
	LADDER_LEFTWARD,
	LADDER_ACROSS, /* an event */
	LADDER_NOTE,   /* of the ladder itself */
};

/* How much is lost with it. */
enum ladder_weight {
	LADDER_PLAIN,	/* like its neighbours */
	LADDER_TELLING, /* lost, sent again, a probe */
	LADDER_KEY,	/* never left out */
};

enum ladder_colour {
	LADDER_DEFAULT,
	LADDER_STATE,
	LADDER_DIM,
	LADDER_WARN,
	LADDER_BAD,
	LADDER_GOOD,
};

/* What a row stands for. */
struct ladder_count {
	size_t rows;
	size_t packets[_ENDPOINT_MAX]; /* that end sent */
	uint64_t bytes[_ENDPOINT_MAX]; /* payload in them */
	size_t lost, again;
};

struct ladder_row {
	nsec_t time_nsec; /* NSEC_NONE: none is written */
	nsec_t end_nsec;  /* the last that it tells of */
	enum ladder_side side;
	enum ladder_weight weight;
	enum ladder_colour colour;
	const struct trace_entry *entry; /* of a packet, else NULL */
	struct ladder_count count;
	char *text;  /* owned */
	char *aside; /* of a packet: what is special about it; owned, or NULL */
};

struct ladder {
	struct ladder_row *rows;
	size_t n_rows;
};

void ladder_deinit(struct ladder *ladder);
/* Sets its text; `row` may be NULL. */
__attribute__((format(printf, 2, 3))) void ladder_say(struct ladder_row *row, const char *format,
						      ...);
/* The next row; NULL when out of memory. */
struct ladder_row *ladder_add(struct ladder *ladder, nsec_t time_nsec, enum ladder_side side,
			      enum ladder_weight weight, enum ladder_colour colour);
