/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Finds out whether a connection still works when every fault is healed: data gets through by
 * itself, or nothing is on its way and both kernels agree on the connection. Nothing is sent for
 * it.
 */

#include "src/trial/state.h"

/* Whether everything is as before the faults, so that the connection may still work. */
bool survival_possible(const struct trial *trial);
/* Whether it is still to be found out of some end. */
bool survival_pending(const struct trial *trial);
/* Looks whether the connection still works. */
void survival_check(struct trial *trial);
