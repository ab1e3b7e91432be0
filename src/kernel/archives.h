/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * libarchive, loaded when it is first needed. It brings libxml2 and ICU along,
 * 35 MB that would otherwise be part of every guest's memory and of the start
 * of every command.
 */

#include <archive.h>
#include <archive_entry.h>

#include "src/util/error.h"

/* Loads the library, or fails with ERROR_CAPABILITY when it is not there. It has to be called
 * before any of the functions below, which are libarchive's own with "lib_" in front of their
 * names. */
int archives_load(struct error *err);

#define ARCHIVE_FUNCTIONS(X)                                                                       \
	X(archive_entry_filetype)                                                                  \
	X(archive_entry_free)                                                                      \
	X(archive_entry_hardlink)                                                                  \
	X(archive_entry_new)                                                                       \
	X(archive_entry_pathname)                                                                  \
	X(archive_entry_set_ino64)                                                                 \
	X(archive_entry_set_mode)                                                                  \
	X(archive_entry_set_mtime)                                                                 \
	X(archive_entry_set_nlink)                                                                 \
	X(archive_entry_set_pathname)                                                              \
	X(archive_entry_set_perm)                                                                  \
	X(archive_entry_set_size)                                                                  \
	X(archive_entry_set_symlink)                                                               \
	X(archive_entry_size)                                                                      \
	X(archive_errno)                                                                           \
	X(archive_error_string)                                                                    \
	X(archive_read_data)                                                                       \
	X(archive_read_data_block)                                                                 \
	X(archive_read_free)                                                                       \
	X(archive_read_new)                                                                        \
	X(archive_read_next_header)                                                                \
	X(archive_read_open)                                                                       \
	X(archive_read_open_filename)                                                              \
	X(archive_read_open_memory)                                                                \
	X(archive_read_support_filter_all)                                                         \
	X(archive_read_support_format_ar)                                                          \
	X(archive_read_support_format_cpio)                                                        \
	X(archive_read_support_format_raw)                                                         \
	X(archive_read_support_format_tar)                                                         \
	X(archive_set_error)                                                                       \
	X(archive_write_add_filter_none)                                                           \
	X(archive_write_close)                                                                     \
	X(archive_write_data)                                                                      \
	X(archive_write_data_block)                                                                \
	X(archive_write_disk_new)                                                                  \
	X(archive_write_disk_set_options)                                                          \
	X(archive_write_finish_entry)                                                              \
	X(archive_write_free)                                                                      \
	X(archive_write_header)                                                                    \
	X(archive_write_new)                                                                       \
	X(archive_write_open_filename)                                                             \
	X(archive_write_set_format_cpio_newc)

#define X(name) extern __typeof__(name) *lib_##name;
ARCHIVE_FUNCTIONS(X)
#undef X
