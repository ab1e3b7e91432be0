/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The tests of guests run small jobs in a guest. Each word of the job's text is the
 * name of a function in jobs[] of payload.c.
 */
#include <stddef.h>
#include <stdio.h>

int payload_run(const void *job, size_t size, FILE *out, void *userdata);
