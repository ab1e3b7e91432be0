/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Checks names of sysctls as far as that is possible without the kernel that runs the trials. A
 * study that varies a sysctl that does not exist is refused before it costs hours. A name that
 * cannot be checked is accepted, and the trial fails if it is wrong.
 */

#include "src/util/error.h"

/* Checks the key of a setting, with or without a node. ERROR_INPUT if it is a sysctl below net.ipv4
 * that neither this machine's kernel nor the list of known ones has. */
int study_check_sysctl(const char *key, struct error *err);
