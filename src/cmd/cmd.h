/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The verbs. Each has a file of its name in this folder, and a place in the table of main.c. */

#include "src/cmd/arguments.h"

extern const struct verb verb_run, verb_list, verb_show, verb_check, verb_doctor, verb_shell,
	verb_kernels, verb_sweep, verb_export, verb_merge, verb_predict, verb_tune, verb_report,
	verb_new, verb_cache;
