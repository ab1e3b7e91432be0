/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/processors.h"

#include <unistd.h>

unsigned int processors_online(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (unsigned int)n;
}
