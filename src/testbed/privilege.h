/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The right to make network namespaces: as root it is there; an ordinary user
 * gets it in a user namespace of their own, entered once, before any thread or
 * namespace is made.
 */

#include <stdbool.h>

#include "src/util/error.h"

/* Makes sure that this process may create and configure namespaces, entering a user namespace if
 * it must. ERROR_CAPABILITY says what the system does not allow and what would. Idempotent. */
int privilege_acquire(struct error *err);

/* Whether this process has what root in the initial user namespace has (CAP_SYS_ADMIN,
 * CAP_NET_ADMIN), so that no user namespace is needed. */
bool privilege_is_root(void);
