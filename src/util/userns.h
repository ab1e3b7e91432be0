/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Who a process is in a user namespace that it has just made: user_namespaces(7). */

#include <stddef.h>
#include <sys/types.h>

/* Maps one user and group of the namespace to the ones that made it, which are given as they are
 * outside: an ordinary user may map no others. Returns 0 or a negative errno. */
int userns_map(uid_t inside_uid, gid_t inside_gid, uid_t outside_uid, gid_t outside_gid);

/* Says in `cause` why the kernel did not let this process make a user namespace, or map itself in
 * one. `rc` is the negative errno, which has several meanings each. Returns what would bring it;
 * static. */
const char *userns_refusal(int rc, char *cause, size_t size);
