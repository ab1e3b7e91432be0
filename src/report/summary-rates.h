/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The second table that `run` prints. It counts the outcomes of a trial's repeats, if these
 * ended differently, or of a client's many connections.
 */

#include <stdio.h>

#include "src/record/record.h"

void summary_print_rates(struct record *const *records, size_t n, FILE *out);
