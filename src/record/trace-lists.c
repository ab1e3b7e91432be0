/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds to a trace the entries of all kinds but packets: states, calls, samples, timers, events, and
 * the retransmissions that no packet shows. */
#include <errno.h>
#include <string.h>

#include "src/record/trace-work.h"

/* Adds each sample that differs from the one before in a queue, a state or the open connections.
 * The timers of samples have entries of their own. */
static int take_samples(struct trace_work *work, enum end_id end)
{
	const struct record_endpoint *r = &work->record->endpoint[end];
	struct trace_sample last = { .state = -1 };

	for (size_t i = 0; i < r->n_samples; i++) {
		const struct record_sample *s = &r->samples[i];
		struct trace_sample sample = { s->state, s->send_queue, s->receive_queue,
					       record_sample_open(s) };
		struct trace_entry *e;

		if (sample.state == last.state && sample.send_queue == last.send_queue &&
		    sample.receive_queue == last.receive_queue && sample.open == last.open)
			continue;
		if (!(e = trace_add_entry(work, TRACE_SAMPLE, s->time_nsec, end)))
			return -ENOMEM;
		e->sample = last = sample;
	}
	return 0;
}

static int take_lists(struct trace_work *work, enum end_id end)
{
	const struct record_endpoint *r = &work->record->endpoint[end];
	struct trace_entry *e;

	for (size_t i = 0; i < r->n_states; i++) {
		if (!(e = trace_add_entry(work, TRACE_STATE, r->states[i].time_nsec, end)))
			return -ENOMEM;
		e->state = r->states[i];
	}
	for (size_t i = 0; i < r->n_retransmissions; i++) {
		if (work->shown[end][i])
			continue;
		e = trace_add_entry(work, TRACE_RETRANSMISSION, r->retransmissions[i].time_nsec,
				    end);
		if (!e)
			return -ENOMEM;
		trace_note_again(e, &r->retransmissions[i]);
	}
	for (size_t i = 0; i < r->n_calls; i++) {
		if (!(e = trace_add_entry(work, TRACE_CALL, r->calls[i].time_nsec, end)))
			return -ENOMEM;
		e->call = r->calls[i];
	}
	return take_samples(work, end);
}

static int take_output(struct trace_work *work)
{
	for (size_t i = 0; i < work->record->n_output; i++) {
		const struct record_output *o = &work->record->output[i];
		struct trace_entry *e = trace_add_entry(work, TRACE_OUTPUT, o->time_nsec, _END_MAX);

		if (!e)
			return -ENOMEM;
		e->number = (unsigned int)i;
		e->output.host = strdup(o->host);
		e->output.line = strdup(o->line);
		if (!e->output.host || !e->output.line)
			return -ENOMEM;
	}
	return 0;
}

static int take_others(struct trace_work *work)
{
	for (size_t i = 0; i < work->sightings->n_timers; i++) {
		const struct sighting_timer *t = &work->sightings->timers[i];
		struct trace_entry *e;

		if (t->timer.kind == TCP_TIMER_OFF)
			continue;
		if (!(e = trace_add_entry(work, TRACE_TIMER,
					  t->time_nsec - work->sightings->origin_nsec, t->end)))
			return -ENOMEM;
		e->timer = t->timer;
	}
	for (size_t i = 0; i < work->record->n_faults; i++) {
		const struct record_fault *f = &work->record->faults[i];
		struct trace_entry *e = trace_add_entry(work, TRACE_EVENT, f->time_nsec, _END_MAX);

		if (!e || !(e->event.what = strdup(f->what)))
			return -ENOMEM;
		e->event.took_nsec = f->took_nsec;
	}
	return take_output(work);
}

int trace_take_lists(struct trace_work *work)
{
	int rc = 0;

	for (enum end_id n = 0; rc >= 0 && n < work->record->n_ends; n++)
		rc = take_lists(work, n);
	return rc < 0 ? rc : take_others(work);
}
