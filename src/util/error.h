/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What went wrong, in words. Whatever can fail takes `struct error *err` last,
 * returns a negative errno, leaves `err` alone on success, and each caller adds
 * its own context in front. Only main.c prints an error and turns its kind
 * into the exit status.
 */

#include <errno.h>
#include <stdarg.h>

enum error_kind {
	ERROR_NONE,	   /* nothing went wrong */
	ERROR_INPUT,	   /* wrong usage or input; exit status 2 */
	ERROR_CAPABILITY,  /* the machine cannot do it, the text says what is missing; 3 */
	ERROR_FAILED,	   /* something that should have worked did not; 3 */
	ERROR_INTERRUPTED, /* the user stopped it; 130 */
	_ERROR_KIND_MAX,
};

struct error {
	enum error_kind kind;
	char text[1024]; /* one line, no newline; cut off with "..." when longer */
};

/* Fills `err` (which may be NULL) and returns `rc`, a negative errno, for
 * `return error_set(...)`. */
__attribute__((format(printf, 4, 5))) int error_set(struct error *err, enum error_kind kind, int rc,
						    const char *format, ...);
int error_setv(struct error *err, enum error_kind kind, int rc, const char *format, va_list ap);

/* ERROR_INPUT with -EINVAL: what the user gave is not acceptable. */
#define error_input(err, ...) error_set((err), ERROR_INPUT, -EINVAL, __VA_ARGS__)

/* ERROR_FAILED with the text of `rc` (a negative errno) appended: "...: No such file". */
__attribute__((format(printf, 3, 4))) int error_errno(struct error *err, int rc, const char *format,
						      ...);

/* Puts "<formatted>: " in front of the text, and leaves the kind. Returns `rc`. */
__attribute__((format(printf, 3, 4))) int error_prefix(struct error *err, int rc,
						       const char *format, ...);

/* Copies `own` to `err` (which may be NULL) if `rc` is negative, and returns `rc`. A function that
 * may forgive an error of another lets that one fill an error of its own, and hands on what it does
 * not forgive. */
int error_hand_on(struct error *err, int rc, const struct error *own);

/* The process exit status that `kind` stands for. */
int error_exit_status(enum error_kind kind);
