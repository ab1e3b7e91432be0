/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A store in other tools' formats: CSV (one row a trial and endpoint, one column a
 * setting), JSON Lines (the records as run --json prints them), JUnit's XML (what
 * CI systems show). In the study's order, so that the same content is the same
 * bytes.
 */

#include <stdio.h>

#include "src/store/store.h"

/* Stops where `out` cannot be written, with ferror() and errno for the caller to see. */
typedef int (*export_func)(struct store *store, FILE *out, struct error *err);

/* "csv", "jsonl" or "junit"; NULL when there is no such format. */
export_func export_from_name(const char *name);
