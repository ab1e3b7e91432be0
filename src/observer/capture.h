/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Writes a pcap file with timestamps in nanoseconds, by libpcap. After a write that
 * fails or falls short (disk full) nothing more is written, and capture_check() returns
 * that failure.
 */

#include <stddef.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/nsec.h"

struct capture;

/* Makes or empties the file at `path`, for Ethernet frames. */
int capture_new(const char *path, struct capture **ret_capture, struct error *err);
/* Writes the buffered frames and closes the file. A caller that has to know whether this succeeds
 * calls capture_flush() and capture_check() before. */
struct capture *capture_free(struct capture *capture);
DEFINE_CLEANUP(struct capture *, capture_free)

/* Appends a frame. `time_nsec` is of CLOCK_REALTIME. The frame had `length` bytes, of which `frame`
 * has the first `captured`. */
void capture_write(struct capture *capture, nsec_t time_nsec, const void *frame, size_t captured,
		   size_t length);
/* Writes the buffered frames to the file. */
void capture_flush(struct capture *capture);
/* Returns 0, or the first failure since capture_new(), at each call. */
int capture_check(const struct capture *capture, struct error *err);
