/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Kernels to boot: those that kernel_fetch() and kernel_add() brought into the user's
 * cache, those of this machine's /boot, or any vmlinuz the user names.
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"

enum kernel_origin {
	KERNEL_FETCHED, /* in the user's cache, from Debian's archive */
	KERNEL_ADDED,	/* in the user's cache, from elsewhere */
	KERNEL_MACHINE, /* under /boot */
	KERNEL_PATH,	/* a file the user named */
	_KERNEL_ORIGIN_MAX,
};

/* The file in the folder of a kernel that was added which says its release. */
#define KERNEL_MARK "release"

struct kernel {
	char *name;    /* what it is called here: its release, or as it was named; owned */
	char *release; /* "6.1.0-56-cloud-amd64", as uname -r shows it; owned */
	char *image;   /* the path of the vmlinuz; owned */
	char *modules; /* the folder with modules.builtin and kernel/, owned; NULL: it has none */
	enum kernel_origin origin;
};

struct kernel_list {
	struct kernel *kernels; /* the newest first; owned */
	size_t count;
};

const char *kernel_origin_name(enum kernel_origin origin);

/* Compares two releases as people do, with runs of digits by value. Returns -1, 0 or 1. */
int kernel_release_compare(const char *a, const char *b);

/* Returns whether `name` is `release` or a prefix of it that ends where a part of the version does:
 * "6.1" is a name of 6.1.0-56, not of 6.12.1. */
bool kernel_name_matches(const char *name, const char *release);

/* Finds all kernels that are at hand: those in the cache and those in /boot. */
int kernel_list_init(struct kernel_list *list, struct error *err);
void kernel_list_deinit(struct kernel_list *list);

/* Finds the kernel that `name` means: a name, a prefix of just one name at hand, or the
 * path of a vmlinuz, whose modules are in the folder `modules` (NULL: it has none). A `name` of
 * NULL means the newest at hand. The text of an error names the kernels that are at hand. */
int kernel_find(const char *name, const char *modules, struct kernel *ret, struct error *err);
void kernel_deinit(struct kernel *kernel);

/* Fails if the kernel was fetched and is no longer whole; the error has the remedy. */
int kernel_check(const struct kernel *kernel, struct error *err);
