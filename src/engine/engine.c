/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/engine.h"

#include <string.h>

const struct engine *const engines[] = { &engine_host, &engine_qemu, NULL };

const struct engine *engine_from_name(const char *name)
{
	for (size_t i = 0; engines[i]; i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}

const char *engine_names(void)
{
	return "host, qemu";
}
