/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Times in the JSON of verbs, as records have them. */

#include <json-c/json.h>

#include "src/util/nsec.h"

/* Seconds with six decimals; NULL, which is JSON's null, for NSEC_NEVER and NSEC_NONE. */
json_object *json_seconds(nsec_t time_nsec);
