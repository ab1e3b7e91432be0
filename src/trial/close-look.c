/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/close-look.h"

#include "src/tcp/state.h"
#include "src/trial/look.h"

#define EVERY_REAL    (20 * NSEC_PER_MSEC)
#define EVERY_VIRTUAL (100 * NSEC_PER_MSEC) /* where a look costs more than the wait for it */
#define LATE	      (100 * NSEC_PER_MSEC) /* a look so late does not date what it finds */

static nsec_t every(const struct trial *trial)
{
	return trial->spec.phase < 0 ? EVERY_REAL : EVERY_VIRTUAL;
}

static bool is_wanted(const struct trial_end *end)
{
	const struct trial *trial = end->trial;
	int state = end->view[WITNESS_DERIVED].state;

	return trial->phase == PHASE_RUNNING && end->believed == WITNESS_DERIVED &&
	       end->host->powered && end->followed.tuple.known &&
	       scenario_is_command(&trial->spec.scenario->agent[end->host->id]) &&
	       (state == TCP_STATE_ESTABLISHED || state == TCP_STATE_CLOSE_WAIT);
}

/* Whether the state is one that only a local close leads to. */
static bool is_closing(int state)
{
	return state == TCP_STATE_FIN_WAIT1 || state == TCP_STATE_LAST_ACK ||
	       state == TCP_STATE_CLOSING;
}

static void take(struct trial_end *end, const struct sockdiag_socket *s, close_look_func func)
{
	struct endpoint *view = &end->view[WITNESS_DERIVED];
	nsec_t late_nsec = end->close_look_nsec ? nsec_now() - end->close_look_nsec : 0;
	struct observation o = {
		.kind = OBSERVATION_STATE,
		.derived = true,
		.socket = view->socket,
		.time_nsec = nsec_now(),
		.local = s->local,
		.peer = s->peer,
		.local_port = s->local_port,
		.peer_port = s->peer_port,
		.state = { .from = view->state, .to = s->state },
	};
	char text[64];

	func(end, &o);
	if (late_nsec > LATE)
		end->trial->lost +=
			record_doubt(end->trial->record,
				     "nobody had looked for %s whether a program had closed",
				     nsec_format(text, sizeof(text), late_nsec)) < 0;
}

void close_look(struct trial *trial, close_look_func func)
{
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		struct trial_end *end = &trial->end[id];
		struct sockdiag_socket s;

		if (!is_wanted(end) || nsec_now() < end->close_look_nsec)
			continue;
		if (look_up(end, &s) > 0 && is_closing(s.state))
			take(end, &s, func);
		end->close_look_nsec = nsec_now() + every(trial);
	}
}

nsec_t close_look_next(const struct trial *trial)
{
	nsec_t at_nsec = NSEC_NEVER;

	for (enum end_id id = 0; id < trial->n_ends; id++)
		if (is_wanted(&trial->end[id]))
			at_nsec = nsec_min(at_nsec,
					   nsec_max(trial->end[id].close_look_nsec, nsec_now()));
	return at_nsec;
}
