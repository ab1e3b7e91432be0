/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The table after a sweep: what the store's trials found, in as many rows as people read. */

#include <stdio.h>

#include "src/store/store.h"

int sweep_summary_print(struct store *store, FILE *out, struct error *err);
