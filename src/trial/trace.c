/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "netns/sockdiag.h"
#include "src/record/trace-build.h"
#include "src/trial/state.h"

/*
 * Packets come by themselves; timers are asked for, as `ss -o` would. That is done when the loop
 * comes round after a state change, a retransmission, a reset or an event of the timeline, and a
 * moment after any other packet, so that a stream is not asked about at every segment.
 */

#define AFTER_PACKET (20 * NSEC_PER_MSEC)

struct trial_trace {
	struct trial *trial;
	struct tracer *tracer; /* owned until trial_trace_give() */
	struct loop_timer *timer;
	nsec_t look_nsec[_ENDPOINT_MAX]; /* NSEC_NEVER: nothing has changed */
};

static void schedule(struct trial_trace *trace)
{
	nsec_t at = NSEC_NEVER;

	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		if (trace->look_nsec[n] < at)
			at = trace->look_nsec[n];
	loop_timer_set(trace->timer, at);
}

static void look_at(struct trial_trace *trace, enum node_id id)
{
	struct trial_node *node = &trace->trial->node[id];
	struct trace_timer timer = { 0 };
	struct sockdiag_socket s;

	if (trial_node_look_up(node, &s) && s.timer != TCP_TIMER_OFF)
		timer = (struct trace_timer){ tcp_timer_name(s.timer), s.expires_nsec,
					      s.retransmits };
	node->trial->lost += tracer_add_timer(trace->tracer, id, nsec_now(), &timer) < 0;
}

static void on_timer(void *userdata)
{
	struct trial_trace *trace = userdata;
	nsec_t now = nsec_now();

	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		if (trace->trial->phase == PHASE_OVER || trace->look_nsec[n] > now)
			continue;
		trace->look_nsec[n] = NSEC_NEVER;
		look_at(trace, n);
	}
	schedule(trace);
}

int trial_trace_init(struct trial *trial, struct error *err)
{
	struct trial_trace *trace = trial->trace = calloc(1, sizeof(*trace));

	if (trace)
		trace->tracer = calloc(1, sizeof(*trace->tracer));
	if (!trace || !trace->tracer)
		return error_errno(err, -ENOMEM, "trace");
	trace->trial = trial;
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		trace->look_nsec[n] = NSEC_NEVER;
	return loop_timer_new(trial->loop, on_timer, trace, &trace->timer, err);
}

void trial_trace_deinit(struct trial *trial)
{
	if (!trial->trace)
		return;
	loop_timer_free(trial->trace->timer);
	tracer_free(trial->trace->tracer);
	free(trial->trace);
	trial->trace = NULL;
}

static void look_by(struct trial_trace *trace, enum node_id id, nsec_t at)
{
	if (!trace->tracer || trace->look_nsec[id] <= at)
		return;
	trace->look_nsec[id] = at;
	schedule(trace);
}

/* Also what a host sends and gets that was booted later: who else would tell of its resets. */
void trial_trace_observe(struct trial_node *node, const struct observation *o)
{
	struct trial_trace *trace = node->trial->trace;

	if (!trace || !trace->tracer || node->id == NODE_ROUTER)
		return;
	if (o->kind != OBSERVATION_PACKET) {
		look_by(trace, node->id, nsec_now());
		return;
	}
	node->trial->lost +=
		tracer_add_packet(trace->tracer, node->id, o->time_nsec, &o->packet) < 0;
	look_by(trace, node->id, nsec_now() + AFTER_PACKET);
}

void trial_trace_look(struct trial *trial)
{
	for (enum node_id n = 0; trial->trace && n < _ENDPOINT_MAX; n++)
		look_by(trial->trace, n, nsec_now());
}

void trial_trace_give(struct trial *trial)
{
	if (!trial->trace)
		return;
	trial->trace->tracer->origin_nsec = trial->origin_nsec;
	trial->record->tracer = trial->trace->tracer;
	trial->trace->tracer = NULL;
}
