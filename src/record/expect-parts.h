/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The state and the functions that the files which compare a record with its scenario
 * share (expect.c, expect-packets.c, expect-samples.c and expect-calls.c): the endpoint
 * that is being compared, the report of a failure, and lists of words for its text.
 */

#include "src/record/record.h"

/* The comparison of one endpoint with what is expected of it. */
struct check {
	const struct scenario *scenario;    /* not owned */
	struct record *record;		    /* gets the failures; not owned */
	const struct record_endpoint *got;  /* the endpoint in the record; not owned */
	const struct record_endpoint *peer; /* the other endpoint in the record; not owned */
	const struct expectation *want;	    /* of that endpoint; not owned */
	nsec_t every_nsec; /* the time between two samples of the socket; 0: none were taken */
	const char *who;   /* the endpoint's name, "client"; static */
	int failed;	   /* -ENOMEM if a failure could not be added to the record; else 0 */
};

/* Adds one line to the record's failures, with the endpoint's name in front. */
__attribute__((format(printf, 2, 3))) void expect_fail(struct check *c, const char *format, ...);

/* Likewise adds one to the reasons for which the trial is inconclusive: what was expected may or
 * may not have been. */
__attribute__((format(printf, 2, 3))) void expect_doubt(struct check *c, const char *format, ...);

/* A text that lists words. Words that do not fit any more are cut off. */
struct words {
	char text[512];
	size_t length; /* of `text`, bytes */
};
/* Appends a formatted word, with `separator` before it unless the list is empty. */
__attribute__((format(printf, 3, 4))) void words_add(struct words *words, const char *separator,
						     const char *format, ...);

/* Compares the packets: those expected must come in their order, and some must not come. */
void expect_check_packets(struct check *c);
/* Compares the socket's queues and timers at the moments that the scenario names. */
void expect_check_samples(struct check *c);
/* Compares how many of a client's many connections had each outcome. */
void expect_check_population(struct check *c);
/* Compares the calls of the programs: those expected must come in their order, and some must not
 * come. */
void expect_check_calls(struct check *c);
/* Compares how many bytes the program read and wrote. */
void expect_check_bytes(struct check *c);

/* Returns the name, or "none" for NULL. */
static inline const char *or_none(const char *name)
{
	return name ? name : "none";
}
