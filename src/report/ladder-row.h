/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The lines of a ladder before they are drawn. ladder-text makes them of a trace,
 * ladder-fold decides which stay, ladder draws them.
 */

#include "src/record/trace.h"

enum ladder_side {
	LADDER_LEFT,	  /* something of the client */
	LADDER_RIGHT,	  /* something of the server */
	LADDER_RIGHTWARD, /* a packet to the server */
	LADDER_LEFTWARD,  /* a packet to the client */
	LADDER_ACROSS,	  /* an event */
	LADDER_NOTE,	  /* what the ladder itself has to say */
};

/* How much a reader loses with a row. */
enum ladder_weight {
	LADDER_PLAIN,	/* like its neighbours */
	LADDER_TELLING, /* a packet that was lost or sent again, or a probe */
	LADDER_KEY,	/* it is never left out */
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
	size_t packets[_ENDPOINT_MAX]; /* that each end sent */
	uint64_t bytes[_ENDPOINT_MAX]; /* of payload in them */
	size_t lost, again;	       /* packets that were lost, and that were sent again */
};

struct ladder_row {
	nsec_t time_nsec; /* NSEC_NONE: no time is written */
	nsec_t end_nsec;  /* time of the last of the rows that it stands for */
	enum ladder_side side;
	enum ladder_weight weight;
	enum ladder_colour colour;
	const struct trace_entry *entry; /* the packet, or NULL; not owned */
	struct ladder_count count;
	char *text;  /* owned */
	char *aside; /* what is special about a packet; owned, or NULL */
};

struct ladder {
	struct ladder_row *rows;
	size_t n_rows;
};

void ladder_row_deinit(struct ladder_row *row);
void ladder_deinit(struct ladder *ladder);
/* Sets the text of a row; `row` may be NULL. */
__attribute__((format(printf, 2, 3))) void ladder_say(struct ladder_row *row, const char *format,
						      ...);
/* Adds a row; NULL when out of memory. */
struct ladder_row *ladder_add(struct ladder *ladder, nsec_t time_nsec, enum ladder_side side,
			      enum ladder_weight weight, enum ladder_colour colour);
