/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/state.h"

#include <stdio.h>

#include "src/util/format.h"

void trial_over(struct trial *trial)
{
	if (trial->phase == PHASE_OVER)
		return;
	if (trial->phase == PHASE_RUNNING)
		trial->ran_until_nsec = nsec_now();
	trial->phase = PHASE_OVER;
	loop_timer_set(trial->timer, 0);
}

void trial_fail(struct trial *trial, const struct error *err)
{
	if (trial->phase != PHASE_OVER)
		trial->failure = *err;
	trial_over(trial);
}

bool trial_timeline_done(const struct trial *trial)
{
	return timeline_next_nsec(&trial->timeline) == NSEC_NEVER;
}

nsec_t trial_horizon(const struct trial *trial)
{
	if (trial->origin_nsec == NSEC_NONE)
		return NSEC_NEVER;
	return trial->origin_nsec + trial->spec.scenario->horizon_nsec;
}

bool trial_past_horizon(struct trial *trial, nsec_t at_nsec)
{
	if (trial->phase != PHASE_RUNNING || trial_horizon(trial) == NSEC_NEVER ||
	    at_nsec <= trial_horizon(trial))
		return false;
	trial->full_term = true;
	trial_over(trial);
	return true;
}

uint16_t trial_port(const struct scenario *s, enum node_id id)
{
	int64_t port = scenario_option(&s->agent[s->agent[id].to], OPTION_PORT, TRIAL_DEFAULT_PORT);

	return (uint16_t)scenario_option(&s->agent[id], OPTION_PORT, port);
}

char *trial_file(const struct trial *trial, enum node_id id, const char *folder, const char *ending)
{
	const struct trial_spec *spec = &trial->spec;
	const struct scenario *s = spec->scenario;
	char repeat[16] = "";

	if (spec->repeat)
		snprintf(repeat, sizeof(repeat), "-%u", spec->repeat);
	return format_new("%s/%s%s%s-%s%s-%s%s", folder, s->name, s->variant ? "-" : "",
			  s->variant ? s->variant : "", family_name(spec->family), repeat,
			  scenario_node_name(s, id), ending);
}
