/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Whether a connection still works once every fault is healed: data has to get through. */

#include "src/trial/state.h"

/* Everything is as before the faults: an endpoint may prove that its connection still works. */
bool survival_possible(const struct trial *trial);
void survival_check(struct trial *trial);
