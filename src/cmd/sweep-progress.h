/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The line that a terminal shows while a study is swept. */

#include "src/study/sweep.h"

/* Writes "[######--------------] 312 of 1000 done, 2 failed, 96/s, 412 h virtual, 7 s left".
 * `virtual_time` says that the engine runs trials in virtual time. Returns `buffer`; 160 bytes are
 * enough. */
char *sweep_progress_format(const struct sweep_counts *counts, bool virtual_time, char *buffer,
			    size_t size);
