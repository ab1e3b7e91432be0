/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A program of the user's, which runs on a node in place of the built-in agent. */

#include <stdbool.h>
#include <stdint.h>

#include "src/util/nsec.h"

struct scenario_program {
	char **run;  /* its words, ended by NULL; NULL: there is no such program; owned */
	int line;    /* of the file that says so */
	char **env;  /* "NAME=VALUE" that it finds in its environment, ended by NULL; owned; or NULL
		      */
	char **take; /* files and folders that go along into a guest, likewise */
	bool has_user;		  /* it runs as `user`; else as who deadpeer is */
	uint32_t user;		  /* its user and group id */
	nsec_t start_within_nsec; /* so long it may take until its port is listened at, or it is
				   * connected */
};

/* What a program may take where nothing is said. */
#define SCENARIO_START_WITHIN (30 * NSEC_PER_SEC)

void scenario_program_deinit(struct scenario_program *program);
