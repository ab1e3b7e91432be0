/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/sample.h"

#include <stdlib.h>
#include <string.h>

#include "src/tcp/state.h"
#include "src/testbed/testbed.h"
#include "src/trial/look.h"
#include "src/trial/options.h"
#include "src/util/array.h"

/*
 * Looks at queues and timers at multiples of a span, as `watch ss -tno` would. What is only the
 * same timer running down is one entry, so that two hours of keepalive cost few. The first look is
 * the one before the first event.
 */

#define SAMPLE_AHEAD (20 * NSEC_PER_MSEC)
#define SAMPLE_EACH  (200 * NSEC_PER_USEC) /* the same, for each of many connections */
#define SAME_TIMER   (10 * NSEC_PER_MSEC)  /* sock_diag's are in ticks */

/* TIME_WAIT and request sockets have no tcp_info: what they retransmit is in the message itself. */
static struct record_sample sample_of(const struct sockdiag_socket *s, nsec_t now_nsec)
{
	bool off = s->timer == TCP_TIMER_OFF;

	return (struct record_sample){
		.time_nsec = now_nsec,
		.state = s->state,
		.send_queue = s->send_queue,
		.receive_queue = s->receive_queue,
		.timer = s->timer,
		.expires_nsec = off ? NSEC_NONE : s->expires_nsec,
		.retransmits = s->has_info ? s->info.tcpi_retransmits : s->retransmits,
		.probes = s->has_info ? s->info.tcpi_probes : 0,
		.backoff = s->has_info ? s->info.tcpi_backoff : 0,
	};
}

/* Whether nothing but time has passed since the last sample. */
static bool is_continued(const struct record_sample *last, const struct record_sample *s)
{
	nsec_t passed_nsec = s->time_nsec - last->time_nsec;

	return last->state == s->state && last->send_queue == s->send_queue &&
	       last->receive_queue == s->receive_queue && last->timer == s->timer &&
	       last->retransmits == s->retransmits && last->probes == s->probes &&
	       last->backoff == s->backoff && !memcmp(last->open, s->open, sizeof(s->open)) &&
	       (s->timer == TCP_TIMER_OFF ||
		llabs(last->expires_nsec - passed_nsec - s->expires_nsec) < SAME_TIMER);
}

static int count_state(const struct sockdiag_socket *s, void *userdata)
{
	struct record_sample *sample = userdata;

	if (s->state != TCP_STATE_LISTEN && s->state < _TCP_STATE_MAX)
		sample->open[s->state]++;
	return 0;
}

static void take(struct trial_end *end, nsec_t now_nsec)
{
	struct testbed_node *host = &end->trial->testbed->node[end->host->id];
	struct record_sample *slot, sample;
	struct sockdiag_socket s;
	int rc;

	if (!end->host->powered || !host->diag || !end->minisocket.socket.local_port)
		return;
	rc = look_up_like(end, &end->minisocket.socket, &s);
	if (!rc)
		s = (struct sockdiag_socket){ .state = TCP_STATE_CLOSE };
	if (rc < 0)
		return;
	sample = sample_of(&s, now_nsec);
	if (end->trial->connections > 1 &&
	    look_through(end, count_state, &sample, sizeof(sample)) < 0)
		return;
	if (end->n_samples && is_continued(&end->samples[end->n_samples - 1], &sample))
		return;
	slot = array_append(&end->samples, &end->n_samples, sizeof(*slot));
	if (slot)
		*slot = sample;
	else
		end->trial->lost++;
}

static void take_all(struct trial *trial)
{
	nsec_t now_nsec = nsec_now();

	for (enum end_id id = 0; id < trial->n_ends; id++)
		take(&trial->end[id], now_nsec);
}

nsec_t sample_ahead(const struct trial *trial)
{
	return SAMPLE_AHEAD + (trial->connections > 1 ? trial->connections * SAMPLE_EACH : 0);
}

static void note_options(struct trial_end *end, const struct sockdiag_socket *s)
{
	uint32_t silence_msec = s->info.tcpi_last_data_recv < s->info.tcpi_last_ack_recv
					? s->info.tcpi_last_data_recv
					: s->info.tcpi_last_ack_recv;

	options_read(end, s->inode);
	for (int w = 0; end->options.present && w < _WITNESS_MAX; w++)
		end->view[w].user_timeout_nsec =
			nsec_max(end->options.user_timeout_nsec, 0); /* 0: there is none */
	if (s->timer == TCP_TIMER_KEEPALIVE)
		end->keepalive_nsec = s->expires_nsec;
	end->silence_nsec = silence_msec * NSEC_PER_MSEC;
}

void sample_first(struct trial *trial)
{
	if (trial->sampled)
		return;
	trial->sampled = true;
	if (trial->spec.scenario->sample_nsec)
		take_all(trial);
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		struct trial_end *end = &trial->end[id];
		struct sockdiag_socket s;

		if (look_up(end, &s) <= 0 || !s.has_info)
			continue;
		end->sampled_nsec = nsec_now();
		end->rto_nsec = (nsec_t)s.info.tcpi_rto * NSEC_PER_USEC;
		end->rtt_nsec = (nsec_t)s.info.tcpi_rtt * NSEC_PER_USEC;
		end->cwnd = s.info.tcpi_snd_cwnd;
		end->mss = s.info.tcpi_snd_mss;
		endpoint_tcp_info(trial_endpoint(end), &s.info);
		if (scenario_is_command(&trial->spec.scenario->agent[end->host->id]))
			note_options(end, &s);
	}
}

nsec_t sample_next(const struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	nsec_t next_nsec = s->sample_nsec * (nsec_t)(trial->n_looks + 1);

	if (!s->sample_nsec || trial->origin_nsec == NSEC_NONE || next_nsec > s->sample_until_nsec)
		return NSEC_NEVER;
	return trial->origin_nsec + next_nsec;
}

/* Notes for how long nobody looked, if the look that is due comes late at that moment. */
static void note_gap(struct trial *trial, nsec_t at_nsec)
{
	struct record *record = trial->record;
	nsec_t due_nsec = sample_next(trial);
	struct record_gap *gap;

	if (at_nsec - due_nsec <= record_sample_late(trial->spec.scenario->sample_nsec))
		return;
	gap = array_append(&record->gaps, &record->n_gaps, sizeof(*gap));
	if (gap)
		*gap = (struct record_gap){ due_nsec - trial->origin_nsec,
					    at_nsec - trial->origin_nsec };
	else
		trial->lost++;
}

void sample_finish(struct trial *trial)
{
	note_gap(trial, trial->ran_until_nsec);
}

void sample_due(struct trial *trial)
{
	nsec_t now_nsec = nsec_now();

	if (now_nsec < sample_next(trial))
		return;
	note_gap(trial, now_nsec);
	take_all(trial);
	trial->n_looks =
		(uint64_t)((now_nsec - trial->origin_nsec) / trial->spec.scenario->sample_nsec);
}
