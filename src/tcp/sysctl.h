/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is known of TCP's sysctls without asking a kernel. */

/* The Linux version that brought it, "6.15", where that is newer than the oldest one that this
 * program is for; NULL otherwise. Setting such a one on an older kernel is ERROR_CAPABILITY, not
 * ERROR_INPUT, and so is one of a part of the kernel that is not there (nf_conntrack). */
const char *sysctl_since(const char *key);
