/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names of sysctls, as far as they can be told without the kernel that will have
 * them: a study that varies one which does not exist is refused before it costs
 * hours. What cannot be told is let through; the trial will say.
 */

#include "src/util/error.h"

/* `key` is a setting's, with or without a node. ERROR_INPUT for a sysctl of TCP, IP or sockets
 * that neither this machine's kernel nor any that we know of has. */
int study_check_sysctl(const char *key, struct error *err);
