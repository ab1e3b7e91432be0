/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The kernels that the archive's packages make up. Up to 6.18 a kernel of Debian's is one package,
 * linux-image-RELEASE, which may be there signed and unsigned. Since 6.19 it is three:
 * linux-binary-RELEASE has the vmlinuz, linux-modules-RELEASE the modules, linux-base-RELEASE its
 * config and the list of what is built in. Of older kernels often only the first is left.
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/kernel/suites.h"
#include "src/util/names.h"

enum kernel_flavour {
	KERNEL_CLOUD, /* made for virtual machines: a third of the size */
	KERNEL_PLAIN,
	KERNEL_RT, /* PREEMPT_RT */
	_KERNEL_FLAVOUR_MAX,
};
DECLARE_NAMES(kernel_flavour, enum kernel_flavour) /* "cloud", "plain", "rt" */

#define CANDIDATE_PARTS_MAX 3

struct candidate {
	char *release;					  /* "6.1.0-56-cloud-amd64"; owned */
	enum kernel_flavour flavour;			  /* of the release */
	const struct suite *suite;			  /* not owned */
	const struct package *parts[CANDIDATE_PARTS_MAX]; /* not owned */
	size_t part_count;
	bool is_unsigned; /* Debian has not signed the kernel; its package is verified all the same
			   */
	char *missing;	  /* the package that has left the archive; owned; NULL: it is whole */
};

struct candidate_list {
	struct candidate *candidates; /* the newest first; owned */
	size_t count;
};

/* Finds all kernels of the suites, which have to stay unchanged as long as the list is there. */
int candidate_list_init(struct candidate_list *list, const struct suite_list *suites,
			struct error *err);
void candidate_list_deinit(struct candidate_list *list);

/* The bytes of all its packages. */
unsigned long long candidate_size(const struct candidate *candidate);

/* Writes the series of a release: "6.1" of "6.1.0-56-cloud-amd64". Returns `text`. */
#define SERIES_SIZE 16
char *kernel_series(const char *release, char text[SERIES_SIZE]);

enum kernel_flavour kernel_flavour_of(const char *release);
