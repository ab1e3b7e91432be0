/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Guests: stock kernels under QEMU in virtual time, each of which runs this very
 * program as its first process, does one job and sends lines back. A guest does not
 * know what its job is; its own side is in init.h.
 *
 * Theory of operation. QEMU emulates the guest's one processor (TCG) with
 * `-icount shift=1,sleep=off`: each instruction takes 2 ns of the guest's time, and
 * when the guest has nothing to do the clock jumps to its next timer. So two hours of
 * waiting cost half a second, and a guest never knows how busy the host is.
 *
 * The job goes in, and lines come out, through memory that the host and the guest
 * share (window.h), so that no trial waits for the host's input or output. The guest
 * boots up to the snapshot point and stops there. A snapshot of that state is kept in
 * the user's cache, under a name made of everything that it depends on (prepare.h);
 * guests restored from it and guests that have just booted go on from the same state.
 * machine.c has one table of all that names an architecture.
 *
 * The same job gives the same lines because a guest has one virtual processor, a fixed
 * `shift`, no input from the host while a trial runs, random numbers that follow from
 * the seed alone, a job that starts at a fixed guest time, and because QEMU's main loop
 * and its virtual processor take turns. The last does not come with QEMU (7.2): its main
 * loop wakes itself once more after it has moved the clock. If the processor halts just
 * then, the main loop moves the clock again from a stale count of instructions, by 1 to
 * 30 microseconds, in one of some thousand wake-ups on a busy host. The library
 * qemu-turns.c, which is loaded into QEMU by LD_PRELOAD, makes the one wait for the
 * other, and keeps both on one host processor while the guest does little.
 *
 * What it costs. Waking an idle guest costs the host as much as a packet does: init.c
 * and the kernel's arguments in machine.c say what is switched off, and why. Switching
 * from one process to another costs more than its instructions, because QEMU knows
 * neither global pages nor PCIDs and has to find all translations again after a write
 * to CR3.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/guest/image.h"
#include "src/guest/snapshot.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/loop.h"
#include "src/util/nsec.h"

struct guest;

/* Gets a line that the guest wrote: terminated, without its newline. */
typedef void (*guest_line_func)(void *userdata, const char *line, size_t size);
/* Is called once, after the last line: `status` is what the job returned, or `err`, if not NULL,
 * says why it returned nothing. It may free the guest. */
typedef void (*guest_end_func)(void *userdata, int status, const struct error *err);

struct guest_config {
	const void *job; /* copied */
	size_t job_size; /* bytes */
	uint64_t seed;	 /* of the guest kernel's random numbers */
	/* The job until it is ready (guest_init_ready()), with 0 for its seed, so that many jobs
	 * may have the same beginning; NULL: it is the same all the time. Copied, as what follows.
	 */
	const void *setup;
	size_t setup_size;
	/* Where the state of the guest is kept then: the path of a snapshot whose name is made of
	 * all that the state depends on. NULL: nowhere. */
	const char *ready;
	/* The guest is given up after so long without any progress, if it used a processor for half
	 * of it, or after five times as long; 0: two minutes. */
	nsec_t stall_nsec;
	guest_line_func line; /* called with `userdata`, as `end` */
	guest_end_func end;
	void *userdata;
};

/* Starts a guest. `image` must outlive it. If this fails, `end` is not called. */
int guest_new(struct loop *loop, struct guest_image *image, const struct guest_config *config,
	      struct guest **ret_guest, struct error *err);
/* Ends QEMU if it still runs; then `end` is not called. */
struct guest *guest_free(struct guest *guest);
DEFINE_CLEANUP(struct guest *, guest_free)

/* Runs a guest up to the snapshot point, and writes its state to `snapshot`. Runs a loop of its
 * own. */
int guest_save(struct guest_image *image, const struct guest_snapshot *snapshot, struct error *err);
