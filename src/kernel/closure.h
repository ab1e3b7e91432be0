/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The files of this machine that the user's programs need to run elsewhere: the program, its
 * dynamic loader and libraries or its interpreter, and all files of the Debian packages that these
 * belong to, with what those depend on. Documentation stays behind, as do files that not everybody
 * may read, unless they were named.
 *
 * Theory of operation. A file keeps its path, and each link on the way to it is kept too, so that
 * what is a link here ("/bin" into "/usr/bin") is one there. Packages are looked up once, when all
 * programs are known (closure_complete()).
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"

struct closure;

struct closure_entry {
	const char *path; /* absolute, without links on the way */
	struct stat st;	  /* S_ISREG, S_ISDIR or S_ISLNK */
	const char *link; /* where a link leads; else NULL */
};
typedef int closure_func(const struct closure_entry *entry, void *userdata, struct error *err);

int closure_new(struct closure **ret_closure, struct error *err);
struct closure *closure_free(struct closure *closure);
DEFINE_CLEANUP(struct closure *, closure_free)

/* Who runs what is added from here on, and where programs are searched that this user may run; who
 * calls, until this is said. */
void closure_set_user(struct closure *closure, uid_t user);

/* Adds what a command of these words (NULL ends them) needs: its program, searched in $PATH, and
 * each further word that names a file. Of what `sh -c` is told, each word that names a program.
 * Fails with ERROR_INPUT where there is no such program, or a library of it is missing. */
int closure_add_command(struct closure *closure, char *const *words, struct error *err);
/* Adds the dynamic loader and the libraries of a program, but nothing else of it. */
int closure_add_libraries(struct closure *closure, const char *path, struct error *err);
/* Adds a file, or a folder with all that is in it; a program with what it needs. Fails with
 * ERROR_INPUT where it is not there, or cannot be read. */
int closure_add_tree(struct closure *closure, const char *path, struct error *err);
/* Adds each program that a word of a shell's script names. */
int closure_add_script(struct closure *closure, const char *script, struct error *err);
/* Whether a program is a shell, which runs such scripts. */
bool closure_is_shell(const char *path);
/* Adds an installed package with what it depends on. ERROR_INPUT: there is none of that name. */
int closure_add_package(struct closure *closure, const char *name, struct error *err);
/* Adds a file or folder, and nothing that is in it or that it needs. */
int closure_add_alone(struct closure *closure, const char *path, struct error *err);

/* Adds the packages. Nothing may be added after it. */
int closure_complete(struct closure *closure, struct error *err);

/* Hands out each entry in the order of paths, up to the first failure, which it returns. */
int closure_visit(const struct closure *closure, closure_func *func, void *userdata,
		  struct error *err);
/* The bytes of all files. */
unsigned long long closure_size(const struct closure *closure);
