/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * test-inside runs programs of this machine inside a guest. The job is a tree of
 * files. The guest unpacks the tree and runs one program of it. The output of the
 * program comes back line by line, and its exit status at the end.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define INSIDE_TIMED_OUT 124 /* the exit status that timeout(1) has too */

/* A job is this header and the files. Each file is a struct inside_file, the path with its
 * terminator, and the content, which for a link is its target. */
struct inside_job {
	char program[256];    /* a path in the guest */
	uint64_t timeout_sec; /* in the guest's time */
	uint64_t size;	      /* bytes of the files that follow */
};

struct inside_file {
	uint32_t mode; /* st_mode: a folder, a file or a symbolic link */
	uint32_t path_size;
	uint64_t size;
};

/* Runs the job in the guest. guest_init_main() calls this function. */
int inside_run(const void *job, size_t size, FILE *out, void *userdata);
