/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What came of many trials, for those who read no tables of times: CI systems and tickets. A case
 * is a trial; it comes from a record, or from the rows of a store. junit.h and
 * src/report/markdown.h write the list.
 *
 * CI systems tell a case by its class and its name from one run to the next, so these say what the
 * trial is and nothing of where it ran. What may change without making it another case, the kernel
 * and the run, is in the suite.
 */

#include "src/record/record.h"

enum result {
	RESULT_PASS,
	RESULT_FAIL,	     /* an expectation did not hold */
	RESULT_INCONCLUSIVE, /* what was to be measured was not */
	RESULT_IMPOSSIBLE,   /* this machine cannot do it; such cases have a suite of their own */
	RESULT_ERROR,	     /* it has no record, since something did not work */
	_RESULT_MAX,
};

/* What a case is made of. All texts may be a stranger's; NULL: there is none. */
struct result_source {
	const char *scenario, *variant;
	const char *places; /* on the axes of a study: "client.nodelay=true" */
	const char *kernel; /* "6.12", or the release of the one that ran */
	const char *release, *engine, *family;
	const char *repeat; /* a number, from 0 */
	const char *run;    /* which of a store's several runs: "2" */
	const char *trial;  /* its identity in a store */
	double took_s;	    /* real time; 0: unknown */
	double span_s;	    /* the time that the trial had in its kernel; 0: unknown */
	enum result result;
	const char *lines; /* what is to be said of the result, a line each */
};

struct result_case {
	char *class, *name; /* owned, like the texts below; not NULL */
	char *note;	    /* what a reader may want to know beside, a line each, or "" */
	char *lines;	    /* as of the source, or "" */
	double took_s, span_s;
	enum result result;
	size_t suite; /* its place among the suites */
};

struct result_suite {
	char *name;			 /* owned, like the texts below; not NULL */
	char *class;			 /* of its first case */
	char *kernel, *release, *engine; /* of its first case; "": unknown, or several */
	size_t count[_RESULT_MAX], cases;
	double took_s, span_s; /* sums */
};

struct results {
	struct result_case *cases; /* owned */
	size_t n_cases;
	struct result_suite *suites; /* in the order in which they came; owned */
	size_t n_suites;
	char **findings; /* measurements outside of their prediction, a line each; owned */
	size_t n_findings;
};

/* NULL: out of memory. */
struct results *results_new(void);
struct results *results_free(struct results *results);
DEFINE_CLEANUP(struct results *, results_free)
/* Each copies what it is given; -ENOMEM is the only failure. */
int results_add(struct results *results, const struct result_source *source);
int results_add_record(struct results *results, const struct record *record);
int results_add_finding(struct results *results, const char *line);

/* How many cases there are of that result. */
size_t results_count(const struct results *results, enum result result);
/* Returns the cases suite by suite, those of a suite in the order in which they came. The caller
 * frees the list; NULL: out of memory. */
const struct result_case **results_sorted(const struct results *results);
