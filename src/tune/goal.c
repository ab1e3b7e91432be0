/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tune/goal.h"

DEFINE_NAMES(tune_workload, _TUNE_WORKLOAD_MAX, [TUNE_IDLE] = "idle", [TUNE_BUSY] = "busy")
