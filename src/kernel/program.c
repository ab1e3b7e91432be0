/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "src/kernel/run-program.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"

void program_deinit(struct program *program)
{
	for (size_t i = 0; i < program->count; i++) {
		free(program->libraries[i].path);
		free(program->libraries[i].target);
	}
	free(program->libraries);
	free(program->loader);
	free(program->interpreter);
}

static char *find_loader(const uint8_t *data, size_t size)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)data;

	if (header->e_phoff > size ||
	    header->e_phnum > (size - header->e_phoff) / sizeof(Elf64_Phdr))
		return NULL;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		const Elf64_Phdr *segment = (const Elf64_Phdr *)(data + header->e_phoff) + i;

		if (segment->p_type == PT_INTERP && segment->p_offset < size)
			return strndup((const char *)data + segment->p_offset,
				       size - segment->p_offset);
	}
	return NULL;
}

/* binfmt_script.c: load_script() takes as much of the first line. */
#define LINE_MAX_SIZE 254

static char *find_interpreter(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data + 2;
	size_t most = size - 2 < LINE_MAX_SIZE ? size - 2 : LINE_MAX_SIZE, n = 0;

	while (n < most && line[n] != '\n')
		n++;
	return strndup(line, n);
}

static int read_loader(struct program *program, struct error *err)
{
	_cleanup_(fd_closep) int fd = open(program->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, -errno, "%s", program->path);
	if (!S_ISREG(st.st_mode) || st.st_size < 2)
		return error_input(err, "%s: not a program", program->path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return error_errno(err, -errno, "%s", program->path);
	if (st.st_size >= (off_t)sizeof(Elf64_Ehdr) && memcmp(data, ELFMAG, SELFMAG) == 0 &&
	    data[EI_CLASS] == ELFCLASS64)
		program->loader = find_loader(data, (size_t)st.st_size);
	else if (memcmp(data, "#!", 2) == 0)
		program->interpreter = find_interpreter(data, (size_t)st.st_size);
	munmap(data, (size_t)st.st_size);
	return 0;
}

static int add_library(struct program *program, const char *path)
{
	struct program_library *slot =
		array_append(&program->libraries, &program->count, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	slot->path = strdup(path);
	return slot->path ? 0 : -ENOMEM;
}

/* The loader lists lines such as "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f...)". */
static int parse_list(struct program *program, char *list, struct error *err)
{
	for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n")) {
		char *path = strstr(line, " => /"), *end = path ? strrchr(path, '(') : NULL;

		if (strstr(line, "not found"))
			return error_input(err, "%s: library missing: %s", program->path,
					   line + strspn(line, "\t "));
		if (!end || end[-1] != ' ')
			continue;
		end[-1] = '\0';
		if (strcmp(path + 4, program->loader) != 0 && add_library(program, path + 4) < 0)
			return error_errno(err, -ENOMEM, "%s", program->path);
	}
	return 0;
}

int program_init(struct program *program, const char *path, struct error *err)
{
	const char *argv[] = { NULL, "--list", path, NULL };
	struct command command = { .argv = argv };
	struct run_program_result result;
	int rc;

	*program = (struct program){ .path = path };
	rc = read_loader(program, err);
	if (rc < 0 || !program->loader)
		return rc;
	argv[0] = program->loader;
	rc = run_program(&command, &result, err);
	if (rc < 0)
		return rc;
	if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0)
		rc = error_set(err, ERROR_FAILED, -EIO, "%s --list %s: %s", program->loader, path,
			       result.errors);
	else
		rc = parse_list(program, result.output, err);
	run_program_result_deinit(&result);
	return rc;
}
