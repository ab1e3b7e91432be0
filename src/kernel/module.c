/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/module.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>

#include "src/kernel/archives.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

#define MODULE_SIZE_MAX (64u << 20) /* bytes, uncompressed */

struct module_file {
	char *name; /* with underscores; owned */
	char *path; /* owned */
};

/* Returns "sch_netem" for "sch-netem.ko.xz", or NULL when the file is no module. The caller frees
 * it. */
static char *module_name(const char *file)
{
	const char *end = strstr(file, ".ko");
	char *name = end && (!end[3] || end[3] == '.') ? strndup(file, (size_t)(end - file)) : NULL;

	for (char *p = name; p && *p; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct module_file *)a)->name, ((const struct module_file *)b)->name);
}

static int add_file(struct module_set *set, const char *file, const char *path)
{
	struct module_file found = { .name = module_name(file) }, *slot = NULL;

	if (!found.name)
		return 0;
	found.path = strdup(path);
	if (found.path)
		slot = array_append(&set->files, &set->file_count, sizeof(*slot));
	if (!slot) {
		free(found.name);
		free(found.path);
		return -ENOMEM;
	}
	*slot = found;
	return 0;
}

static int find_files(struct module_set *set, const char *folder)
{
	char *const paths[] = { (char *)folder, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	FTSENT *entry;
	int rc = tree ? 0 : -errno;

	/* With FTS_NOSTAT a file is FTS_NSOK. "build" and "source" are links and not followed. */
	while (rc >= 0 && (entry = fts_read(tree)))
		if (entry->fts_info == FTS_F || entry->fts_info == FTS_NSOK)
			rc = add_file(set, entry->fts_name, entry->fts_path);
	if (tree)
		fts_close(tree);
	if (set->file_count)
		qsort(set->files, set->file_count, sizeof(*set->files), compare_files);
	return rc;
}

static char *read_text(const char *folder, const char *name)
{
	_cleanup_(freep) char *path = format_new("%s/%s", folder, name);
	_cleanup_(file_closep) FILE *file = path ? fopen(path, "re") : NULL;
	char *text = NULL;
	size_t size = 0;

	if (!file || getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		return NULL;
	}
	return text;
}

int module_set_init(struct module_set *set, const char *folder, struct error *err)
{
	int rc;

	*set = (struct module_set){ 0 };
	if (!folder)
		return 0;
	rc = find_files(set, folder);
	if (rc < 0) {
		module_set_deinit(set);
		return error_errno(err, rc, "%s", folder);
	}
	set->builtin = read_text(folder, "modules.builtin");
	return 0;
}

void module_set_deinit(struct module_set *set)
{
	for (size_t i = 0; i < set->file_count; i++) {
		free(set->files[i].name);
		free(set->files[i].path);
	}
	for (size_t i = 0; i < set->count; i++) {
		free(set->modules[i].name);
		free(set->modules[i].data);
	}
	free(set->files);
	free(set->modules);
	free(set->builtin);
	*set = (struct module_set){ 0 };
}

/* The lines of modules.builtin are paths such as "kernel/net/core/devlink.ko". */
static bool is_builtin(const struct module_set *set, const char *name)
{
	for (const char *line = set->builtin; line && *line;) {
		size_t n = strcspn(line, "\n");
		const char *file = memrchr(line, '/', n);
		_cleanup_(freep) char *text =
			strndup(file ? file + 1 : line, n - (file ? (size_t)(file + 1 - line) : 0));
		_cleanup_(freep) char *found = text ? module_name(text) : NULL;

		if (found && strcmp(found, name) == 0)
			return true;
		line += n + (line[n] == '\n');
	}
	return false;
}

static int unpack(struct archive *archive, struct module *module)
{
	struct archive_entry *entry;
	size_t room = 0;
	la_ssize_t n;

	if (lib_archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return -EBADMSG;
	do {
		if (module->size == room) {
			uint8_t *data;

			room = room ? 2 * room : 1 << 18;
			data = room <= MODULE_SIZE_MAX ? realloc(module->data, room) : NULL;
			if (!data)
				return -ENOMEM;
			module->data = data;
		}
		n = lib_archive_read_data(archive, module->data + module->size,
					  room - module->size);
		module->size += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return n < 0 ? -EBADMSG : 0;
}

#define SIGNATURE_MARK "~Module signature appended~\n"

/* Cuts the signature off, since checking it takes a guest longer than everything else about a
 * module: 0.1 to 0.4 s. Between the signature and the mark stands struct module_signature, which
 * ends in the signature's length (include/linux/module_signature.h). */
static void strip_signature(struct module *module)
{
	const size_t mark = sizeof(SIGNATURE_MARK) - 1, info = 12;
	uint32_t length;

	if (module->size < mark + info ||
	    memcmp(module->data + module->size - mark, SIGNATURE_MARK, mark) != 0)
		return;
	memcpy(&length, module->data + module->size - mark - sizeof(length), sizeof(length));
	length = be32toh(length);
	if (length <= module->size - mark - info)
		module->size -= mark + info + length;
}

static int load(const char *path, struct module *module, struct error *err)
{
	struct archive *archive;
	int rc = archives_load(err);

	if (rc < 0)
		return rc;
	archive = lib_archive_read_new();
	if (!archive)
		return error_errno(err, -ENOMEM, "%s", path);
	lib_archive_read_support_format_raw(archive);
	lib_archive_read_support_filter_all(archive);
	if (lib_archive_read_open_filename(archive, path, 65536) == ARCHIVE_OK)
		rc = unpack(archive, module);
	else
		rc = -EBADMSG;
	if (rc < 0)
		error_set(err, ERROR_INPUT, rc, "module %s: %s", path,
			  lib_archive_error_string(archive) ? lib_archive_error_string(archive)
							    : strerror(-rc));
	else
		strip_signature(module);
	lib_archive_read_free(archive);
	return rc;
}

static const char *find_field(const char *text, size_t size, const char *field)
{
	size_t n = strlen(field);

	for (const char *p = text, *end = text + size; p < end; p += strnlen(p, end - p) + 1)
		if ((size_t)(end - p) > n && memcmp(p, field, n) == 0 && p[n] == '=' &&
		    memchr(p, '\0', (size_t)(end - p)))
			return p + n + 1;
	return NULL;
}

const char *module_info(const uint8_t *data, size_t size, const char *field)
{
	Elf64_Ehdr header;
	Elf64_Shdr names, section;

	if (size < sizeof(header))
		return NULL;
	memcpy(&header, data, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_shoff > size ||
	    header.e_shnum > (size - header.e_shoff) / sizeof(section) ||
	    header.e_shstrndx >= header.e_shnum)
		return NULL;
	memcpy(&names, data + header.e_shoff + header.e_shstrndx * sizeof(names), sizeof(names));
	if (names.sh_offset > size || names.sh_size > size - names.sh_offset)
		return NULL;
	for (size_t i = 0; i < header.e_shnum; i++) {
		memcpy(&section, data + header.e_shoff + i * sizeof(section), sizeof(section));
		if (names.sh_size < sizeof(".modinfo") ||
		    section.sh_name > names.sh_size - sizeof(".modinfo") ||
		    memcmp(data + names.sh_offset + section.sh_name, ".modinfo",
			   sizeof(".modinfo")) != 0 ||
		    section.sh_offset > size || section.sh_size > size - section.sh_offset)
			continue;
		return find_field((const char *)data + section.sh_offset, section.sh_size, field);
	}
	return NULL;
}

static bool taken(const struct module_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->modules[i].name, name) == 0)
			return true;
	return false;
}

static int take(struct module_set *set, struct module *module)
{
	struct module *slot = array_append(&set->modules, &set->count, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = *module;
	*module = (struct module){ 0 };
	return 0;
}

static void module_deinit(struct module *module)
{
	free(module->name);
	free(module->data);
}

/* Takes the modules that `module` depends on, then the module itself. This ends, because no module
 * can depend on itself by way of others. */
static int take_after_dependencies(struct module_set *set, struct module *module, struct error *err)
{
	const char *depends = module_info(module->data, module->size, "depends");
	_cleanup_(freep) char *list = strdup(depends ? depends : "");
	char *rest = NULL;
	int rc;

	if (!list)
		return error_errno(err, -ENOMEM, "module %s", module->name);
	for (char *p = strtok_r(list, ",", &rest); p; p = strtok_r(NULL, ",", &rest)) {
		bool there;

		rc = module_set_add(set, p, &there, err);
		if (rc < 0)
			return rc;
		if (!there)
			return error_input(err, "module %s: %s, which it needs, is missing",
					   module->name, p);
	}
	rc = take(set, module);
	return rc < 0 ? error_errno(err, rc, "modules") : 0;
}

static const struct module_file *find_file(const struct module_set *set, const char *name)
{
	if (!set->file_count)
		return NULL;
	return bsearch(&(struct module_file){ .name = (char *)name }, set->files, set->file_count,
		       sizeof(*set->files), compare_files);
}

bool module_set_has(const struct module_set *set, const char *name)
{
	return find_file(set, name) || is_builtin(set, name);
}

int module_set_add(struct module_set *set, const char *name, bool *ret_there, struct error *err)
{
	_cleanup_(module_deinit) struct module module = { 0 };
	_cleanup_(freep) char *file = format_new("%s.ko", name);
	const struct module_file *found;
	int rc;

	module.name = file ? module_name(file) : NULL;
	if (!module.name)
		return error_errno(err, -ENOMEM, "module %s", name);
	found = find_file(set, module.name);
	*ret_there = taken(set, module.name) || found || is_builtin(set, module.name);
	if (!found || taken(set, module.name))
		return 0;
	rc = load(found->path, &module, err);
	return rc < 0 ? rc : take_after_dependencies(set, &module, err);
}
