/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/timeline.h"

#include <errno.h>

/* Steps of one time stay in the order of the file. */
static void insert(struct timeline *timeline, struct timeline_step step)
{
	size_t i = timeline->n_steps++;

	while (i && timeline->steps[i - 1].at_nsec > step.at_nsec) {
		timeline->steps[i] = timeline->steps[i - 1];
		i--;
	}
	timeline->steps[i] = step;
}

static void insert_event(struct timeline *timeline, const struct event *events, size_t i)
{
	static const enum step_kind kinds[] = {
		[EVENT_FAULT] = STEP_FAULT,
		[EVENT_HEAL] = STEP_HEAL,
		[EVENT_ACTION] = STEP_ACTION,
	};
	const struct event *event = &events[i];
	size_t fault = event->kind == EVENT_HEAL ? event->ends : i;
	struct timeline_step step = { event->at_nsec, kinds[event->kind], &events[fault], fault };

	insert(timeline, step);
	if (event->kind != EVENT_FAULT || event->fault != FAULT_REBOOT)
		return;
	step.kind = STEP_POWER_ON;
	step.at_nsec += event->downtime_nsec;
	insert(timeline, step);
}

int timeline_init(struct timeline *timeline, const struct scenario *scenario, struct error *err)
{
	struct timeline new = { .steps = calloc(scenario->n_events * 2 + 1, sizeof(*new.steps)) };

	if (!new.steps)
		return error_errno(err, -ENOMEM, "timeline");
	for (size_t i = 0; i < scenario->n_events; i++)
		insert_event(&new, scenario->events, i);
	*timeline = new;
	return 0;
}

void timeline_deinit(struct timeline *timeline)
{
	free(timeline->steps);
	*timeline = (struct timeline){ 0 };
}

nsec_t timeline_next_nsec(const struct timeline *timeline)
{
	if (timeline->next == timeline->n_steps)
		return NSEC_NEVER;
	return timeline->steps[timeline->next].at_nsec;
}

const struct timeline_step *timeline_take(struct timeline *timeline, nsec_t now_nsec)
{
	if (timeline_next_nsec(timeline) > now_nsec)
		return NULL;
	return &timeline->steps[timeline->next++];
}
