/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The right to make network namespaces. Root has it. An ordinary user gets it in a
 * user namespace of their own, which is entered once, before any thread or network
 * namespace is made.
 */

#include <stdbool.h>

#include "src/util/error.h"

/* Makes sure that this process may create and configure namespaces, and enters a user namespace if
 * that is needed. Fails with ERROR_CAPABILITY, whose text says what the system does not allow and
 * how to allow it. May be called again. */
int privilege_acquire(struct error *err);

/* Returns whether this process has CAP_SYS_ADMIN and CAP_NET_ADMIN, as root has, so that no user
 * namespace is needed. */
bool privilege_is_root(void);
