/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/sightings.h"

#include <errno.h>

#include "netns/sockdiag.h"
#include "src/record/sighting.h"
#include "src/trial/look.h"

/*
 * Packets come by themselves; timers are asked for, as `ss -o` would. That is done when the loop
 * comes round after a state change, a retransmission, a reset or an event of the timeline, and a
 * moment after any other packet, so that a stream is not asked about at every segment.
 */

#define AFTER_PACKET (20 * NSEC_PER_MSEC)

struct sightings {
	struct trial *trial;	    /* not owned */
	struct sighting_log *log;   /* owned until sightings_give(); NULL after it */
	struct loop_timer *timer;   /* owned */
	nsec_t look_nsec[_END_MAX]; /* when to look; NSEC_NEVER: nothing has changed */
};

static void schedule(struct sightings *sightings)
{
	nsec_t at_nsec = NSEC_NEVER;

	for (enum end_id n = 0; n < sightings->trial->n_ends; n++)
		at_nsec = nsec_min(at_nsec, sightings->look_nsec[n]);
	loop_timer_set(sightings->timer, at_nsec);
}

static void look_at(struct sightings *sightings, enum end_id id)
{
	struct trial_end *end = &sightings->trial->end[id];
	struct trace_timer timer = { 0 };
	struct sockdiag_socket s;
	int rc = look_up(end, &s);

	if (rc < 0)
		return;
	if (rc > 0)
		timer = (struct trace_timer){ s.timer, s.expires_nsec, s.retransmits };
	end->trial->lost += sighting_add_timer(sightings->log, id, nsec_now(), &timer) < 0;
}

static void on_timer(void *userdata)
{
	struct sightings *sightings = userdata;
	nsec_t now_nsec = nsec_now();

	for (enum end_id n = 0; n < sightings->trial->n_ends; n++) {
		if (sightings->trial->phase == PHASE_OVER || sightings->look_nsec[n] > now_nsec)
			continue;
		sightings->look_nsec[n] = NSEC_NEVER;
		look_at(sightings, n);
	}
	schedule(sightings);
}

int sightings_init(struct trial *trial, struct error *err)
{
	struct sightings *sightings = trial->sightings = calloc(1, sizeof(*sightings));

	if (sightings)
		sightings->log = calloc(1, sizeof(*sightings->log));
	if (!sightings || !sightings->log)
		return error_errno(err, -ENOMEM, "trace");
	sightings->trial = trial;
	for (enum end_id n = 0; n < trial->n_ends; n++)
		sightings->look_nsec[n] = NSEC_NEVER;
	return loop_timer_new(trial->loop, on_timer, sightings, &sightings->timer, err);
}

void sightings_deinit(struct trial *trial)
{
	if (!trial->sightings)
		return;
	loop_timer_free(trial->sightings->timer);
	sighting_log_free(trial->sightings->log);
	free(trial->sightings);
	trial->sightings = NULL;
}

int sightings_multiply(struct trial *trial, enum end_id first, size_t n)
{
	struct sightings *sightings = trial->sightings;

	if (!sightings || !sightings->log)
		return 0;
	for (enum end_id id = 0; id < _END_MAX; id++)
		sightings->look_nsec[id] = nsec_now();
	return sighting_multiply(sightings->log, first, trial->n_ends, n);
}

static void look_by(struct sightings *sightings, enum end_id id, nsec_t at_nsec)
{
	if (!sightings->log || sightings->look_nsec[id] <= at_nsec)
		return;
	sightings->look_nsec[id] = at_nsec;
	schedule(sightings);
}

/* Where one connection is followed its trace has whatever else its hosts sent. */
static bool concerns(const struct trial_end *end, const struct observation *o)
{
	return end->trial->n_ends == 2 || o->kind != OBSERVATION_PACKET ||
	       endpoint_in_scenario(&end->view[0], o);
}

/* Packets of a host that was booted again are kept too, because its resets belong in the trace. */
void sightings_observe(struct trial_host *host, const struct observation *o)
{
	struct trial *trial = host->trial;
	struct sightings *sightings = trial->sightings;

	if (!sightings || !sightings->log)
		return;
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		if (trial->end[id].host != host || !concerns(&trial->end[id], o))
			continue;
		if (o->kind != OBSERVATION_PACKET) {
			look_by(sightings, id, nsec_now());
			continue;
		}
		trial->lost +=
			sighting_add_packet(sightings->log, id, o->time_nsec, &o->packet) < 0;
		look_by(sightings, id, nsec_now() + AFTER_PACKET);
	}
}

void sightings_look(struct trial *trial)
{
	for (enum end_id n = 0; trial->sightings && n < trial->n_ends; n++)
		look_by(trial->sightings, n, nsec_now());
}

static bool has_ports(const struct endpoint_tuple *tuple, const struct sighting_packet *p)
{
	return tuple->known && tuple->local_port == p->local_port &&
	       tuple->peer_port == p->peer_port;
}

/* Whether a packet that an end saw is of a connection that another end of its host follows, or,
 * where an end is one of all, of any that was tried before the first event. */
static bool is_of_another(const struct trial_end *end, const struct sighting_packet *p)
{
	const struct trial *trial = end->trial;
	const struct followed *f = &end->followed;

	if (has_ports(&f->tuple, p))
		return false;
	for (enum end_id id = 0; id < trial->n_ends; id++)
		if (trial->end[id].host == end->host &&
		    has_ports(&trial->end[id].followed.tuple, p))
			return true;
	for (size_t i = 0; f->rank && i < f->n_candidates; i++)
		if (has_ports(&f->candidates[i].tuple, p))
			return true;
	return false;
}

/* Of several connections each has its own packets, and those of the ones that nobody follows. */
static void divide(struct trial *trial)
{
	struct sighting_log *log = trial->sightings->log;

	for (enum end_id id = 0; id < trial->n_ends; id++) {
		size_t n = 0;

		for (size_t i = 0; i < log->n_packets[id]; i++)
			if (!is_of_another(&trial->end[id], &log->packets[id][i]))
				log->packets[id][n++] = log->packets[id][i];
		log->n_packets[id] = n;
	}
}

void sightings_give(struct trial *trial)
{
	if (!trial->sightings)
		return;
	divide(trial);
	trial->sightings->log->origin_nsec = trial->origin_nsec;
	trial->record->sightings = trial->sightings->log;
	trial->sightings->log = NULL;
}
