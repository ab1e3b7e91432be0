/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Kernel modules to take into a guest: found by name in a kernel's modules
 * folder, unpacked, with those they depend on before them. Dependencies are
 * read from the modules themselves: modules.dep is made at installation, which
 * fetched kernels never see.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/error.h"

struct module {
	char *name;    /* with underscores, as the kernel calls it */
	uint8_t *data; /* the ELF object */
	size_t size;   /* bytes */
};

struct module_file; /* a module that could be taken */

struct module_set {
	struct module_file *files; /* all there are, by name; owned */
	size_t file_count;
	char *builtin;		/* text of modules.builtin, owned */
	struct module *modules; /* those taken, in the order to insert them; owned */
	size_t count;
};

/* Looks what there is in `folder` (what /lib/modules/RELEASE has); NULL: nothing. */
int module_set_init(struct module_set *set, const char *folder, struct error *err);
void module_set_deinit(struct module_set *set);

/* Takes the module `name` and what it depends on. True in *ret_there when the kernel will have
 * it, as a module or built in. */
int module_set_add(struct module_set *set, const char *name, bool *ret_there, struct error *err);

/* The value of `field` in the .modinfo section of an ELF object, or NULL. It points into it. */
const char *module_info(const uint8_t *data, size_t size, const char *field);
