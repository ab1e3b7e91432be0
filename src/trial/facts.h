/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the running kernel tells a prediction before there is a connection. */

#include "src/model/model.h"

struct model_facts facts_of_running_kernel(void);
/* The same of a kernel by its release, "6.12.90+deb13". */
struct model_facts facts_of_release(const char *release, unsigned int hz);
