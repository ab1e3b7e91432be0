/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The result of a trial: its record, with predictions and the verdict. */

#include "src/trial/state.h"

int trial_make_record(struct trial *trial, struct error *err);
