/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Writes a store as JUnit's XML (src/record/junit.h): a suite for each scenario on each kernel, a
 * case for each trial. */

#include <stdio.h>

#include "src/record/results.h"
#include "src/store/store.h"

/* Adds each trial of the store to the results, and each finding. */
int export_results(struct store *store, struct results *results, struct error *err);
/* Writes to `out`. If that fails it stops, and the caller looks at ferror() and errno. */
int export_junit(struct store *store, FILE *out, struct error *err);
