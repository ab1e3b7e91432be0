/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the files that compare a record with its scenario share: one check of one
 * endpoint, and how it fails. Nobody else includes it.
 */

#include "src/record/expect.h"

/* One expectation of one endpoint of one record. */
struct check {
	struct record *record;
	const struct record_endpoint *got;
	const struct expectation *want;
	nsec_t every;	 /* two looks at the socket are that far apart; 0: none were taken */
	const char *who; /* "client" */
	int failed;	 /* -ENOMEM when a failure could not be written down */
};

__attribute__((format(printf, 2, 3))) void expect_fail(struct check *c, const char *format, ...);

/* expect-calls.c: what the programs did. */
void expect_check_calls(struct check *c);
void expect_check_bytes(struct check *c);

/* expect-samples.c: moments, and many connections. */
void expect_check_samples(struct check *c);
void expect_check_population(struct check *c);
