/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a user's own command finds around itself: words and variables that tell where it is, the
 * names of the other hosts, and a /proc and a /sys of its own. All of this is called in the process
 * that becomes the command, or in the init above it: what is allocated here is never freed.
 */

#include "src/agent/spec.h"

/* Gives the process a mount namespace, in which /proc, /sys and /etc/hosts are those of its host.
 * Where that is not allowed, those of the machine stay. A program that brings files along finds
 * them in a working folder of its own, in memory; returns a negative errno where that cannot be. */
int surroundings_mount(const struct agent_spec *spec);

/* Goes to that folder, if there is one. Returns 0 or a negative errno. */
int surroundings_enter(const struct agent_spec *spec);

/* Returns the words, ended by NULL, with "{server}", "{port}" and the like replaced by what they
 * stand for; NULL without memory. */
char **surroundings_expand(const struct agent_spec *spec, char *const *words);

/* Makes the environment anew: PATH, what the program wants passed on, DEADPEER_SERVER,
 * DEADPEER_PORT and the like, and its `env`. Returns 0 or a negative errno. */
int surroundings_set_environment(const struct agent_spec *spec);
