/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/ladder-text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/util/utf8.h"

#define SAME_LINE (2 * NSEC_PER_MSEC) /* texts of one end within this time go on one line */
#define SAME_TEXT 100		      /* such a line has at most so many characters */
#define FOLLOWED  8 /* connections of one client whose rows matter; the others are like these */

char *ladder_format_timer(nsec_t time_nsec, char *buffer, size_t size)
{
	int ms = (int)(time_nsec / NSEC_PER_MSEC), minutes = ms / 60000, sec = ms / 1000 % 60,
	    n = 0;

	ms %= 1000;
	*buffer = '\0';
	if (minutes) {
		ms = 0;
		n = snprintf(buffer, size, "%dmin", minutes);
		if (minutes > 9)
			sec = 0;
	}
	if (sec > 9)
		ms = 0;
	if (sec)
		n += snprintf(buffer + n, size - (size_t)n, "%d%s", sec, ms ? "." : "sec");
	if (ms)
		snprintf(buffer + n, size - (size_t)n, "%03dms", ms);
	return buffer;
}

static enum ladder_side side_of(enum end_id end)
{
	return end_connects(end) ? LADDER_LEFT : LADDER_RIGHT;
}

/* Writes a packet as tcpdump does (print-tcp.c), without its options. */
static void write_packet(struct ladder_row *row, const struct trace_entry *e)
{
	const struct trace_packet *p = &e->packet;
	char flags[12], which[24] = "", seq[32] = "", ack[24] = "";

	if (e->connection)
		snprintf(which, sizeof(which), "#%u ", e->connection + 1);
	if (p->length)
		snprintf(seq, sizeof(seq), "seq %u:%u, ", p->seq, p->seq + p->length);
	else if (p->flags & (PACKET_SYN | PACKET_FIN | PACKET_RST))
		snprintf(seq, sizeof(seq), "seq %u, ", p->seq);
	if (p->flags & PACKET_ACK)
		snprintf(ack, sizeof(ack), "ack %u, ", p->ack);
	packet_format_flags(p->flags, flags, sizeof(flags));
	ladder_say(row, "%sFlags [%s], %s%swin %u, length %u", which, *flags ? flags : "none", seq,
		   ack, p->window, p->length);
}

/* Writes "retransmission 3, RTO 1.632 s", which the caller frees. NULL for a new packet. */
static char *format_again(const struct trace_entry *e)
{
	static const char *const words[] = {
		[TRACE_NEW] = NULL,
		[TRACE_TIMEOUT] = "retransmission",
		[TRACE_LOSS_PROBE] = "tail loss probe",
		[TRACE_FAST] = "fast retransmission",
		[TRACE_AGAIN] = "retransmission",
		[TRACE_KEEPALIVE] = "keepalive probe",
		[TRACE_WINDOW] = "zero window probe",
	};
	char number[16] = "", rto[80] = "", span[64];
	char *text;

	if (e->again == TRACE_NEW)
		return NULL;
	if (e->number)
		snprintf(number, sizeof(number), " %u", e->number);
	if (e->rto_nsec != NSEC_NONE)
		snprintf(rto, sizeof(rto), ", RTO %s",
			 nsec_format(span, sizeof(span), e->rto_nsec));
	return asprintf(&text, "%s%s%s", words[e->again], number, rto) < 0 ? NULL : text;
}

/* Weighs a packet. A probe that arrives is like the one before it; a packet that is lost or sent
 * again tells something. */
static enum ladder_weight weight_of(const struct trace_entry *e)
{
	const struct trace_packet *p = &e->packet;
	bool probe = e->again == TRACE_KEEPALIVE || e->again == TRACE_WINDOW;

	if (e->connection >= FOLLOWED)
		return LADDER_PLAIN;
	if (p->flags & (PACKET_SYN | PACKET_FIN | PACKET_RST))
		return LADDER_KEY;
	if (p->fate != TRACE_ARRIVED || p->foreign || (e->again != TRACE_NEW && !probe))
		return LADDER_TELLING;
	return LADDER_PLAIN;
}

static void add_packet(struct ladder *ladder, const struct trace_entry *e)
{
	bool to_client = end_connects(e->end) == e->packet.foreign;
	enum ladder_colour colour = LADDER_DEFAULT;
	struct ladder_row *row;

	if (e->packet.flags & PACKET_RST || e->packet.fate == TRACE_LOST)
		colour = LADDER_BAD;
	else if (e->again != TRACE_NEW)
		colour = LADDER_WARN;
	row = ladder_add(ladder, e->time_nsec, to_client ? LADDER_LEFTWARD : LADDER_RIGHTWARD,
			 weight_of(e), colour);
	if (!row)
		return;
	row->entry = e;
	row->count.packets[to_client] = 1;
	row->count.bytes[to_client] = e->packet.length;
	row->count.lost = e->packet.fate == TRACE_LOST;
	row->count.again = e->again != TRACE_NEW;
	write_packet(row, e);
	row->aside = format_again(e);
}

static void add_retransmission(struct ladder *ladder, const struct trace_entry *e)
{
	struct ladder_row *row =
		ladder_add(ladder, e->time_nsec, side_of(e->end), LADDER_TELLING, LADDER_WARN);
	_cleanup_(freep) char *what = format_again(e);

	ladder_say(row, "%s: not on the wire", what ? what : "?");
}

static void add_state(struct ladder *ladder, const struct trace_entry *e)
{
	struct ladder_row *row =
		ladder_add(ladder, e->time_nsec, side_of(e->end), LADDER_KEY, LADDER_STATE);

	ladder_say(row, "%s", tcp_state_name(e->state.to));
}

static void add_timer(struct ladder *ladder, const struct trace_entry *e)
{
	struct ladder_row *row =
		ladder_add(ladder, e->time_nsec, side_of(e->end),
			   e->timer.count ? LADDER_TELLING : LADDER_PLAIN, LADDER_DIM);
	char expires[32];

	ladder_say(row, "timer:(%s,%s,%u)", tcp_timer_name(e->timer.kind),
		   ladder_format_timer(e->timer.expires_nsec, expires, sizeof(expires)),
		   e->timer.count);
}

/* Adds a sample, whose queues have the names that ss gives them. */
static void add_sample(struct ladder *ladder, const struct trace_entry *e)
{
	const struct trace_sample *s = &e->sample;
	struct ladder_row *row =
		ladder_add(ladder, e->time_nsec, side_of(e->end), LADDER_PLAIN, LADDER_DIM);

	if (s->open)
		ladder_say(row, "%u open", s->open);
	else
		ladder_say(row, "%s Recv-Q %u Send-Q %u",
			   s->state ? tcp_state_name(s->state) : "no socket", s->receive_queue,
			   s->send_queue);
}

static void write_exit(struct ladder_row *row, int status)
{
	if (WIFSIGNALED(status))
		ladder_say(row, "process killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		ladder_say(row, "process exited with %d", WEXITSTATUS(status));
}

static void add_call(struct ladder *ladder, const struct trace_entry *e)
{
	const struct record_call *c = &e->call;
	nsec_t blocked_nsec = e->time_nsec - c->start_nsec;
	bool end = (c->error || !c->result) && c->connection < FOLLOWED;
	struct ladder_row *row =
		ladder_add(ladder, e->time_nsec, side_of(e->end), end ? LADDER_KEY : LADDER_PLAIN,
			   c->error ? LADDER_BAD : LADDER_DEFAULT);
	char span[64], wait[96] = "", result[32], who[48] = "";
	int n = 0;

	if (!row)
		return;
	if (blocked_nsec >= NSEC_PER_MSEC)
		snprintf(wait, sizeof(wait), ", blocked %s",
			 nsec_format(span, sizeof(span), blocked_nsec));
	snprintf(result, sizeof(result), "%" PRId64, c->result);
	if (c->process)
		n = snprintf(who, sizeof(who), "process %u: ", c->process + 1);
	if (c->connection)
		snprintf(who + n, sizeof(who) - (size_t)n, "#%u ", c->connection + 1);
	if (c->call == AGENT_CALL_EXIT)
		write_exit(row, (int)c->result);
	else if (c->call == AGENT_CALL_HEARTBEAT)
		ladder_say(row, "heartbeat: the program gives its peer up");
	else
		ladder_say(row, "%s%s() = %s%s%s", who, call_name(c->call),
			   c->error ? "-1 " : result, c->error ? errno_name(c->error) : "", wait);
}

/* Chooses a colour by the first word of an event, which says what kind it is. */
static enum ladder_colour colour_of(const char *event)
{
	char verb[32];

	snprintf(verb, sizeof(verb), "%.*s", (int)strcspn(event, " "), event);
	if (!strcmp(verb, "heal") || !strcmp(verb, "power-on"))
		return LADDER_GOOD;
	return action_from_name(verb) >= 0 ? LADDER_STATE : LADDER_BAD;
}

static void add_event(struct ladder *ladder, const struct trace_entry *e)
{
	struct ladder_row *row = ladder_add(ladder, e->time_nsec, LADDER_ACROSS, LADDER_KEY,
					    colour_of(e->event.what));

	ladder_say(row, "%s", e->event.what);
}

/* Whether an end of that name, such as "front.proxy", is on the host. */
static bool is_on(const char *end, const char *host)
{
	const char *dot = strchr(end, '.');

	return !strcmp(dot ? dot + 1 : end, host);
}

/* Returns what a program wrote without what would move a terminal's cursor, which the caller frees.
 */
static char *plain(const char *line)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	utf8_put_plain(out, line);
	fclose(out);
	return text;
}

/* A line stands beside its host's lifeline, or says where it is from if the host has none. */
static void add_output(struct ladder *ladder, const struct trace_entry *e, const char *const *names)
{
	enum ladder_side side = is_on(names[0], e->output.host)	  ? LADDER_LEFT
				: is_on(names[1], e->output.host) ? LADDER_RIGHT
								  : LADDER_NOTE;
	struct ladder_row *row =
		ladder_add(ladder, e->time_nsec, side, LADDER_TELLING, LADDER_DEFAULT);
	_cleanup_(freep) char *line = plain(e->output.line);

	ladder_say(row, side == LADDER_NOTE ? "%s: > %s" : "%s> %s",
		   side == LADDER_NOTE ? e->output.host : "", line ? line : "");
}

/* Joins the last two rows if the same end tells both at about the same moment. */
static void put_together(struct ladder *ladder)
{
	struct ladder_row *row, *last;
	char *text;

	if (ladder->n_rows < 2)
		return;
	row = &ladder->rows[ladder->n_rows - 1];
	last = row - 1;
	if (row->side != last->side || row->side > LADDER_RIGHT || !row->text || !last->text ||
	    row->time_nsec - last->time_nsec > SAME_LINE ||
	    strlen(row->text) + strlen(last->text) > SAME_TEXT ||
	    asprintf(&text, "%s  %s", last->text, row->text) < 0)
		return;
	free(last->text);
	free(row->text);
	last->text = text;
	if (row->weight > last->weight)
		last->weight = row->weight;
	if (last->colour < row->colour && row->colour != LADDER_DIM)
		last->colour = row->colour;
	ladder->n_rows--;
}

void ladder_fill(struct ladder *ladder, const struct trace *trace, size_t connection,
		 const char *const names[static 2])
{
	static void (*const add[_TRACE_KIND_MAX])(struct ladder *, const struct trace_entry *) = {
		[TRACE_PACKET] = add_packet, [TRACE_RETRANSMISSION] = add_retransmission,
		[TRACE_STATE] = add_state,   [TRACE_TIMER] = add_timer,
		[TRACE_CALL] = add_call,     [TRACE_EVENT] = add_event,
		[TRACE_SAMPLE] = add_sample,
	};

	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_entry *e = &trace->entries[i];

		if (e->end < _END_MAX && end_connection(e->end) != connection)
			continue;
		if (e->kind == TRACE_OUTPUT) {
			add_output(ladder, e, names);
			continue;
		}
		add[e->kind](ladder, e);
		put_together(ladder);
	}
}
