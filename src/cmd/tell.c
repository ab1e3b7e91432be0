/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/tell.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool progress_shown; /* the terminal shows a line of progress; a process has one terminal */

void tell_warning(const char *text, void *userdata)
{
	fprintf(stderr, "deadpeer: %s\n", text);
}

void tell_error(const struct error *err, const struct engine *engine)
{
	const char *remedy = err->kind == ERROR_CAPABILITY ? engine->remedy : NULL;

	fprintf(stderr, "deadpeer: %s%s%s\n", err->text, remedy ? "; " : "", remedy ? remedy : "");
}

void tell_progress(const char *text)
{
	int width = 160;
	struct winsize size;

	/* A line that wraps cannot be erased. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		width = size.ws_col - 1;
	fprintf(stderr, "\r\033[K%.*s", width, text);
	fflush(stderr);
	progress_shown = true;
}

void tell_no_progress(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}
