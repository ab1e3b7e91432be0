/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The trials of one or more stores, summed up by what they have in common. Theory of operation:
 * each result is a row with a value on each dimension: the scenario, each axis of the study, kernel
 * and family. Rows with the same values on the dimensions that are shown, of the same endpoint, are
 * a cell. Which dimensions are shown is what the user says, or what made a difference:
 *
 * A dimension made none if, with the values on all others alike, results that differ in it alone
 * ended alike, and took about as long. About: their medians, or of few trials the nearest two, are
 * no farther apart than an eighth, which is as much as the kernel's timer wheel may add to a timer
 * by itself (LVL_CLK_SHIFT in kernel/time/timer.c), and their rates no farther than chance would
 * have it. Which expectations hold is part of how trials end. The dimension that matters least to
 * the reader is tried first, and each next one with those that are left.
 */

#include "src/store/store.h"

enum cells_state {
	CELLS_SHOWN,
	CELLS_CONSTANT,	 /* all trials have one value */
	CELLS_NO_MATTER, /* it made no difference, and is not shown */
	CELLS_SUMMED,	 /* the user did not choose it: what is shown is over all its values */
};

struct cells_dimension {
	char *name;    /* "scenario", "kernel", "client.net.ipv4.tcp_retries2"; owned */
	char *title;   /* its last part, or the whole name where others end in the same; owned */
	char **values; /* in the order of the trials; NULL-terminated, owned */
	size_t n_values;
	bool is_axis; /* of the study */
	enum cells_state state;
};

/* How an endpoint ended, and how often. NULL: none. Not owned. */
struct cells_ending {
	const char *outcome, *errno_name, *mechanism;
	size_t count;
};

struct cell {
	const char *const *values; /* one for each dimension, NULL where it is not shown; owned */
	const char *endpoint;	   /* not owned */
	size_t passed, failed, inconclusive;
	struct cells_ending *endings; /* of the conclusive ones, the most frequent first; owned */
	size_t n_endings;
	double *times; /* of those that detected something: seconds, sorted; owned */
	size_t n_times;
	double earliest, latest; /* hull of the predicted intervals; NAN: none was predicted */
	bool derived; /* some times are not the tracepoints' but of packets and sock_diag */
};

struct cells;

/* NULL: there was no memory. */
struct cells *cells_new(void);
struct cells *cells_free(struct cells *cells);
DEFINE_CLEANUP(struct cells *, cells_free)

/* Says that there is an axis, before any trial is read: for cells_choose() to check `by` by. */
int cells_add_axis(struct cells *cells, const char *name, struct error *err);
/* Adds the trials of a store. Stores of several studies are told apart by a dimension "study". */
int cells_read(struct cells *cells, struct store *store, struct error *err);
/* Decides which dimensions are shown: those in `by`, "tcp_retries2,kernel", or where that is NULL
 * those that made a difference. ERROR_INPUT names a word that is none of them, or more than one. */
int cells_choose(struct cells *cells, const char *by, struct error *err);
const struct cells_dimension *cells_dimensions(const struct cells *cells, size_t *ret_count);
/* The cells, in the order of the trials; -ENOMEM. */
int cells_sum(const struct cells *cells, struct cell **ret_list, size_t *ret_count);
void cells_list_free(struct cell *list, size_t count);
/* Of the times; NAN where there is none. */
double cell_median(const struct cell *cell);
static inline size_t cell_count(const struct cell *cell)
{
	return cell->passed + cell->failed + cell->inconclusive;
}
