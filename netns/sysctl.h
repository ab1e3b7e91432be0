/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The sysctls that each network namespace has for itself. /proc/sys/net shows the
 * namespace of the task that opens a file in it, so that the calling thread enters
 * the namespace to open a file, and leaves it again.
 */

#include "netns/netns.h"

/* Writes `value` to `key` ("net.ipv4.tcp_retries2") and reads it back. Fails with ERROR_INPUT when
 * there is no such sysctl in a network namespace, when the kernel refuses the value, or when it
 * kept another one (clamped): the text names key, value and what the kernel has. Fails with
 * ERROR_CAPABILITY when /proc/sys is read-only. */
int sysctl_set(const struct netns *ns, const char *key, const char *value, struct error *err);

/* Reads `key`; the newline is cut and runs of blanks are single. The caller frees *ret_value. */
int sysctl_get(const struct netns *ns, const char *key, char **ret_value, struct error *err);
