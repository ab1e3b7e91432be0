/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Whether the programs did what was expected of them: their calls, and how much they read and
 * wrote. */

#include "src/record/expect-text.h"

void expect_check_calls(struct check *c);
void expect_check_bytes(struct check *c);
