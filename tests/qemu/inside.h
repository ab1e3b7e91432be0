/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Programs of this machine run inside a guest: a tree of files goes in as the
 * job, the guest lays it out and runs one program of it as a machine would,
 * what that prints comes back line by line, and its exit status at the end.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define INSIDE_TIMED_OUT 124 /* as timeout(1) */

/* The job: this header and then the files, each a struct inside_file, its path with the
 * terminator, and its content (a link's target). */
struct inside_job {
	char program[256];    /* path in the guest */
	uint64_t timeout_sec; /* of its time */
	uint64_t size;	      /* of the files that follow, bytes */
};

struct inside_file {
	uint32_t mode; /* st_mode: a folder, a file or a symbolic link */
	uint32_t path_size;
	uint64_t size;
};

/* The guest's side, for guest_init_main(). */
int inside_run(const void *job, size_t size, FILE *out, void *userdata);
