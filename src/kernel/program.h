/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a program file asks for: its dynamic loader and libraries, or its interpreter. */

#include <stddef.h>

#include "src/util/error.h"

struct program_library {
	char *path;   /* on this machine; owned */
	char *target; /* where it is to lie in a guest, if elsewhere; owned, for the user to set */
};

struct program {
	const char *path; /* not owned */
	char *loader;	  /* the dynamic loader that it asks for, owned; NULL: static,
			   * or no ELF file */
	struct program_library *libraries; /* all that it links, directly or not; owned */
	size_t count;			   /* of libraries */
	char *interpreter;		   /* the line behind "#!", owned; NULL: none */
};

/* Fails with ERROR_INPUT where `path` cannot be read or a library is missing. Runs the loader, not
 * the program. */
int program_init(struct program *program, const char *path, struct error *err);
void program_deinit(struct program *program);
