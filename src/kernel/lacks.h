/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a kernel lacks for trials, told before one runs. It is looked up in the kernel's config, as
 * a file beside it or as CONFIG_IKCONFIG has put it into the kernel itself, and among its modules.
 */

#include "src/kernel/kernel.h"

/* Hears of each thing that a kernel lacks and some trials need: "CONFIG_BRIDGE (path: switched)".
 */
typedef void (*kernel_lacks_func)(const struct kernel *kernel, const char *text);

/* Fails with ERROR_INPUT if the kernel lacks what every trial needs, and tells the rest. */
int kernel_lacks(const struct kernel *kernel, kernel_lacks_func tell, struct error *err);

/* Returns the kernel's config, which the caller frees; NULL: it is not known. */
char *kernel_config(const struct kernel *kernel);
