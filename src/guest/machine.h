/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The machine that QEMU plays: everything that names an architecture, in one
 * table, and the command line made from it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/guest/image.h"
#include "src/util/error.h"

struct machine {
	const char *name;	 /* the architecture, as uname(2) calls it */
	const char *program;	 /* the QEMU that plays it */
	const char *package;	 /* Debian's package that has this program */
	const char *type;	 /* -M; %u is the guest's memory in MiB */
	const char *cpu;	 /* -cpu */
	const char *console;	 /* the kernel's name of the first serial port */
	const char *arguments;	 /* of its kernels only; %u is the guest's memory in MiB */
	uint64_t window_address; /* physical */
	/* I/O ports. */
	unsigned stop_port;	/* 1 written here stops the machine before the next instruction */
	unsigned exit_port;	/* anything written here ends QEMU */
	const char *devices[4]; /* more QEMU options: "-device", ... */
};

/* Finds the row of this machine's architecture. Fails with ERROR_CAPABILITY if there is none. */
int machine_find(const struct machine **ret, struct error *err);

/* What one guest has besides its image. The descriptors stay the caller's. */
struct machine_run {
	int memory_fd;	    /* file that is the guest's memory, or -1: anonymous */
	bool memory_shared; /* write through to that file */
	int window_fd;	    /* file that is the window */
	int load_fd;	    /* file of a state that is to be loaded, or -1 */
	int save_fd;	    /* file that a state may be saved to, or -1 */
	int monitor_fd;	    /* socket that QMP is spoken over */
	bool incoming;	    /* wait for a state to be loaded */
};

/* The command line, for execv(), to be freed by strings_free(). NULL without memory. */
char **machine_arguments(const struct guest_image *image, const struct machine_run *run);
