/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Names each measurement that lies outside of what was predicted for it, with both sides. Such a
 * finding does not change the verdict. Inconclusive trials have none. */

#include <stdio.h>

#include "src/record/record.h"

/* Writes a line for each finding of the `n` records, of which some may be NULL. */
void findings_print(struct record *const *records, size_t n, FILE *out);
