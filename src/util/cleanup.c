/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/cleanup.h"

#include <errno.h>

int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}
