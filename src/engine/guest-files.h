/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Files that a guest hands out: captures, and what programs wrote. It has no disk but the memory it
 * shares with the host, so each file becomes a line of the output, in which newlines and
 * backslashes are written as \n and \\.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "src/util/error.h"

/* The guest writes its files into this folder, which has no room for more. */
#define GUEST_FILES_FOLDER "/tmp/files"
#define GUEST_FILES_MIB	   64

/* In the guest: makes that folder. */
int guest_files_prepare(struct error *err);
/* In the guest: writes a line for each file in `folder`, by name. Fails and writes nothing if the
 * lines take more than `room` bytes, or if the folder is full, so that a file may be cut off. */
int guest_files_write(const char *folder, uint64_t room, FILE *out, struct error *err);

/* On the host: whether a line is a file's. */
bool guest_files_match(const char *line);
/* On the host: makes that file, which is a log if its name says so, in one of the folders. */
int guest_files_read(const char *line, size_t size, const char *captures, const char *logs,
		     struct error *err);
