/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Whether the packets came as expected, in their order, and none that must not. */

#include "src/record/expect-text.h"

void expect_check_packets(struct check *c);
