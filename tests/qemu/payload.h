/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Small jobs for guests, one word a line; see jobs[] in payload.c.
 */
#include <stddef.h>
#include <stdio.h>

int payload_run(const void *job, size_t size, FILE *out, void *userdata);
