/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What was to come of one end of a trial: the model is asked with what the packets of that end and
 * its socket told, and its answer goes into the record beside what was measured.
 */

#include "src/model/prediction.h"
#include "src/trial/history.h"
#include "src/trial/state.h"

/* It must stay where it is, because its facts borrow its history, and that its lists. */
struct forecast {
	struct history_lists lists;
	struct model_history history;
	struct model_facts facts;
	struct prediction detection;
};

/* Reads the facts, before the end's lists are moved into the record, and predicts the detection.
 * -ENOMEM is the only failure. */
int forecast_read(const struct trial *trial, const struct trial_end *end,
		  struct forecast *ret_forecast);
void forecast_deinit(struct forecast *forecast);

/* Writes the predictions into `record`, which has been concluded; `rest` is the mechanism that ends
 * what is left after the detection. -ENOMEM is the only failure. */
int forecast_note(const struct trial *trial, const struct trial_end *end,
		  const struct forecast *forecast, enum mechanism rest,
		  struct record_endpoint *record);
