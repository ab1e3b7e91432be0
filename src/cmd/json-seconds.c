/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/json-seconds.h"

json_object *json_seconds(nsec_t time_nsec)
{
	char text[32];

	if (time_nsec == NSEC_NEVER || time_nsec == NSEC_NONE)
		return NULL;
	return json_object_new_double_s(nsec_to_sec(time_nsec),
					nsec_format_seconds(text, sizeof(text), time_nsec));
}
