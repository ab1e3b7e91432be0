/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Debian's package client, as a downloader that verifies. It is run with a state of its
 * own, so that neither the machine's lists, packages and preferences count, nor root is
 * needed, nor anything of the machine's is changed. Its configuration does count, because a
 * proxy may stand there.
 */

#include <stdbool.h>

#include "src/util/error.h"

#define APT_DIGITS_SIZE 65 /* bytes: a SHA-256 as text, and the end */

#define APT_ARCHITECTURE "amd64" /* what Debian calls that of all guests */

/* Where packages come from. */
struct apt_mirrors {
	char *main;	/* "http://deb.debian.org/debian"; owned */
	char *security; /* "http://deb.debian.org/debian-security"; owned */
};

/* Finds the mirrors that this machine's own apt uses. With `mirror` that one is taken, and
 * MIRROR-security beside it. */
int apt_mirrors_init(struct apt_mirrors *mirrors, const char *mirror, struct error *err);
void apt_mirrors_deinit(struct apt_mirrors *mirrors);

struct apt_suite {
	const char *name;   /* "trixie-backports"; not owned, like all here */
	const char *mirror; /* its address */
	const char *keyring;
	bool progress; /* a line for a terminal goes to standard error if it takes long */
};

/* Loads and verifies the list of packages of a suite. *ret_path, which the caller frees, is the
 * path of the list in the folder `folder`, which must be there and empty. -ENODATA: the mirror has
 * no such suite; -ENOKEY, -ESTALE: it is there, but cannot be verified, or has expired. */
int apt_load(const struct apt_suite *suite, const char *folder, char **ret_path, struct error *err);

struct apt_file {
	const char *url;	 /* not owned, like all here */
	const char *name;	 /* what a person is told */
	const char *sha256;	 /* what it has to be */
	unsigned long long size; /* bytes */
	bool progress;		 /* lines for a terminal go to standard error if it takes long */
};

/* Downloads a file to `path`, goes on where an earlier download was cut off, and verifies it.
 * -ENODATA: the mirror does not have it. */
int apt_download(const struct apt_file *file, const char *path, struct error *err);
