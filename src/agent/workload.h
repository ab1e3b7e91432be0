/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a built-in agent does with its connections: a table of functions for each workload. */

#include "src/agent/connection.h"

extern const struct workload_functions workloads[]; /* by enum workload */
