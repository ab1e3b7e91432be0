/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/initramfs.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "src/kernel/archives.h"
#include "src/kernel/cache.h"
#include "src/kernel/module.h"
#include "src/kernel/run-program.h"
#include "src/util/array.h"
#include "src/util/format.h"

/* So many archives stay in the cache. Each new build of the program makes one for each kernel. */
#define ARCHIVES_MAX 32

/* The modules that trials may need. If a required one is missing no archive is made, which is
 * better than an error in the middle of a trial. */
static const struct {
	const char *name;
	bool required;
} modules[] = {
	{ "veth", true },	/* the cables */
	{ "bridge", false },	/* path: switched */
	{ "dummy", false },	/* addresses without a peer */
	{ "ifb", false },	/* netem for packets that come in */
	{ "tun", false },	/* a program of the user may need it */
	{ "af_packet", false }, /* seeing packets; nearly always built in */
	{ "inet_diag", true },	/* seeing sockets */
	{ "tcp_diag", true },	/* seeing sockets of TCP */
	{ "netlink_diag", false },
	{ "unix_diag", false },
	{ "packet_diag", false },
	{ "sch_netem", false }, /* fault: netem */
	{ "sch_ingress", false },
	{ "sch_prio", false },
	{ "sch_tbf", false },
	{ "sch_htb", false },
	{ "sch_fq", false },
	{ "cls_u32", false },
	{ "cls_matchall", false },
	{ "cls_flower", false },
	{ "cls_bpf", false },
	{ "act_gact", false },
	{ "act_mirred", false },
	{ "nfnetlink", false }, /* fault: drop */
	{ "nf_tables", false },
	{ "nft_numgen", false },
	{ "nft_limit", false },
	{ "nft_quota", false },
	{ "nft_counter", false },
	{ "nft_ct", false },
	{ "nft_log", false },
	{ "nft_hash", false },
	{ "nft_reject_inet", false },
	{ "nft_reject_netdev", false },
	{ "nft_chain_nat", false },
	{ "nft_nat", false },
	{ "nft_masq", false },
	{ "nft_redir", false },
	{ "nft_fwd_netdev", false },
	{ "nft_dup_netdev", false },
	{ "nf_conntrack", false }, /* fault: conntrack-flush */
	{ "nf_conntrack_netlink", false },
	{ "nf_nat", false },
};

struct library {
	char *path;   /* on this machine; owned */
	char *target; /* in the guest; owned */
};

struct program {
	const char *path;	   /* not owned */
	char *loader;		   /* the dynamic loader that it asks for, owned; NULL: static */
	struct library *libraries; /* owned */
	size_t count;		   /* of libraries */
};

static void program_deinit(struct program *program)
{
	for (size_t i = 0; i < program->count; i++) {
		free(program->libraries[i].path);
		free(program->libraries[i].target);
	}
	free(program->libraries);
	free(program->loader);
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

static int read_loader(struct program *program, struct error *err)
{
	_cleanup_(fd_closep) int fd = open(program->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, -errno, "%s", program->path);
	if (st.st_size < (off_t)sizeof(Elf64_Ehdr))
		return error_input(err, "%s: not a program", program->path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return error_errno(err, -errno, "%s", program->path);
	if (memcmp(data, ELFMAG, SELFMAG) == 0 && data[EI_CLASS] == ELFCLASS64)
		program->loader = find_loader(data, (size_t)st.st_size);
	munmap(data, (size_t)st.st_size);
	return 0;
}

static int add_library(struct program *program, const char *path)
{
	struct library *slot = array_append(&program->libraries, &program->count, sizeof(*slot));

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

/* All libraries go into the folder of libc, whatever paths this machine has them under: the loader
 * looks there without its cache. */
static int place_libraries(struct program *program, struct error *err)
{
	_cleanup_(freep) char *libc = NULL;

	for (size_t i = 0; i < program->count && !libc; i++)
		if (strstr(program->libraries[i].path, "/libc.so"))
			libc = strdup(program->libraries[i].path);
	for (size_t i = 0; i < program->count; i++) {
		struct library *library = &program->libraries[i];

		library->target = libc ? format_new("%.*s%s", (int)(strrchr(libc, '/') - libc),
						    libc, strrchr(library->path, '/'))
				       : strdup(library->path);
		if (!library->target)
			return error_errno(err, -ENOMEM, "%s", program->path);
	}
	return 0;
}

static int program_init(struct program *program, const char *path, struct error *err)
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
	return rc < 0 ? rc : place_libraries(program, err);
}

static int failed(struct archive *archive, struct error *err)
{
	int rc = -lib_archive_errno(archive);

	return cache_error(err, rc < 0 ? rc : -EIO, "initramfs");
}

/* The same files give the same bytes, because entries have no times and no owners, and their inodes
 * are counted up. */
static int put(struct archive *archive, const char *path, mode_t mode, const void *data,
	       size_t size, struct error *err)
{
	static la_int64_t inode;
	struct archive_entry *entry = lib_archive_entry_new();
	int rc = 0;

	if (!entry)
		return error_errno(err, -ENOMEM, "initramfs");
	lib_archive_entry_set_pathname(entry, path + 1);
	lib_archive_entry_set_mode(entry, mode);
	lib_archive_entry_set_nlink(entry, 1);
	lib_archive_entry_set_ino64(entry, ++inode);
	lib_archive_entry_set_mtime(entry, 0, 0);
	lib_archive_entry_set_size(entry, (la_int64_t)size);
	if (lib_archive_write_header(archive, entry) != ARCHIVE_OK ||
	    (size && lib_archive_write_data(archive, data, size) != (la_ssize_t)size))
		rc = failed(archive, err);
	lib_archive_entry_free(entry);
	return rc;
}

/* Writes the folders above `path`. Writing one that is there already does no harm. */
static int put_folders(struct archive *archive, const char *path, struct error *err)
{
	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		_cleanup_(freep) char *folder = strndup(path, (size_t)(p - path));
		int rc = folder ? put(archive, folder, S_IFDIR | 0755, NULL, 0, err)
				: error_errno(err, -ENOMEM, "initramfs");

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int put_file(struct archive *archive, const char *from, const char *path, struct error *err)
{
	_cleanup_(fd_closep) int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, -errno, "%s", from);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return error_errno(err, -errno, "%s", from);
	rc = put_folders(archive, path, err);
	if (rc >= 0)
		rc = put(archive, path, S_IFREG | 0755, data, (size_t)st.st_size, err);
	munmap(data, (size_t)st.st_size);
	return rc;
}

static int put_program(struct archive *archive, const struct program *program, struct error *err)
{
	int rc = put_file(archive, program->path, "/init", err);

	if (rc >= 0 && program->loader)
		rc = put_file(archive, program->loader, program->loader, err);
	for (size_t i = 0; i < program->count && rc >= 0; i++)
		rc = put_file(archive, program->libraries[i].path, program->libraries[i].target,
			      err);
	return rc;
}

static int take_modules(struct module_set *set, const struct kernel *kernel, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		bool there;
		int rc = module_set_add(set, modules[i].name, &there, err);

		if (rc < 0)
			return rc;
		if (!there && modules[i].required && kernel->modules)
			return error_input(err, "kernel %s: no module %s in %s", kernel->release,
					   modules[i].name, kernel->modules);
	}
	return 0;
}

static int put_modules(struct archive *archive, const struct module_set *set, struct error *err)
{
	int rc = put(archive, INITRAMFS_MODULES, S_IFDIR | 0755, NULL, 0, err);

	for (size_t i = 0; i < set->count && rc >= 0; i++) {
		char path[128];

		snprintf(path, sizeof(path), INITRAMFS_MODULES "/%03zu-%s.ko", i,
			 set->modules[i].name);
		rc = put(archive, path, S_IFREG | 0644, set->modules[i].data, set->modules[i].size,
			 err);
	}
	return rc;
}

static int write_archive(const struct program *program, const struct kernel *kernel,
			 struct archive *archive, const char *target, struct error *err)
{
	struct module_set set;
	int rc = module_set_init(&set, kernel->modules, err);

	if (rc < 0)
		return rc;
	lib_archive_write_set_format_cpio_newc(archive);
	lib_archive_write_add_filter_none(archive);
	if (lib_archive_write_open_filename(archive, target) != ARCHIVE_OK)
		rc = failed(archive, err);
	if (rc >= 0)
		rc = take_modules(&set, kernel, err);
	if (rc >= 0)
		rc = put_program(archive, program, err);
	if (rc >= 0)
		rc = put_modules(archive, &set, err);
	if (rc >= 0 && lib_archive_write_close(archive) != ARCHIVE_OK)
		rc = failed(archive, err);
	module_set_deinit(&set);
	return rc;
}

static int write_program(const struct program *program, const struct kernel *kernel,
			 const char *target, struct error *err)
{
	struct archive *archive;
	int rc = archives_load(err);

	if (rc < 0)
		return rc;
	archive = lib_archive_write_new();
	if (!archive)
		return error_errno(err, -ENOMEM, "initramfs");
	rc = write_archive(program, kernel, archive, target, err);
	lib_archive_write_free(archive);
	return rc;
}

static int add_to_key(struct cache_key *key, const struct program *program,
		      const struct kernel *kernel, struct error *err)
{
	int rc = cache_key_add_file(key, program->path, err);

	if (rc >= 0 && program->loader)
		rc = cache_key_add_file(key, program->loader, err);
	for (size_t i = 0; i < program->count && rc >= 0; i++) {
		cache_key_add_string(key, program->libraries[i].target);
		rc = cache_key_add_file(key, program->libraries[i].path, err);
	}
	if (rc >= 0)
		rc = cache_key_add_file(key, kernel->image, err);
	if (rc >= 0 && kernel->modules)
		rc = cache_key_add_file(key, kernel->modules, err);
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		cache_key_add_string(key, modules[i].name);
	return rc;
}

struct recipe {
	const struct program *program;
	const struct kernel *kernel;
};

static int make(const char *target, const void *userdata, struct error *err)
{
	const struct recipe *recipe = userdata;
	int rc = kernel_check(recipe->kernel, err);

	return rc < 0 ? rc : write_program(recipe->program, recipe->kernel, target, err);
}

int initramfs_cached(const char *path, const struct kernel *kernel, char **ret_path,
		     struct error *err)
{
	static const struct cache_kind kind = { "images", ".cpio", ARCHIVES_MAX, make };
	_cleanup_(program_deinit) struct program program = { 0 };
	struct recipe recipe = { &program, kernel };
	struct cache_key key;
	int rc = program_init(&program, path, err);

	cache_key_init(&key);
	if (rc >= 0)
		rc = add_to_key(&key, &program, kernel, err);
	return rc < 0 ? rc : cache_get(&kind, &key, &recipe, ret_path, err);
}
