/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the files that compare a record with its scenario share: the endpoint that is
 * looked at, how an expectation fails, and lists of words for the text of a failure.
 */

#include "src/record/record.h"

/* The expectations of one endpoint, and what its record has. */
struct check {
	struct record *record;
	const struct record_endpoint *got;
	const struct expectation *want;
	nsec_t every_nsec; /* between two looks at the socket; 0: none were taken */
	const char *who;   /* "client" */
	int failed;	   /* -ENOMEM when a failure could not be written down */
};

/* Adds one line to the record's failures, with the endpoint's name in front. */
__attribute__((format(printf, 2, 3))) void expect_fail(struct check *c, const char *format, ...);

/* A list of words, cut where it gets too long. */
struct words {
	char text[512];
	size_t length;
};
/* `separator` stands before all but the first. */
__attribute__((format(printf, 3, 4))) void words_add(struct words *words, const char *separator,
						     const char *format, ...);

/* Each compares one side of an endpoint with what is expected of it: the packets, in their order,
 * and that some do not come; */
void expect_check_packets(struct check *c);
/* queues and timers, and what became of many connections; */
void expect_check_samples(struct check *c);
void expect_check_population(struct check *c);
/* the calls of the programs, and how much they read and wrote. */
void expect_check_calls(struct check *c);
void expect_check_bytes(struct check *c);

/* "none" for NULL. */
static inline const char *or_none(const char *name)
{
	return name ? name : "none";
}
