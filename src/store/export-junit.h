/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A store as JUnit's XML: a suite for each scenario, a case for each trial. */

#include <stdio.h>

#include "src/store/store.h"

/* Writes it to `out`, and stops where that fails, with ferror() and errno for the caller to see. */
int export_junit(struct store *store, FILE *out, struct error *err);
