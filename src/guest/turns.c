/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/turns.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/util/cleanup.h"

static const unsigned char library[] = {
#include "qemu-turns.inc"
};

int turns_open(int *ret_fd, struct error *err)
{
	_cleanup_(fd_closep) int fd = memfd_create("deadpeer-turns", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < sizeof(library)) {
		ssize_t n = write(fd, library + done, sizeof(library) - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (done < sizeof(library))
		return error_errno(err, -errno, "memfd_create");
	*ret_fd = take_fd(&fd);
	return 0;
}
