/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Guests: stock kernels under QEMU in virtual time, each of which runs this
 * very program as its first process, does one job and sends lines back.
 * What the job is, guests do not know; see init.h for their side.
 *
 * Theory of operation. QEMU's TCG runs with `-icount shift=1,sleep=off`: each instruction takes
 * 2 ns, and the clock jumps over the time in which the guest is idle. The job goes in and lines
 * come out through shared memory (window.h), so that no trial waits for the host's I/O. A snapshot
 * of the booted guest is kept in the user's cache (image.h), under a name that is made of all that
 * it depends on. machine.c has one table for everything that names an architecture.
 *
 * The same job gives the same bytes, because a guest has one virtual processor and a fixed
 * `shift`, gets no input from the host while a job runs, takes its random numbers from the seed
 * alone, and starts its job at a fixed guest time; and because QEMU's main loop and its virtual
 * processor take turns. QEMU (7.2) does not see to the last: its main loop wakes itself once more
 * after it has moved the clock, and if the processor halts at that moment the main loop moves the
 * clock again, from an instruction count that is out of date. On a busy host this happened in one
 * of some thousand wake-ups, and times differed by 1 to 30 microseconds between two runs.
 * qemu-turns.c is loaded into QEMU by LD_PRELOAD. It makes the one wait for the other, and keeps
 * both on one host processor while the guest does little.
 *
 * What wakes an idle guest costs as much as a packet does. init.c and the kernel's arguments in
 * machine.c say what is switched off, and why. Switches from one process to another cost the host
 * more than their instructions, since QEMU knows neither global pages nor PCIDs and has to find
 * all translations again after each write to CR3.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/kernel/kernel.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/loop.h"
#include "src/util/nsec.h"

#define GUEST_MEMORY_MIB_MIN 192
#define GUEST_MEMORY_MIB_MAX 3072 /* what lies below 4 GiB on x86; use more guests */

struct guest_image; /* a kernel, what it starts with, and a snapshot: any number of guests */
struct guest;

struct guest_image_config {
	const struct kernel *kernel;
	unsigned memory_mib; /* of each guest; 0: the least. Rounded up to keep snapshots few */
	bool no_snapshot;    /* boot every guest from the start */
	const char *program; /* path of process 1; NULL: this very program */
	const char *prepare; /* a word for what process 1 prepares (init.h), or NULL */
	bool untracked;	     /* without connection tracking, which wakes an idle guest */
};

/* Makes what is not in the cache yet: seconds the first time for a kernel and program, else
 * milliseconds. Runs a loop of its own. */
int guest_image_new(const struct guest_image_config *config, struct guest_image **ret_image,
		    struct error *err);
struct guest_image *guest_image_free(struct guest_image *image);
DEFINE_CLEANUP(struct guest_image *, guest_image_free)

/* A line that the guest wrote, without its newline, terminated. */
typedef void (*guest_line_func)(void *userdata, const char *line, size_t size);
/* The end, once, after the last line: `status` is what the job returned; or `err`, not NULL,
 * says why there is none. The guest may be freed here. */
typedef void (*guest_end_func)(void *userdata, int status, const struct error *err);

struct guest_config {
	const void *job; /* copied */
	size_t job_size;
	uint64_t seed;	   /* of the guest kernel's random numbers */
	nsec_t stall_nsec; /* give up after so long without any progress; 0: two minutes */
	guest_line_func line;
	guest_end_func end;
	void *userdata;
};

/* Starts a guest. `image` must outlive it. Failing here, `end` is not called. */
int guest_new(struct loop *loop, struct guest_image *image, const struct guest_config *config,
	      struct guest **ret_guest, struct error *err);
/* Ends QEMU if it runs still; `end` is not called then. */
struct guest *guest_free(struct guest *guest);
DEFINE_CLEANUP(struct guest *, guest_free)
