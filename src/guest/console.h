/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The last that a guest's console (and QEMU itself) said, and what can be told
 * from it about why a guest ended.
 */

#include <stddef.h>

struct guest_console {
	char text[8192]; /* lines, the oldest first; always terminated */
	size_t used;	 /* bytes, without the end */
	int escape;	 /* inside a terminal's escape sequence */
};

/* Adds text that was read, without its control characters and escape sequences. */
void guest_console_add(struct guest_console *console, const char *data, size_t size);

/* The cause that the console names, as "its kernel panicked: ...", in `text`; false: none. */
int guest_console_cause(const struct guest_console *console, unsigned memory_mib, char *text,
			size_t size);

/* Writes the last lines, joined by " | ". */
void guest_console_tail(const struct guest_console *console, char *text, size_t size);
