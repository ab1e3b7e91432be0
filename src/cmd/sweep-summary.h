/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The table after a sweep. It sums the results of the store's trials up in so few rows that people
 * can read them. */

#include <stdio.h>

#include "src/store/store.h"

int sweep_summary_print(struct store *store, FILE *out, struct error *err);
