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
	char *name;    /* with underscores, as the kernel calls it; owned */
	uint8_t *data; /* the ELF object; owned */
	size_t size;   /* bytes */
};

struct module_file; /* A file of a module. */

struct module_set {
	struct module_file *files; /* all in the folder, sorted by name; owned */
	size_t file_count;
	char *builtin;		/* the text of modules.builtin, owned; NULL: there is none */
	struct module *modules; /* those that are taken, in the order to insert them; owned */
	size_t count;		/* of modules */
};

/* Finds the modules in `folder`, which looks like /lib/modules/RELEASE; NULL: there are none. */
int module_set_init(struct module_set *set, const char *folder, struct error *err);
void module_set_deinit(struct module_set *set);

/* Returns whether there is a file of the module, or it is known to be built in. */
bool module_set_has(const struct module_set *set, const char *name);

/* Takes the module `name` and those that it depends on. *ret_there is true when the kernel will
 * have it, as a module or built in. */
int module_set_add(struct module_set *set, const char *name, bool *ret_there, struct error *err);

/* Returns the value of `field` in the .modinfo section of an ELF object, as a pointer into `data`,
 * or NULL when there is no such field. */
const char *module_info(const uint8_t *data, size_t size, const char *field);
