/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A running QEMU. It is started with the descriptors that it needs, and ends with this process. */

#include <sys/types.h>

#include "src/guest/machine.h"
#include "src/util/error.h"

struct guest_process {
	pid_t pid;	/* -1: there is none */
	int pid_fd;	/* readable when it has ended; the descriptors are owned */
	int console_fd; /* what the guest's console and QEMU say */
	int monitor_fd; /* QMP; -1 after its user has taken it over */
};

#define GUEST_PROCESS_NONE                                                                         \
	((struct guest_process){ .pid = -1, .pid_fd = -1, .console_fd = -1, .monitor_fd = -1 })

/* Starts QEMU. `run` need not have monitor_fd: it is made here. */
int guest_process_start(struct guest_process *process, const struct guest_image *image,
			const struct machine_run *run, struct error *err);
void guest_process_kill(const struct guest_process *process);
/* Waits for its end and closes the descriptors; returns the status of waitpid(). */
int guest_process_end(struct guest_process *process);

/* The processor time that it has used. */
int64_t guest_process_cpu_nsec(const struct guest_process *process);

/* Whether all of its threads sleep: none runs, or waits for a processor or a disk. */
bool guest_process_is_asleep(const struct guest_process *process);
