/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Runs another program to its end and keeps what it said.
 */

#include "src/util/error.h"

struct command {
	const char *const *argv;  /* argv[0] is searched in $PATH; NULL ends it */
	const char *folder;	  /* where it runs, or NULL: here */
	void (*tick)(void *data); /* called four times a second while it runs, or NULL */
	void *tick_data;
};

struct run_program_result {
	int status;   /* as from waitpid() */
	char *output; /* standard output, never NULL; freed by run_program_result_deinit() */
	char *errors; /* standard error, never NULL; freed likewise */
};

/* Fails with ERROR_CAPABILITY when there is no such program; a program that ends badly is a
 * result. The locale is C. */
int run_program(const struct command *command, struct run_program_result *ret, struct error *err);
void run_program_result_deinit(struct run_program_result *result);

/* Where `name` is in $PATH; to be freed. NULL when it is nowhere. */
char *run_program_find(const char *name);
