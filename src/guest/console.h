/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The last text of a guest's console, on which QEMU writes too, and what it tells of why the guest
 * ended.
 */

#include <stddef.h>

struct guest_console {
	char text[8192]; /* lines, the oldest first; always terminated */
	size_t used;	 /* bytes, without the end */
	int escape;	 /* 0: outside a terminal's escape sequence; 1: after ESC; 2: after ESC [ */
};

/* Adds text that was read, without its control characters and escape sequences. */
void guest_console_add(struct guest_console *console, const char *data, size_t size);

/* Writes the cause that the console names, such as "its kernel panicked: ...". Returns false if it
 * names none. */
int guest_console_cause(const struct guest_console *console, unsigned memory_mib, char *text,
			size_t size);

/* Writes the last lines, joined by " | ". */
void guest_console_tail(const struct guest_console *console, char *text, size_t size);
