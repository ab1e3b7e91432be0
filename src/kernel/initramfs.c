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

#define ARCHIVES_MAX                                                                               \
	32 /* in the cache: each new build of the program makes one for each kernel                \
	    */

/* The modules that trials may need. If a required one is missing, making the file system fails,
 * which is better than an error in the middle of a trial. */
static const struct {
	const char *name;
	bool required;
} modules[] = {
	{ "veth", true },	/* the cables */
	{ "bridge", false },	/* path: switched */
	{ "dummy", false },	/* addresses without a peer */
	{ "ifb", false },	/* netem on what comes in */
	{ "tun", false },	/* an agent of the user's own may want it */
	{ "af_packet", false }, /* the wire's clock and captures; nearly always built in */
	{ "inet_diag", true },	/* TIME_WAIT, SYN_RECV */
	{ "tcp_diag", true },	/* their TCP part */
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
	char *path;   /* on this machine */
	char *target; /* in the guest */
};

struct program {
	const char *path;
	char *loader;		   /* the dynamic loader it asks for; NULL: linked statically */
	struct library *libraries; /* owned */
	size_t count;
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

/* Lines of the loader's list: "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f...)". */
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

		if (!libc)
			library->target = strdup(library->path);
		else if (asprintf(&library->target, "%.*s%s", (int)(strrchr(libc, '/') - libc),
				  libc, strrchr(library->path, '/')) < 0)
			library->target = NULL;
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

/* The same content gives the same bytes: entries have no times and no owners, and inodes are
 * counted up. */
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

int initramfs_write(const char *path, const struct kernel *kernel, const char *target,
		    struct error *err)
{
	_cleanup_(program_deinit) struct program program = { 0 };
	int rc = program_init(&program, path, err);

	return rc < 0 ? rc : write_program(&program, kernel, target, err);
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

static int write_into(const struct program *program, const struct kernel *kernel,
		      const char *target, struct error *err)
{
	_cleanup_(freep) char *temporary = cache_temporary(target);
	int rc;

	if (!temporary)
		return error_errno(err, -ENOMEM, "initramfs");
	rc = kernel_check(kernel, err);
	if (rc >= 0)
		rc = write_program(program, kernel, temporary, err);
	if (rc >= 0)
		rc = cache_commit(temporary, target, err);
	if (rc < 0)
		unlink(temporary);
	else
		cache_prune(target, ARCHIVES_MAX);
	return rc;
}

int initramfs_cached(const char *path, const struct kernel *kernel, char **ret_path,
		     struct error *err)
{
	_cleanup_(program_deinit) struct program program = { 0 };
	_cleanup_(freep) char *folder = NULL, *target = NULL;
	_cleanup_(fd_closep) int lock = -1;
	char text[CACHE_KEY_SIZE];
	struct cache_key key;
	int rc = program_init(&program, path, err);

	cache_key_init(&key);
	if (rc >= 0)
		rc = add_to_key(&key, &program, kernel, err);
	if (rc >= 0)
		rc = cache_folder("images", &folder, err);
	if (rc < 0)
		return rc;
	if (asprintf(&target, "%s/%s.cpio", folder, cache_key_text(&key, text)) < 0) {
		target = NULL;
		return error_errno(err, -ENOMEM, "initramfs");
	}
	if (!cache_is_whole(target)) {
		rc = cache_lock(target, &lock, err);
		if (rc >= 0 && !cache_is_whole(target))
			rc = write_into(&program, kernel, target, err);
	}
	if (rc >= 0)
		*ret_path = take_ptr(target);
	return rc;
}
