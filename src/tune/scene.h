/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The scenarios that hold settings against a goal: the model predicts them, and guests run them. */

#include "src/scenario/scenario.h"
#include "src/tune/goal.h"

/* An idle connection loses its peer so long after something came, and its path so long before the
 * first probe. */
#define TUNE_EARLY (10 * NSEC_PER_MSEC)

enum tune_scene {
	TUNE_LOST,   /* the peer loses power in the worst moment */
	TUNE_OUTAGE, /* the path is cut in the worst moment, for as long as is to be survived */
	TUNE_LOSSY,  /* nothing happens but loss, for an hour */
	_TUNE_SCENE_MAX,
};

/* Makes the scenario. `offset_nsec` is how much later the event comes than at the worst moment, so
 * that a busy connection is met at different places in its interval. */
int tune_scene_make(const struct tune_goal *goal, const struct tune_settings *settings,
		    enum tune_scene scene, enum tune_workload workload, nsec_t offset_nsec,
		    struct scenario_list *list, struct error *err);
