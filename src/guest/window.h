/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The window: memory that a guest and this process share, outside what the
 * guest's kernel takes for its own. The job lies in it before the guest runs;
 * what the guest writes can be read on the host at once. Neither side waits for the
 * other, so that the guest's time never depends on this machine's.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/error.h"

#define GUEST_WINDOW_MAGIC   UINT64_C(0x7265657064616564) /* "deadpeer" */
#define GUEST_WINDOW_VERSION 3
#define GUEST_WINDOW_SIZE    (64u << 20) /* bytes; only what is touched takes memory */
#define GUEST_WINDOW_JOB     4096u	 /* offset of the job; the output comes after it */
#define GUEST_WINDOW_OUTPUT  (16u << 20) /* bytes that a job leaves for the output at least */

enum guest_state {
	GUEST_STATE_NONE,    /* not yet in user space */
	GUEST_STATE_READY,   /* booted; here the snapshot is taken */
	GUEST_STATE_RUNNING, /* has read its job */
	GUEST_STATE_WAITING, /* the job is ready; another snapshot may be taken, and the job change
			      */
	GUEST_STATE_ENDED,   /* its output and its status are whole */
	GUEST_STATE_FAILED,  /* its output is whole, but the job failed, and `failure` says why */
};

struct guest_window {
	/* The host writes these. */
	uint64_t magic;		/* GUEST_WINDOW_MAGIC: there is a job */
	uint64_t version;	/* GUEST_WINDOW_VERSION */
	uint64_t job_size;	/* bytes */
	uint64_t output_offset; /* where the output starts in the window */
	uint64_t output_size;	/* room for it, bytes */
	uint64_t seed;		/* for the guest kernel's random numbers */
	uint64_t counted;	/* not 0: stop at the end, so that QEMU can be asked (count.h) */
	/* The guest writes these. */
	_Atomic uint64_t state;	      /* enum guest_state */
	_Atomic uint64_t output_used; /* bytes written and whole */
	_Atomic uint64_t progress;    /* any change means that it is getting on */
	int64_t status;		      /* what the job's function returned */
	char failure[512];	      /* one line */
};

/* The host's side: makes a window, which is also a file for QEMU, and puts a job into it. The
 * caller unmaps the one and closes the other. */
int guest_window_new(struct guest_window **ret_window, int *ret_fd, struct error *err);
void guest_window_write_job(struct guest_window *window, const void *job, size_t size,
			    uint64_t seed);
