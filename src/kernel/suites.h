/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which packages of kernels the suites of Debian's archive have. Each suite's list is loaded by
 * apt, and what it says of kernels is kept in the cache as an index of some kilobytes, for a
 * day; the list itself, 20 to 65 MB, is not kept.
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/kernel/apt.h"
#include "src/util/error.h"

struct package {
	char *name;		 /* "linux-image-6.1.0-56-cloud-amd64-unsigned"; owned */
	char *version;		 /* "6.1.192-2"; owned */
	char *file;		 /* where it is on the mirror: "pool/main/l/..."; owned */
	unsigned long long size; /* bytes */
	char sha256[APT_DIGITS_SIZE];
};

struct suite {
	char *name;		  /* "trixie-backports"; owned */
	char *mirror;		  /* its address; owned */
	struct package *packages; /* of kernels for this machine; owned */
	size_t count;		  /* of packages */
	bool fresh;		  /* loaded by this process */
	char *absent;		  /* why there is none; owned; NULL: it is there */
	bool failed;		  /* it may be there, but could not be loaded or verified */
};

struct suite_list {
	struct suite *suites; /* owned */
	size_t count;
};

/* Where suites come from, and how. */
struct suites_source {
	struct apt_mirrors mirrors; /* owned */
	char *keyring;		    /* the path of Debian's keys; owned */
	bool refresh;		    /* load all anew */
	bool progress;		    /* lines for a terminal go to standard error */
};

/* `mirror` and `keyring` may be NULL: those of the machine. */
int suites_source_init(struct suites_source *source, const char *mirror, const char *keyring,
		       struct error *err);
void suites_source_deinit(struct suites_source *source);

enum suite_extent {
	SUITES_SMALL, /* those of security updates and backports, each loaded in a second */
	SUITES_ALL,   /* whole releases too, each loaded in four */
};

/* Adds the suites that the archive may have to the list, but for those that it has already. A
 * suite that the mirror lacks, or that cannot be verified, has a reason in `absent`. It is an error
 * if none can be loaded. */
int suites_add_all(struct suite_list *list, const struct suites_source *source,
		   enum suite_extent extent, struct error *err);
/* Adds what is known of suites without asking anybody, however old. */
int suites_add_cached(struct suite_list *list, struct error *err);
/* Adds one suite. Fails with ERROR_INPUT if the mirror lacks it. */
int suites_add(struct suite_list *list, const struct suites_source *source, const char *name,
	       struct error *err);
/* Loads the suite again, unless this process has loaded it. Returns whether it was loaded. */
int suite_reload(struct suite *suite, const struct suites_source *source, struct error *err);
void suite_list_deinit(struct suite_list *list);
