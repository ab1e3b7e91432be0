/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/emulator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/guest/machine.h"
#include "src/kernel/run-program.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

char *emulator_version_in(const char *text)
{
	static const char before[] = " version ";
	const char *at = strstr(text, before);
	size_t n = at ? strspn(at + strlen(before), "0123456789.") : 0;

	return n ? format_new("%.*s", (int)n, at + strlen(before)) : NULL;
}

bool emulator_is_since(const char *version, unsigned major, unsigned minor)
{
	unsigned has_major = 0, has_minor = 0;

	sscanf(version, "%u.%u", &has_major, &has_minor);
	return has_major > major || (has_major == major && has_minor >= minor);
}

static int ask_version(const char *path, char **ret_version, struct error *err)
{
	const char *words[] = { path, "--version", NULL };
	const struct command command = { .argv = words };
	struct run_program_result result;
	int rc = run_program(&command, &result, err);

	if (rc < 0)
		return rc;
	*ret_version = emulator_version_in(result.output);
	if (!*ret_version)
		rc = error_set(err, ERROR_CAPABILITY, -EPROTO,
			       "%s --version names no version: '%.200s%.200s'; is it QEMU?", path,
			       result.output, result.errors);
	run_program_result_deinit(&result);
	return rc;
}

int emulator_find(struct emulator *ret, struct error *err)
{
	struct emulator emulator = { 0 };
	int rc = machine_find(&emulator.machine, err);

	if (rc < 0)
		return rc;
	emulator.path = run_program_find(emulator.machine->program);
	if (!emulator.path)
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "%s not found: install Debian's package %s",
				 emulator.machine->program, emulator.machine->package);
	rc = ask_version(emulator.path, &emulator.version, err);
	if (rc < 0) {
		emulator_deinit(&emulator);
		return rc;
	}
	*ret = emulator;
	return 0;
}

void emulator_deinit(struct emulator *emulator)
{
	free(emulator->path);
	free(emulator->version);
	*emulator = (struct emulator){ 0 };
}
