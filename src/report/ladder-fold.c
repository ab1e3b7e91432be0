/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/ladder-fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/array.h"

/*
 * A stream has thousands of packets, and a peer that reads nothing is probed for ever. Of a long
 * run of rows of equal weight only the first and the last rows stay, which are near to what caused
 * them. This is done for rows that are like their neighbours, and then, if there are far more of
 * them, also for rows that tell something.
 */

#define PLAIN_ENDS   6 /* so many rows stay at either end */
#define TELLING_ENDS 45
#define WORTH_IT     4			 /* fewer rows than that stay */
#define LONG_WAIT    (10 * NSEC_PER_SEC) /* a longer one gets a line */

static void sum_up(struct ladder_count *sum, const struct ladder_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ladder_count *c = &rows[i].count;

		sum->rows += c->rows;
		sum->lost += c->lost;
		sum->again += c->again;
		for (enum node_id node = 0; node < _ENDPOINT_MAX; node++) {
			sum->packets[node] += c->packets[node];
			sum->bytes[node] += c->bytes[node];
		}
	}
}

static void write_end(FILE *out, const char *name, size_t packets, uint64_t bytes)
{
	if (packets)
		fprintf(out, ", %s %zu packet%s with %" PRIu64 " byte%s", name, packets,
			packets == 1 ? "" : "s", bytes, bytes == 1 ? "" : "s");
}

/* "... 1300 more in 1.95 s: client 1000 packets with 1448000 bytes, server 234 with 0 bytes" */
static char *describe(const struct ladder_count *count, nsec_t time)
{
	char *text = NULL, span[64];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "... %zu lines more in %s", count->rows,
		nsec_format(span, sizeof(span), time));
	for (enum node_id i = 0; i < _ENDPOINT_MAX; i++)
		write_end(out, node_name(i), count->packets[i], count->bytes[i]);
	if (count->lost)
		fprintf(out, ", %zu lost", count->lost);
	if (count->again)
		fprintf(out, ", %zu sent again or probes", count->again);
	fclose(out);
	return text;
}

static void move_row(struct ladder *to, struct ladder_row *row)
{
	struct ladder_row *slot = array_append(&to->rows, &to->n_rows, sizeof(*slot));

	if (slot) {
		*slot = *row;
	} else {
		free(row->text);
		free(row->aside);
	}
	*row = (struct ladder_row){ .time_nsec = NSEC_NONE };
}

/* Puts the middle of a run into one row. */
static void fold_run(struct ladder *to, struct ladder_row *rows, size_t n)
{
	struct ladder_row *note =
		ladder_add(to, rows[0].time_nsec, LADDER_NOTE, LADDER_TELLING, LADDER_DIM);

	if (note) {
		note->count.rows = 0;
		sum_up(&note->count, rows, n);
		note->end_nsec = rows[n - 1].end_nsec;
		note->text = describe(&note->count, note->end_nsec - note->time_nsec);
	}
	for (size_t i = 0; i < n; i++) {
		free(rows[i].text);
		free(rows[i].aside);
	}
}

/* Takes out the middle of runs of rows of at most that weight. */
static void fold(struct ladder *ladder, enum ladder_weight most, size_t ends)
{
	struct ladder folded = { 0 };

	for (size_t i = 0; i < ladder->n_rows;) {
		struct ladder_row *rows = &ladder->rows[i];
		size_t n = 0;

		while (i + n < ladder->n_rows && rows[n].weight <= most)
			n++;
		if (n < 2 * ends + WORTH_IT) {
			n = n ? n : 1;
			for (size_t k = 0; k < n; k++)
				move_row(&folded, &rows[k]);
		} else {
			for (size_t k = 0; k < ends; k++)
				move_row(&folded, &rows[k]);
			fold_run(&folded, rows + ends, n - 2 * ends);
			for (size_t k = n - ends; k < n; k++)
				move_row(&folded, &rows[k]);
		}
		i += n;
	}
	free(ladder->rows);
	*ladder = folded;
}

static void say_waits(struct ladder *ladder)
{
	struct ladder with = { 0 };
	nsec_t last = NSEC_NONE;
	char span[64];

	for (size_t i = 0; i < ladder->n_rows; i++) {
		nsec_t wait = last == NSEC_NONE ? 0 : ladder->rows[i].time_nsec - last;

		if (wait >= LONG_WAIT) {
			struct ladder_row *row =
				ladder_add(&with, NSEC_NONE, LADDER_NOTE, LADDER_KEY, LADDER_DIM);

			ladder_say(row, "... %s without a packet",
				   nsec_format(span, sizeof(span), wait));
		}
		last = ladder->rows[i].end_nsec;
		move_row(&with, &ladder->rows[i]);
	}
	free(ladder->rows);
	*ladder = with;
}

void ladder_fold(struct ladder *ladder)
{
	fold(ladder, LADDER_PLAIN, PLAIN_ENDS);
	fold(ladder, LADDER_TELLING, TELLING_ENDS);
	say_waits(ladder);
}
