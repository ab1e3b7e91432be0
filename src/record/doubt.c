/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/doubt.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#define OUTPUT_TOLD 200 /* bytes of a command's last output */

/* What the first event found of an end. */
enum found {
	FOUND_NOTHING, /* it had no connection so far */
	FOUND_OPEN,
	FOUND_OVER,
};

/* TIME_WAIT and an end without a socket have nothing left that a fault could strike. */
static enum found found_at_first_event(const struct record_endpoint *e, nsec_t *ret_over_nsec)
{
	enum found found = FOUND_NOTHING;

	for (size_t i = 0; i < e->n_states && e->states[i].time_nsec < 0; i++) {
		int to = e->states[i].to;

		if (to != TCP_STATE_CLOSE && to != TCP_STATE_TIME_WAIT) {
			found = FOUND_OPEN;
		} else if (found != FOUND_OVER) {
			found = FOUND_OVER;
			*ret_over_nsec = e->states[i].time_nsec;
		}
	}
	return found;
}

/* Of many connections only the first has states. The others are over if their programs met all the
 * ends before the first event. */
static bool others_are_over(const struct record_endpoint *e)
{
	const struct record_population *p = &e->population;
	uint32_t ended = 0;

	for (enum outcome o = OUTCOME_NONE + 1; o < _OUTCOME_MAX; o++)
		if (o != OUTCOME_SURVIVED && o != OUTCOME_UNDETECTED)
			ended += p->outcome[o];
	return p->connections <= 1 || (ended == p->connections && p->last_nsec < 0);
}

/* Returns when a connection, which begins with that end, was over at both ends, or at the only one
 * that has seen it, if that was before the first event; else NSEC_NONE. */
static nsec_t over_before(const struct record *record, enum end_id first)
{
	nsec_t last_nsec = NSEC_NONE;

	for (enum end_id n = first; record->n_faults && n < first + 2; n++) {
		nsec_t over_nsec = NSEC_NONE;
		enum found found = found_at_first_event(&record->endpoint[n], &over_nsec);

		if (found == FOUND_OPEN || !others_are_over(&record->endpoint[n]))
			return NSEC_NONE;
		if (found == FOUND_OVER && (last_nsec == NSEC_NONE || over_nsec > last_nsec))
			last_nsec = over_nsec;
	}
	return last_nsec;
}

/* Finds the last output of a command, from the beginning of a character to the last that is no
 * newline. */
static const char *last_output(const struct record_endpoint *e, int *ret_length)
{
	size_t n = strlen(e->command_output);
	const char *tail = e->command_output + (n > OUTPUT_TOLD ? n - OUTPUT_TOLD : 0);

	while (((unsigned char)*tail & 0xc0) == 0x80)
		tail++;
	if (!*tail)
		tail = "(none)";
	*ret_length = (int)strlen(tail);
	while (*ret_length && tail[*ret_length - 1] == '\n')
		--*ret_length;
	return tail;
}

/* Says of the programs that are the user's own how they ended, which may be the reason. */
static char *describe_commands(const struct record *record)
{
	char *text = strdup("");

	for (enum end_id n = 0; text && n < record->n_ends; n++) {
		const struct record_endpoint *e = &record->endpoint[n];
		int status = e->command_status, rc;
		char how[64], *longer;
		const char *tail;
		int length;

		if (!e->command_output)
			continue;
		if (status < 0)
			snprintf(how, sizeof(how), "still ran at the end");
		else if (WIFSIGNALED(status))
			snprintf(how, sizeof(how), "was ended by signal %d", WTERMSIG(status));
		else
			snprintf(how, sizeof(how), "ended with exit status %d",
				 WEXITSTATUS(status));
		tail = last_output(e, &length);
		rc = asprintf(&longer, "%s; the %s's command %s, its output ends: %.*s", text,
			      e->name, how, length, tail);
		free(text);
		text = rc < 0 ? NULL : longer;
	}
	return text;
}

/* `name` is that of the connection's first end, "client" or "front.client". */
static int doubt_over(struct record *record, const char *name, nsec_t over_nsec)
{
	_cleanup_(freep) char *commands = describe_commands(record);
	const char *dot = strchr(name, '.');
	char before[64];

	if (!commands)
		return -ENOMEM;
	return record_doubt(record, "the connection %.*s%swas over %s before the first event%s",
			    dot ? (int)(dot - name) : 0, name, dot ? " " : "",
			    nsec_format(before, sizeof(before), -over_nsec), commands);
}

/* A time that is so far off is none to go by, whatever is expected of it. */
#define BLIND_MAX (100 * NSEC_PER_MSEC)

static int doubt_blind(struct record *record)
{
	char span[64];
	int rc = 0;

	for (enum end_id n = 0; rc >= 0 && n < record->n_ends; n++)
		if (record->endpoint[n].gone_blind_nsec > BLIND_MAX)
			rc = record_doubt(record,
					  "what was left of the %s's connection was found gone %s "
					  "after a look that still saw it",
					  record->endpoint[n].name,
					  nsec_format(span, sizeof(span),
						      record->endpoint[n].gone_blind_nsec));
	return rc;
}

int doubt_check(struct record *record, struct error *err)
{
	int rc = 0;

	if (record->lost)
		rc = record_doubt(record, "%" PRIu64 " observation%s lost", record->lost,
				  record->lost == 1 ? " was" : "s were");
	for (enum end_id end = 0; rc >= 0 && end < record->n_ends; end += 2) {
		nsec_t over_nsec = over_before(record, end);

		if (over_nsec != NSEC_NONE)
			rc = doubt_over(record, record->endpoint[end].name, over_nsec);
	}
	if (rc >= 0)
		rc = doubt_blind(record);
	return rc < 0 ? error_errno(err, rc, "verdict") : 0;
}
