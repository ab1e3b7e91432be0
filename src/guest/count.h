/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The instructions that guests execute, for the benchmarks: they do not depend on the machine, nor
 * on how busy it is. If DEADPEER_INSTRUCTIONS names a file, each guest adds a line to it, the
 * number of instructions from the snapshot point, or the snapshot that it was restored from, to the
 * end of its job. QEMU counts them anyway, because they are the guest's clock, and tells the number
 * of a machine that stands still (query-replay). So a guest that is counted stops once more, when
 * its job has ended: what it measures stays the same.
 */

#include <stdint.h>

#include "src/guest/qmp.h"

struct guest_count {
	const char *path; /* of the file; NULL: the guest is not counted */
	int64_t begin;	  /* the number at the beginning, or -1: not known yet */
};

/* Reads the environment. */
struct guest_count guest_count_new(void);
/* Asks for the number of instructions, at the beginning and at the end. */
void guest_count_ask(const struct guest_count *count, struct qmp *qmp);
/* Takes the answer; the second one is the end, and is written. */
void guest_count_take(struct guest_count *count, int64_t instructions);
