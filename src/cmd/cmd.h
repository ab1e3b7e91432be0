/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The verbs: one line each here, one file each (cmd-*.c), one table in main.c. */

#include "src/cmd/arguments.h"

extern const struct verb verb_run, verb_list, verb_show, verb_check, verb_doctor, verb_shell,
	verb_kernels, verb_sweep, verb_export, verb_merge;
