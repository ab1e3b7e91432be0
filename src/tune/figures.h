/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the model makes of settings: pure, and the same for each caller. */

#include "src/tune/goal.h"
#include "src/util/error.h"

/* Reckons all figures of the workloads that the goal has; those of others are not touched. */
int tune_figures(const struct tune_goal *goal, const struct tune_settings *settings,
		 struct tune_figures *ret, struct error *err);
/* Likewise only the latest detection, or the longest outage, of one workload. */
int tune_detect(const struct tune_goal *goal, const struct tune_settings *settings,
		enum tune_workload workload, nsec_t *ret_nsec, struct error *err);
int tune_survive(const struct tune_goal *goal, const struct tune_settings *settings,
		 enum tune_workload workload, nsec_t *ret_nsec, unsigned int *ret_tries,
		 struct error *err);
/* The latest detection of all workloads, and the least outage. */
nsec_t tune_worst_detect(const struct tune_goal *goal, const struct tune_figures *figures);
nsec_t tune_least_survive(const struct tune_goal *goal, const struct tune_figures *figures);
