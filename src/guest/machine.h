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
	const char *name;	 /* as uname(2) says */
	const char *program;	 /* QEMU's */
	const char *package;	 /* Debian's, that has it */
	const char *type;	 /* -M; %u is the guest's memory in MiB */
	const char *cpu;	 /* -cpu */
	const char *console;	 /* the kernel's name of the first serial port */
	const char *arguments;	 /* for this kind of machine's kernel only */
	uint64_t window_address; /* where the window starts; 0: right after the memory */
	uint64_t memory_address; /* where the guest's memory starts */
	/* x86 I/O ports; 0: the machine has none, and the kernel powers it off. */
	unsigned stop_port;	/* 1 written here stops the machine before the next instruction */
	unsigned exit_port;	/* anything written here ends QEMU */
	const char *devices[4]; /* more QEMU options: "-device", ... */
};

/* This machine's row. Fails with ERROR_CAPABILITY where there is none. */
int machine_find(const struct machine **ret, struct error *err);

/* What one guest has besides its image. The descriptors stay the caller's. */
struct machine_run {
	int memory_fd;	    /* file that is the guest's memory, or -1: anonymous */
	bool memory_shared; /* write through to that file */
	int window_fd;	    /* file that is the window */
	int monitor_fd;	    /* socket that QMP is spoken over */
	bool incoming;	    /* wait for a state to be loaded */
};

/* The command line, for execv(), to be freed by strings_free(). NULL without memory. */
char **machine_arguments(const struct guest_image *image, const struct machine_run *run);
