/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Finds out whether a connection still works when every fault is healed: data has to get through.
 */

#include "src/trial/state.h"

/* Whether everything is as before the faults, so that the connection may still work. */
bool survival_possible(const struct trial *trial);
/* Looks whether data got through. Some time after the heal it has an idle connection send a byte.
 */
void survival_check(struct trial *trial);
