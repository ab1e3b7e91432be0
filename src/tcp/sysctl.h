/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is known of TCP's sysctls without asking a kernel. */

/* The Linux version that brought it, "6.15", where that is newer than the oldest one that this
 * program is for; NULL otherwise. Setting it on an older kernel is ERROR_CAPABILITY, not
 * ERROR_INPUT; so is setting a sysctl of a module that is not loaded (nf_conntrack). */
const char *sysctl_since(const char *key);
