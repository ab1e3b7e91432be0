/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Whether queues and timers looked as expected, and what became of many connections. */

#include "src/record/expect-text.h"

void expect_check_samples(struct check *c);
void expect_check_population(struct check *c);
