/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The rows of a ladder before they are drawn. ladder-text.c makes them of a trace, ladder-fold.c
 * decides which of them stay, and ladder.c draws them.
 */

#include "src/record/trace.h"

enum ladder_side {
	LADDER_LEFT,	  /* a state, timer, call or sample of the client */
	LADDER_RIGHT,	  /* a state, timer, call or sample of the server */
	LADDER_RIGHTWARD, /* a packet to the server */
	LADDER_LEFTWARD,  /* a packet to the client */
	LADDER_ACROSS,	  /* an event */
	LADDER_NOTE,	  /* a remark of the ladder itself */
};

/* How much a reader loses if a row is left out. */
enum ladder_weight {
	LADDER_PLAIN,	/* it is like its neighbours */
	LADDER_TELLING, /* a packet that was lost or sent again, or a probe */
	LADDER_KEY,	/* it is never left out */
};

/* Colours by what they mean; ladder.c has their escapes. */
enum ladder_colour {
	LADDER_DEFAULT,
	LADDER_STATE,
	LADDER_DIM,
	LADDER_WARN,
	LADDER_BAD,
	LADDER_GOOD,
};

/* What a row stands for, which after folding may be many rows. */
struct ladder_count {
	size_t rows;	    /* rows of a ladder that is not folded */
	size_t packets[2];  /* packets that each end sent: the one that connects, the other */
	uint64_t bytes[2];  /* bytes of payload in these packets */
	size_t lost, again; /* packets that were lost, and that were sent again */
};

struct ladder_row {
	nsec_t time_nsec;      /* when it happens, as in the trace; NSEC_NONE: no time is printed */
	nsec_t end_nsec;       /* time of the last of the rows that it stands for */
	enum ladder_side side; /* where its text stands */
	enum ladder_weight weight;	 /* whether it may be left out */
	enum ladder_colour colour;	 /* of its text */
	const struct trace_entry *entry; /* the packet, or NULL; not owned */
	struct ladder_count count;	 /* what it stands for */
	char *text;			 /* what the row says; owned; NULL: it is not printed */
	char *aside;			 /* what is special about a packet; owned, or NULL */
};

struct ladder {
	struct ladder_row *rows; /* from top to bottom; owned */
	size_t n_rows;
};

void ladder_row_deinit(struct ladder_row *row);
void ladder_deinit(struct ladder *ladder);
/* Sets the text of a row. `row` may be NULL. */
__attribute__((format(printf, 2, 3))) void ladder_say(struct ladder_row *row, const char *format,
						      ...);
/* Adds a row, which the ladder owns. NULL: out of memory. */
struct ladder_row *ladder_add(struct ladder *ladder, nsec_t time_nsec, enum ladder_side side,
			      enum ladder_weight weight, enum ladder_colour colour);
