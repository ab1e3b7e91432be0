/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Per-namespace sysctls. /proc/sys/net shows the namespace of the task that opens
 * a file in it, so the calling thread goes into the namespace to open, and back.
 */

#include <stdbool.h>

#include "netns/netns.h"

/* Writes `value` to `key` ("net.ipv4.tcp_retries2") and reads it back. ERROR_INPUT when there
 * is no such sysctl in a network namespace, when the kernel refuses the value, or when it kept
 * another one (clamped): the text names key, value and what the kernel has. ERROR_CAPABILITY when
 * /proc/sys is read-only. */
int sysctl_set(const struct netns *ns, const char *key, const char *value, struct error *err);

/* Reads `key`; the newline is cut and runs of blanks are single. Caller frees *ret_value. */
int sysctl_get(const struct netns *ns, const char *key, char **ret_value, struct error *err);

/* Whether `key` is one that each network namespace has for itself; no namespace is needed: a
 * sysctl shown in a fresh namespace is. 0 or 1. */
int sysctl_is_per_netns(const struct netns *fresh, const char *key);
