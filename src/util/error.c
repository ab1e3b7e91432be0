/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/error.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/util/cleanup.h"
#include "src/util/format.h"

static const int exit_status[] = {
	[ERROR_NONE] = 0,   [ERROR_INPUT] = 2,	       [ERROR_CAPABILITY] = 3,
	[ERROR_FAILED] = 3, [ERROR_INTERRUPTED] = 130,
};
static_assert(ARRAY_SIZE(exit_status) == _ERROR_KIND_MAX, "every kind has an exit status");

int error_exit_status(enum error_kind kind)
{
	return exit_status[kind];
}

/* Makes one line of `text`: control characters, which come with user data, become blanks. */
static void store(struct error *err, const char *text)
{
	size_t n = strnlen(text, sizeof(err->text) - 1);

	memcpy(err->text, text, n);
	err->text[n] = '\0';
	if (text[n])
		memcpy(err->text + n - 3, "...", 3);
	for (char *p = err->text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

int error_setv(struct error *err, enum error_kind kind, int rc, const char *format, va_list ap)
{
	_cleanup_(freep) char *text = err ? format_newv(format, ap) : NULL;

	if (!err)
		return rc;
	err->kind = kind;
	store(err, text ? text : "out of memory");
	return rc;
}

int error_set(struct error *err, enum error_kind kind, int rc, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_setv(err, kind, rc, format, ap);
	va_end(ap);
	return rc;
}

int error_errno(struct error *err, int rc, const char *format, ...)
{
	_cleanup_(freep) char *what = NULL;
	va_list ap;

	va_start(ap, format);
	what = format_newv(format, ap);
	va_end(ap);
	return error_set(err, ERROR_FAILED, rc, "%s: %s%s", what ? what : "?", strerror(-rc),
			 rc == -EMFILE ? " (raise `ulimit -n`)" : "");
}

int error_prefix(struct error *err, int rc, const char *format, ...)
{
	_cleanup_(freep) char *prefix = NULL;
	va_list ap;

	if (!err)
		return rc;
	va_start(ap, format);
	prefix = format_newv(format, ap);
	va_end(ap);
	return prefix ? error_set(err, err->kind, rc, "%s: %s", prefix, err->text) : rc;
}

int error_hand_on(struct error *err, int rc, const struct error *own)
{
	if (rc < 0 && err)
		*err = *own;
	return rc;
}
