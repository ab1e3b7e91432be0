/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The library that makes QEMU's threads take turns (src/guest/qemu-turns.c), which is
 * part of this program, as a file that can be loaded.
 */

#include "src/util/error.h"

/* Opens the library, which can be loaded as /proc/self/fd/N. The caller owns *ret_fd, which is
 * close-on-exec. */
int turns_open(int *ret_fd, struct error *err);
