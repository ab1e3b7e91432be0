/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A program of the user's, which runs on a host in place of the built-in agent. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/nsec.h"

/* How a program on one host is known to be ready, so that the next one starts. */
enum ready_kind {
	READY_PORT,	/* something listens at a port of the host */
	READY_OUTPUT,	/* it has written a line with a text in it */
	READY_COMMAND,	/* another command succeeds on the same host */
	READY_STARTED,	/* it runs */
	READY_FINISHED, /* it has ended with status 0 */
	_READY_MAX,
};

struct scenario_ready {
	enum ready_kind kind;
	uint64_t port;	/* PORT; 0: that of the host */
	char *output;	/* OUTPUT; owned */
	char **command; /* COMMAND: its words, ended by NULL; owned */
};

/* A file that the scenario brings along. */
struct scenario_file {
	char *name; /* relative to the program's working folder; owned */
	char *text; /* what is in it; owned */
};

struct scenario_program {
	char *name;  /* by which events and output know it: none on its host has the same; owned */
	char **run;  /* its words, ended by NULL; owned */
	int line;    /* of the file that says so */
	char **env;  /* "NAME=VALUE" that it finds in its environment, ended by NULL; owned; or NULL
		      */
	char **pass; /* names of variables that it finds as deadpeer does, likewise */
	char **take; /* files and folders that go along into a guest, likewise */
	char *folder;		     /* where it runs; NULL: where deadpeer does; owned */
	struct scenario_file *files; /* owned */
	size_t n_files;
	bool has_user; /* it runs as `user`; else as who deadpeer is */
	uint32_t user; /* its user and group id */
	struct scenario_ready ready;
	nsec_t start_within_nsec; /* so long it may take until it is ready, or connected */
};

/* What a program may take where nothing is said. */
#define SCENARIO_START_WITHIN (30 * NSEC_PER_SEC)
/* How many programs a host may have. */
#define SCENARIO_PROGRAMS_MAX 8

/* The file of the program's that a word of a command names, "./start.sh"; NULL: none. */
const struct scenario_file *scenario_program_file(const struct scenario_program *program,
						  const char *word);
void scenario_program_deinit(struct scenario_program *program);
