/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a user's own program may do to the machine, which is little. A scenario is code, perhaps
 * somebody else's. It runs as an ordinary user, without capabilities and without a way to get any;
 * the file system is there to read, and only its working folder is there to write.
 *
 * All of this is called in the process that becomes the program, or in the init above it.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "src/scenario/program.h"

/* The user that the program runs as. */
uid_t confinement_user(const struct scenario_program *program);

/* The same user as the calling process sees it, which may be above the program's user namespace. */
uid_t confinement_owner(const struct scenario_program *program);

/* In a mount namespace of the process's own: takes the right to write from all that is mounted but
 * `folder`, and puts empty folders in memory in the place of /tmp, /var/tmp and /run.
 * `folder` may be NULL. What is there of `names`, which end with NULL and need not be paths, the
 * program finds there all the same. Returns 0 or a negative errno. */
int confinement_mount(const char *folder, char *const *names);

/* Gives up for good what the program shall not have, before the process becomes its user. */
int confinement_give_up(const struct scenario_program *program);
/* The same with what the process still has after that. */
int confinement_finish(const struct scenario_program *program);
