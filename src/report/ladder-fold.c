/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/ladder-fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A stream has thousands of packets, and a peer that reads nothing is probed for ever. In a long
 * run of rows of low weight the rows in the middle are replaced by one row, which says how many
 * they are. The first and the last rows stay, because they are near to the events that begin and
 * end the run. Plain rows are folded first. Runs that are still far longer are folded with the
 * telling rows in them.
 */

#define PLAIN_ENDS   6 /* so many plain rows stay at either end of a run */
#define TELLING_ENDS 45
#define WORTH_IT     4			 /* fewer rows than this are not folded */
#define LONG_WAIT    (10 * NSEC_PER_SEC) /* a wait of this length or longer gets a row */

static void sum_up(struct ladder_count *sum, const struct ladder_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ladder_count *c = &rows[i].count;

		sum->rows += c->rows;
		sum->lost += c->lost;
		sum->again += c->again;
		for (int end = 0; end < 2; end++) {
			sum->packets[end] += c->packets[end];
			sum->bytes[end] += c->bytes[end];
		}
	}
}

static void write_end(FILE *out, const char *name, size_t packets, uint64_t bytes)
{
	if (packets)
		fprintf(out, ", %s %zu packet%s with %" PRIu64 " byte%s", name, packets,
			packets == 1 ? "" : "s", bytes, bytes == 1 ? "" : "s");
}

/* Writes "... 1300 lines more in 1.95 s, client 1000 packets with 1448000 bytes, ...", which the
 * caller frees. */
static char *describe(const struct ladder_count *count, nsec_t time_nsec, const char *const *names)
{
	char *text = NULL, span[64];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "... %zu lines more in %s", count->rows,
		nsec_format(span, sizeof(span), time_nsec));
	for (int i = 0; i < 2; i++)
		write_end(out, names[i], count->packets[i], count->bytes[i]);
	if (count->lost)
		fprintf(out, ", %zu lost", count->lost);
	if (count->again)
		fprintf(out, ", %zu sent again or probes", count->again);
	fclose(out);
	return text;
}

/* Replaces a run of rows by one row, which it puts in the place of the first. */
static void fold_run(struct ladder_row *rows, size_t n, const char *const *names)
{
	struct ladder_row note = {
		.time_nsec = rows[0].time_nsec,
		.end_nsec = rows[n - 1].end_nsec,
		.side = LADDER_NOTE,
		.weight = LADDER_TELLING,
		.colour = LADDER_DIM,
	};

	sum_up(&note.count, rows, n);
	note.text = describe(&note.count, note.end_nsec - note.time_nsec, names);
	for (size_t i = 0; i < n; i++)
		ladder_row_deinit(&rows[i]);
	rows[0] = note;
}

/* Folds the middle of each run of rows of at most that weight. */
static void fold(struct ladder *ladder, enum ladder_weight most, size_t ends,
		 const char *const *names)
{
	struct ladder_row *rows = ladder->rows;

	for (size_t i = 0, n; i < ladder->n_rows; i += n ? n : 1) {
		for (n = 0; i + n < ladder->n_rows && rows[i + n].weight <= most;)
			n++;
		if (n < 2 * ends + WORTH_IT)
			continue;
		fold_run(&rows[i + ends], n - 2 * ends, names);
		memmove(&rows[i + ends + 1], &rows[i + n - ends],
			(ladder->n_rows - (i + n - ends)) * sizeof(*rows));
		ladder->n_rows -= n - 2 * ends - 1;
		n = 2 * ends + 1;
	}
}

/* Adds a row before each row that comes long after the one before it. */
static void say_waits(struct ladder *ladder)
{
	char span[64];

	for (size_t i = 1; i < ladder->n_rows; i++) {
		nsec_t wait_nsec = ladder->rows[i].time_nsec - ladder->rows[i - 1].end_nsec;
		struct ladder_row note;

		if (wait_nsec < LONG_WAIT ||
		    !ladder_add(ladder, NSEC_NONE, LADDER_NOTE, LADDER_KEY, LADDER_DIM))
			continue;
		note = ladder->rows[ladder->n_rows - 1];
		ladder_say(&note, "... %s without a packet",
			   nsec_format(span, sizeof(span), wait_nsec));
		memmove(&ladder->rows[i + 1], &ladder->rows[i],
			(ladder->n_rows - 1 - i) * sizeof(note));
		ladder->rows[i++] = note;
	}
}

void ladder_fold(struct ladder *ladder, const char *const names[static 2])
{
	fold(ladder, LADDER_PLAIN, PLAIN_ENDS, names);
	fold(ladder, LADDER_TELLING, TELLING_ENDS, names);
	say_waits(ladder);
}
