/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Writes a store as JUnit's XML: a suite for each scenario, a case for each trial. */

#include <stdio.h>

#include "src/store/store.h"

/* Writes to `out`. If that fails it stops, and the caller looks at ferror() and errno. */
int export_junit(struct store *store, FILE *out, struct error *err);
