/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Kernels out of Debian's archive, without root and without installing them. */

#include <stdbool.h>

#include "src/kernel/candidates.h"
#include "src/kernel/kernel.h"

struct fetch_options {
	const char *suite;	     /* only from this one; NULL: from any */
	const char *mirror;	     /* its address; NULL: the machine's */
	const char *keyring;	     /* a file of keys; NULL: Debian's */
	enum kernel_flavour flavour; /* of those that the name does not say */
	bool refresh;		     /* ask the archive anew, even for what is at hand */
	bool progress;		     /* lines for a terminal go to standard error */
};

/* Brings the newest kernel that `name` matches into the user's cache; NULL: the newest of all. One
 * that is at hand and whole is taken without asking anybody, unless there is something to ask: no
 * name, a suite, or `refresh`. */
int kernel_fetch(const char *name, const struct fetch_options *options, struct kernel *ret,
		 struct error *err);

/* What the archive has. */
struct archive_kernels {
	struct suite_list suites;
	struct candidate_list list;
};

/* Finds all kernels of all suites, or of the one in `options`. */
int archive_kernels_init(struct archive_kernels *archive, const struct fetch_options *options,
			 struct error *err);
void archive_kernels_deinit(struct archive_kernels *archive);
