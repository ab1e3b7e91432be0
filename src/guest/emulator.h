/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The QEMU of this machine: where it is, and which version. */

#include <stdbool.h>

#include "src/util/error.h"

struct machine;

struct emulator {
	const struct machine *machine; /* what it plays */
	char *path;		       /* of the program; owned */
	char *version;		       /* "7.2.22", as the program says it; owned */
};

/* Fails with ERROR_CAPABILITY if there is none. The caller calls emulator_deinit() after success.
 */
int emulator_find(struct emulator *ret, struct error *err);
void emulator_deinit(struct emulator *emulator);

/* Takes the version out of what QEMU prints with --version. Returns NULL without memory, or if
 * there is none. */
char *emulator_version_in(const char *text);

/* Whether a version is that of this release or of a later one. */
bool emulator_is_since(const char *version, unsigned major, unsigned minor);
