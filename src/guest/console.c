/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/console.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_LINES 4

static void add_char(struct guest_console *console, char c)
{
	if (console->used + 1 >= sizeof(console->text)) {
		size_t half = sizeof(console->text) / 2;

		memmove(console->text, console->text + half, console->used - half);
		console->used -= half;
	}
	console->text[console->used++] = c;
	console->text[console->used] = '\0';
}

void guest_console_add(struct guest_console *console, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = data[i];

		if (console->escape) {
			/* ESC [ parameters letter, or ESC letter */
			if (console->escape == 1 && c == '[')
				console->escape = 2;
			else if (console->escape == 1 || isalpha((unsigned char)c))
				console->escape = 0;
		} else if (c == '\033') {
			console->escape = 1;
		} else if (c == '\n' || (unsigned char)c >= ' ') {
			add_char(console, c);
		}
	}
}

/* Copies the rest of the line behind `mark` into `rest`. Returns false if there is no such mark. */
static bool after(const struct guest_console *console, const char *mark, char *rest, size_t size)
{
	const char *at = strstr(console->text, mark);

	if (!at)
		return false;
	at += strlen(mark);
	snprintf(rest, size, "%.*s", (int)strcspn(at, "\n"), at);
	return true;
}

int guest_console_cause(const struct guest_console *console, unsigned memory_mib, char *text,
			size_t size)
{
	char rest[200];

	if (after(console, "panic - not syncing: Out of memory", rest, sizeof(rest)) ||
	    after(console, "System is deadlocked on memory", rest, sizeof(rest)))
		snprintf(text, size, "it ran out of memory (it has %u MiB)", memory_mib);
	else if (after(console, "Attempted to kill init! exitcode=", rest, sizeof(rest)))
		snprintf(text, size, "deadpeer died in it, by signal %ld",
			 strtol(rest, NULL, 16) & 0x7f);
	else if (after(console, "Kernel panic - not syncing: ", rest, sizeof(rest)))
		snprintf(text, size, "its kernel panicked: %s", rest);
	else if (after(console, "cannot set up guest memory", rest, sizeof(rest)))
		snprintf(text, size, "this machine has no %u MiB for it", memory_mib);
	else
		return false;
	return true;
}

/* Lines that are left out: those that every start prints, and the registers of a crash, which push
 * its reason out of the tail. */
static bool is_noise(const char *line)
{
	static const char *const noise[] = {
		"SeaBIOS (version",
		"Booting from ROM",
		"qemu-system-x86_64: warning: Large machine and max_ram_below_4g",
		" ",
		"RAX:",
		"RBX:",
		"RDX:",
		"RSP:",
		"RBP:",
		"RDI:",
		"RSI:",
		"RCX:",
		"R08:",
		"R10:",
		"R13:",
		"RIP: 0033:",
		"FS:",
		"CS:",
		"CR2:",
		"DR",
		"PKRU:",
		"Code:",
		"Call Trace:",
		"Kernel Offset:",
		"Modules linked in:",
		"CPU:",
		"Hardware name:",
		"---[",
	};
	const char *text = line;

	/* "[   12.345678] " */
	if (*line == '[' && strchr(line, ']'))
		text = strchr(line, ']') + 2;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (strncmp(text, noise[i], strlen(noise[i])) == 0)
			return true;
	return false;
}

void guest_console_tail(const struct guest_console *console, char *text, size_t size)
{
	const char *lines[TAIL_LINES];
	size_t count = 0, n = 0;

	text[0] = '\0';
	for (const char *line = console->text; *line;) {
		size_t length = strcspn(line, "\n");

		if (length && !is_noise(line))
			lines[count++ % TAIL_LINES] = line;
		line += length + (line[length] == '\n');
	}
	for (size_t i = count > TAIL_LINES ? count - TAIL_LINES : 0; i < count && n < size; i++) {
		const char *line = lines[i % TAIL_LINES];

		n += (size_t)snprintf(text + n, size - n, "%s%.*s", n ? " | " : "",
				      (int)strcspn(line, "\n"), line);
	}
}
