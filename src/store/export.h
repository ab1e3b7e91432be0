/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Writes a store in formats of other tools: CSV (one row a trial and endpoint, one column a
 * setting), JSON Lines (the records as run --json prints them) and JUnit's XML, which CI systems
 * show. Trials are in the study's order, so that equal stores give equal bytes.
 */

#include <stdio.h>

#include "src/store/store.h"

/* Writes a store to `out`. If that fails it stops, and the caller looks at ferror() and errno. */
typedef int (*export_func)(struct store *store, FILE *out, struct error *err);

/* Finds the function for "csv", "jsonl" or "junit". NULL: there is no such format. */
export_func export_from_name(const char *name);
