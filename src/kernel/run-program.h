/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Runs another program to its end and keeps its output. */

#include <sys/types.h>

#include "src/util/error.h"

struct command {
	const char *const *argv;  /* argv[0] is searched in $PATH; NULL ends it; not owned */
	const char *folder;	  /* its working folder, not owned; NULL: that of this process */
	void (*tick)(void *data); /* called four times a second while it runs, or NULL */
	void *tick_data;	  /* for tick; not owned */
};

struct run_program_result {
	int status;   /* as from waitpid() */
	char *output; /* standard output, never NULL; freed by run_program_result_deinit() */
	char *errors; /* standard error, never NULL; freed likewise */
};

/* Runs the program in the locale C. Fails with ERROR_CAPABILITY when there is no such program. If
 * it ends badly, that is a result and no failure. */
int run_program(const struct command *command, struct run_program_result *ret, struct error *err);
void run_program_result_deinit(struct run_program_result *result);

/* Returns the path of the program `name`, searched in $PATH, which the caller frees, or NULL when
 * there is none. */
char *run_program_find(const char *name);
/* The same for a program that another user is to run: what lies where that user may not get is
 * passed over. Groups do not count. */
char *run_program_find_as(const char *name, uid_t user);
