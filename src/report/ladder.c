/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/ladder.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/report/ladder-fold.h"
#include "src/report/ladder-row.h"
#include "src/report/ladder-text.h"
#include "src/report/table.h"
#include "src/util/format.h"
#include "src/util/utf8.h"

#define WIDTH_DEFAULT 100
#define WIDTH_MAX     160 /* characters of a line; longer arrows do not help a reader */
#define INNER_MIN     66  /* characters between the lifelines; in a narrower terminal lines wrap */
/* A timer that is started this soon after a packet stands beside it. */
#define SOON (100 * NSEC_PER_MSEC)
#define SLOW NSEC_PER_MSEC /* an arrow says how long its packet took if it took this long */

static const char *const escapes[] = {
	[LADDER_DEFAULT] = "",	    [LADDER_STATE] = "\033[36m", [LADDER_DIM] = "\033[2m",
	[LADDER_WARN] = "\033[33m", [LADDER_BAD] = "\033[31m",	 [LADDER_GOOD] = "\033[32m",
};

/* What all parts of a line have in common. */
struct sheet {
	FILE *out;
	bool colour;
	int time_width; /* width of the column of times; characters */
	int inner;	/* width from one lifeline to the other, both included; characters */
};

struct ladder_style ladder_style(FILE *out)
{
	struct ladder_style style = { .width = WIDTH_DEFAULT };
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (columns && atoi(columns) > 0)
		style.width = atoi(columns);
	if (table_is_terminal(out)) {
		style.colour = !getenv("NO_COLOR");
		if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col)
			style.width = size.ws_col;
	}
	return style;
}

static void begin_line(const struct sheet *s, nsec_t time_nsec, enum ladder_colour colour)
{
	char text[32];

	fprintf(s->out, "%*s  ", s->time_width, nsec_format_seconds(text, sizeof(text), time_nsec));
	if (s->colour)
		fputs(escapes[colour], s->out);
}

static void end_line(const struct sheet *s, enum ladder_colour colour)
{
	fputs(s->colour && *escapes[colour] ? "\033[0m\n" : "\n", s->out);
}

static void repeat(const struct sheet *s, char c, int n)
{
	for (int i = 0; i < n; i++)
		fputc(c, s->out);
}

/* Prints a text at the left or at the right end of a line. */
static void print_beside(const struct sheet *s, const struct ladder_row *row, const char *text,
			 nsec_t time_nsec, bool right)
{
	int n = (int)strlen(text);

	begin_line(s, time_nsec, row->colour);
	repeat(s, ' ', right && n < s->inner ? s->inner - n : 0);
	fputs(text, s->out);
	end_line(s, row->colour);
}

static void print_across(const struct sheet *s, nsec_t time_nsec, enum ladder_colour colour,
			 const char *text)
{
	int rest = s->inner - (int)strlen(text) - 2;

	begin_line(s, time_nsec, colour);
	repeat(s, '=', rest > 0 ? rest / 2 : 0);
	fprintf(s->out, " %s ", text);
	repeat(s, '=', rest > 0 ? rest - rest / 2 : 0);
	end_line(s, colour);
}

/* Writes what stands at the head of an arrow: how long the packet took, or what became of it.
 * Returns how many characters are left for the arrow itself, beside this and a text of `n`
 * characters. */
static int write_far(const struct sheet *s, const struct trace_packet *p, size_t n, char *buffer,
		     size_t size)
{
	nsec_t took_nsec = p->fate == TRACE_ARRIVED && p->sent_nsec != NSEC_NONE
				   ? p->arrived_nsec - p->sent_nsec
				   : 0;
	char span[64];
	int rest;

	*buffer = '\0';
	if (p->fate == TRACE_LOST)
		snprintf(buffer, size, "lost");
	else if (p->fate == TRACE_UNDER_WAY)
		snprintf(buffer, size, "under way");
	else if (p->fate == TRACE_IN_PIECES)
		snprintf(buffer, size, "cut up");
	else if (took_nsec >= SLOW)
		snprintf(buffer, size, "%s", nsec_format(span, sizeof(span), took_nsec));
	rest = s->inner - 8 - (int)(n + strlen(buffer) + !!*buffer);
	return rest < 0 ? 0 : rest;
}

/* Prints "|-- TEXT --- 500 ms ->|", or "|-- TEXT --X lost     |". The arrow of a packet that
 * neither end sent does not begin at a lifeline. */
static void print_rightward(const struct sheet *s, const struct trace_packet *p, const char *text)
{
	char far[80];
	int rest = write_far(s, p, strlen(text), far, sizeof(far));

	fprintf(s->out, p->sent_nsec == NSEC_NONE ? "|  %s --" : "|--%s --", text);
	if (p->fate == TRACE_ARRIVED) {
		repeat(s, '-', *far ? rest - 2 : rest);
		fprintf(s->out, *far ? " %s ->|" : "%s>|", far);
	} else {
		fprintf(s->out, "X %s", far);
		repeat(s, ' ', rest);
		fputs("|", s->out);
	}
}

static void print_leftward(const struct sheet *s, const struct trace_packet *p, const char *text)
{
	char far[80];
	int rest = write_far(s, p, strlen(text), far, sizeof(far));

	if (p->fate == TRACE_ARRIVED) {
		fprintf(s->out, *far ? "|<- %s " : "|<%s", far);
		repeat(s, '-', *far ? rest - 2 : rest);
	} else {
		fputs("|", s->out);
		repeat(s, ' ', rest);
		fprintf(s->out, "%s X", far);
	}
	fprintf(s->out, p->sent_nsec == NSEC_NONE ? "--%s   |" : "--%s --|", text);
}

/* Prints what is special about a packet, and on the same line the timer that was started with it.
 * Returns true when that timer was `next`, which is printed with it. */
static bool print_aside(const struct sheet *s, const struct ladder_row *row,
			const struct ladder_row *next)
{
	bool right = row->side == LADDER_LEFTWARD;
	bool timer = next && next->side == (right ? LADDER_RIGHT : LADDER_LEFT) && next->text &&
		     next->colour == LADDER_DIM && next->time_nsec - row->time_nsec < SOON;
	_cleanup_(freep) char *text = NULL;

	if (asprintf(&text, "%s%s%s", row->aside, timer ? "  " : "", timer ? next->text : "") < 0)
		return false;
	print_beside(s, row, text, NSEC_NONE, right);
	return timer;
}

/* Prints a packet. What is special about it stands in its arrow if there is room, else on the next
 * line. Returns true if `next` is printed with it. */
static bool print_packet(const struct sheet *s, const struct ladder_row *row,
			 const struct ladder_row *next)
{
	const struct trace_packet *p = &row->entry->packet;
	int room = s->inner - 14;
	bool inside = row->aside && (int)(strlen(row->text) + strlen(row->aside)) + 3 <= room;
	_cleanup_(freep) char *text = NULL;

	if (asprintf(&text, inside ? " %s (%s)" : " %s", row->text, row->aside) < 0)
		return false;
	begin_line(s, row->time_nsec, row->colour);
	if (row->side == LADDER_RIGHTWARD)
		print_rightward(s, p, text);
	else
		print_leftward(s, p, text);
	end_line(s, row->colour);
	return row->aside && !inside && print_aside(s, row, next);
}

/* Prints a row, and `next`, which may be NULL, with it if they belong together. Returns how many
 * rows it printed. */
static size_t print_row(const struct sheet *s, const struct ladder_row *row,
			const struct ladder_row *next)
{
	if (!row->text)
		return 1;
	switch (row->side) {
	case LADDER_LEFT:
	case LADDER_RIGHT:
		print_beside(s, row, row->text, row->time_nsec, row->side == LADDER_RIGHT);
		break;
	case LADDER_NOTE:
		print_beside(s, row, row->text, NSEC_NONE, false);
		break;
	case LADDER_RIGHTWARD:
	case LADDER_LEFTWARD:
		return print_packet(s, row, next) ? 2 : 1;
	case LADDER_ACROSS:
		print_across(s, row->time_nsec, row->colour, row->text);
		break;
	}
	return 1;
}

static void print_head(const struct sheet *s, const struct record *r)
{
	_cleanup_(freep) char *head = NULL;
	char title[160];

	head = format_new("%s%s%s, %s, %s engine, Linux %s", r->id ? r->id : "", r->id ? " " : "",
			  record_title(r, title, sizeof(title)), family_name(r->family), r->engine,
			  r->kernel);
	utf8_put_plain(s->out, head ? head : "");
	if (r->repeat)
		fprintf(s->out, ", repeat %u", r->repeat);
	fputs("\n", s->out);
}

/* Copies a name, which is in ASCII, in upper case. */
static void upper(char *to, size_t size, const char *name)
{
	size_t n = 0;

	for (; name[n] && n + 1 < size; n++)
		to[n] = (char)toupper((unsigned char)name[n]);
	to[n] = '\0';
}

/* Names the lifelines by the ends of a connection. */
static void print_ends(const struct sheet *s, const char *const *names)
{
	char left[SCENARIO_END_NAME_SIZE], right[SCENARIO_END_NAME_SIZE];

	upper(left, sizeof(left), names[0]);
	upper(right, sizeof(right), names[1]);
	fprintf(s->out, "\n%*s  %s%*s\n", s->time_width, "TIME", left, s->inner - (int)strlen(left),
		right);
}

static void print_outcome(const struct sheet *s, const struct record *r, enum end_id end)
{
	const struct record_endpoint *e = &r->endpoint[end];
	struct ladder_row row = { .colour = LADDER_DEFAULT };
	nsec_t at_nsec = record_detection(e);
	char text[160], span[64];
	int n;

	if (e->outcome == OUTCOME_NONE)
		return;
	n = snprintf(text, sizeof(text), "%s%s%s%s%s", outcome_name(e->outcome),
		     e->error ? ", " : "", e->error ? errno_name(e->error) : "",
		     e->mechanism != MECHANISM_NONE ? ", " : "",
		     e->mechanism != MECHANISM_NONE ? mechanism_name(e->mechanism) : "");
	if (at_nsec != NSEC_NONE)
		snprintf(text + n, sizeof(text) - (size_t)n, ", after %s",
			 nsec_format(span, sizeof(span), at_nsec));
	print_beside(s, &row, text, NSEC_NONE, !end_connects(end));
}

static int widest_time(const struct record *record)
{
	char text[32];
	int first = 0, last;

	last = (int)strlen(nsec_format_seconds(text, sizeof(text), record->span_nsec));
	if (record->trace.count)
		first = (int)strlen(nsec_format_seconds(text, sizeof(text),
							record->trace.entries[0].time_nsec));
	return first > last ? first : last;
}

static void print_connection(const struct sheet *s, const struct record *record, size_t connection)
{
	const struct record_endpoint *ends = &record->endpoint[2 * connection];
	const char *const names[] = { ends[0].name, ends[1].name };
	struct ladder ladder = { 0 };

	ladder_fill(&ladder, &record->trace, connection, names);
	ladder_say(ladder_add(&ladder, record->span_nsec, LADDER_ACROSS, LADDER_KEY, LADDER_DIM),
		   "the trial ends");
	ladder_fold(&ladder, names);
	print_ends(s, names);
	for (size_t i = 0; i < ladder.n_rows;)
		i += print_row(s, &ladder.rows[i],
			       i + 1 < ladder.n_rows ? &ladder.rows[i + 1] : NULL);
	for (int n = 0; n < 2; n++)
		print_outcome(s, record, (enum end_id)(2 * connection) + n);
	fputc('\n', s->out);
	ladder_deinit(&ladder);
}

void ladder_print(const struct record *record, const struct ladder_style *style, FILE *out)
{
	struct sheet s = { .out = out, .colour = style->colour, .time_width = widest_time(record) };
	int width = style->width < WIDTH_MAX ? style->width : WIDTH_MAX;

	if (!record->trace.present)
		return;
	s.inner = width - s.time_width - 2;
	if (s.inner < INNER_MIN)
		s.inner = INNER_MIN;
	print_head(&s, record);
	for (size_t i = 0; i < record->n_ends / 2; i++)
		print_connection(&s, record, i);
}
