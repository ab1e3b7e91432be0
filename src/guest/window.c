/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/window.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/util/cleanup.h"

int guest_window_new(struct guest_window **ret_window, int *ret_fd, struct error *err)
{
	_cleanup_(fd_closep) int fd = memfd_create("deadpeer-window", MFD_CLOEXEC);
	struct guest_window *window;

	if (fd < 0 || ftruncate(fd, GUEST_WINDOW_SIZE) < 0)
		return error_errno(err, -errno, "memfd_create");
	window = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (window == MAP_FAILED)
		return error_errno(err, -errno, "mmap");
	window->magic = GUEST_WINDOW_MAGIC;
	window->version = GUEST_WINDOW_VERSION;
	*ret_window = window;
	*ret_fd = take_fd(&fd);
	return 0;
}

void guest_window_write_job(struct guest_window *window, const void *job, size_t size,
			    uint64_t seed)
{
	window->seed = seed;
	window->job_size = size;
	window->output_offset = GUEST_WINDOW_JOB + ((size + 4095) & ~(size_t)4095);
	window->output_size = GUEST_WINDOW_SIZE - window->output_offset;
	if (size)
		memcpy((char *)window + GUEST_WINDOW_JOB, job, size);
}
