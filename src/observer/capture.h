/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A pcap file with nanoseconds, written by libpcap. A write that fails or falls
 * short (disk full) is remembered, and capture_check() tells of it; nothing is written
 * after it.
 */

#include <stddef.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/nsec.h"

struct capture;

/* Makes or empties the file at `path`. Ethernet frames. */
int capture_new(const char *path, struct capture **ret_capture, struct error *err);
/* Writes what is buffered. To learn whether that went well, flush and check before. */
struct capture *capture_free(struct capture *capture);
DEFINE_CLEANUP(struct capture *, capture_free)

/* `time_nsec` is of CLOCK_REALTIME; `captured` of the `length` bytes are there. */
void capture_write(struct capture *capture, nsec_t time_nsec, const void *frame, size_t captured,
		   size_t length);
void capture_flush(struct capture *capture);
/* 0, or the first failure since capture_new(), each time it is asked. */
int capture_check(const struct capture *capture, struct error *err);
