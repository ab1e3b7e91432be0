/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "src/kernel/archives.h"
#include "src/kernel/cache-entries.h"
#include "src/kernel/module.h"
#include "src/kernel/program.h"
#include "src/util/array.h"
#include "src/util/format.h"
#include "src/util/interrupt.h"

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

/* All libraries go into the folder of libc, whatever paths this machine has them under: the loader
 * looks there without its cache. */
static int place_libraries(struct program *program, struct error *err)
{
	_cleanup_(freep) char *libc = NULL;

	for (size_t i = 0; i < program->count && !libc; i++)
		if (strstr(program->libraries[i].path, "/libc.so"))
			libc = strdup(program->libraries[i].path);
	for (size_t i = 0; i < program->count; i++) {
		struct program_library *library = &program->libraries[i];

		library->target = libc ? format_new("%.*s%s", (int)(strrchr(libc, '/') - libc),
						    libc, strrchr(library->path, '/'))
				       : strdup(library->path);
		if (!library->target)
			return error_errno(err, -ENOMEM, "%s", program->path);
	}
	return 0;
}

static int failed(struct archive *archive, struct error *err)
{
	int rc = -lib_archive_errno(archive);

	return cache_error(err, rc < 0 ? rc : -EIO, "initramfs");
}

struct item {
	const char *path;
	mode_t mode;
	const void *data; /* or, for a link, NULL */
	size_t size;
	const char *link; /* where a link leads; else NULL */
	time_t time;	  /* when it was modified last; 0: of no account */
};

/* The same files give the same bytes, because entries have no owners, and their inodes are counted
 * up. */
static int put_item(struct archive *archive, const struct item *item, struct error *err)
{
	static la_int64_t inode;
	struct archive_entry *entry = lib_archive_entry_new();
	int rc = 0;

	if (!entry)
		return error_errno(err, -ENOMEM, "initramfs");
	lib_archive_entry_set_pathname(entry, item->path + 1);
	lib_archive_entry_set_mode(entry, item->mode);
	lib_archive_entry_set_nlink(entry, 1);
	lib_archive_entry_set_ino64(entry, ++inode);
	lib_archive_entry_set_mtime(entry, item->time, 0);
	lib_archive_entry_set_size(entry, (la_int64_t)item->size);
	if (item->link)
		lib_archive_entry_set_symlink(entry, item->link);
	if (lib_archive_write_header(archive, entry) != ARCHIVE_OK ||
	    (item->size &&
	     lib_archive_write_data(archive, item->data, item->size) != (la_ssize_t)item->size))
		rc = failed(archive, err);
	lib_archive_entry_free(entry);
	return rc;
}

static int put(struct archive *archive, const char *path, mode_t mode, const void *data,
	       size_t size, struct error *err)
{
	const struct item item = { .path = path, .mode = mode, .data = data, .size = size };

	return put_item(archive, &item, err);
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

/* Puts a file's content under the path and with the mode of `item`. */
static int put_content(struct archive *archive, const char *from, struct item *item,
		       struct error *err)
{
	_cleanup_(fd_closep) int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data = NULL;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, -errno, "%s", from);
	item->size = (size_t)st.st_size;
	if (item->size)
		data = mmap(NULL, item->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return error_errno(err, -errno, "%s", from);
	item->data = data;
	rc = put_item(archive, item, err);
	if (data)
		munmap(data, item->size);
	return rc;
}

static int put_file(struct archive *archive, const char *from, const char *path, struct error *err)
{
	struct item item = { .path = path, .mode = S_IFREG | 0755 };
	int rc = put_folders(archive, path, err);

	return rc < 0 ? rc : put_content(archive, from, &item, err);
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

static int put_entry(const struct closure_entry *entry, void *userdata, struct error *err)
{
	struct archive *archive = userdata;
	mode_t mode = entry->st.st_mode & (S_IFMT | 0777);
	/* Nothing runs as its owner there. What goes along is what this user may read and run, or
	 * everybody, and so everybody may there. */
	struct item item = { .path = entry->path,
			     .mode = mode | 0444 | (S_ISDIR(mode) || mode & 0111 ? 0111 : 0),
			     .link = entry->link,
			     .time = entry->st.st_mtime };

	if (interrupt_pending())
		return interrupt_error(err);
	return S_ISREG(entry->st.st_mode) ? put_content(archive, entry->path, &item, err)
					  : put_item(archive, &item, err);
}

/* What programs look up, in place of this machine's. */
static const struct {
	const char *path, *text;
} lookups[] = {
	{ "/etc/passwd", "root:x:0:0:root:/tmp:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n"
			 "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
			 "nobody:x:65534:65534:nobody:/tmp:/bin/sh\n" },
	{ "/etc/group", "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n" },
	{ "/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n" },
	{ "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n" },
};

/* The program is /init, and its libraries lie where those of the user's programs do. */
static int put_closure(struct archive *archive, const struct program *program,
		       const struct closure *closure, struct error *err)
{
	int rc = closure_visit(closure, put_entry, archive, err);

	if (rc >= 0)
		rc = put_file(archive, program->path, "/init", err);
	if (rc >= 0) /* the working folder of programs that bring files along */
		rc = put_folders(archive, "/mnt/", err);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(lookups); i++) {
		rc = put_folders(archive, lookups[i].path, err);
		if (rc >= 0)
			rc = put(archive, lookups[i].path, S_IFREG | 0644, lookups[i].text,
				 strlen(lookups[i].text), err);
	}
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

struct recipe {
	const struct program *program;
	const struct kernel *kernel;
	const struct closure *closure; /* or NULL */
};

static int write_archive(const struct recipe *recipe, struct archive *archive, const char *target,
			 struct error *err)
{
	const struct kernel *kernel = recipe->kernel;
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
	if (rc >= 0 && recipe->closure)
		rc = put_closure(archive, recipe->program, recipe->closure, err);
	else if (rc >= 0)
		rc = put_program(archive, recipe->program, err);
	if (rc >= 0)
		rc = put_modules(archive, &set, err);
	if (rc >= 0 && lib_archive_write_close(archive) != ARCHIVE_OK)
		rc = failed(archive, err);
	module_set_deinit(&set);
	return rc;
}

static int write_recipe(const struct recipe *recipe, const char *target, struct error *err)
{
	struct archive *archive;
	int rc = archives_load(err);

	if (rc < 0)
		return rc;
	archive = lib_archive_write_new();
	if (!archive)
		return error_errno(err, -ENOMEM, "initramfs");
	rc = write_archive(recipe, archive, target, err);
	lib_archive_write_free(archive);
	return rc;
}

static int add_entry_to_key(const struct closure_entry *entry, void *userdata, struct error *err)
{
	struct cache_key *key = userdata;

	cache_key_add_string(key, entry->path);
	cache_key_add_string(key, entry->link ? entry->link : "");
	cache_key_add(key, &entry->st.st_mode, sizeof(entry->st.st_mode));
	/* A folder is another one whenever something in it changes that does not come along. */
	if (S_ISREG(entry->st.st_mode))
		cache_key_add_stat(key, &entry->st);
	return 0;
}

static int add_to_key(struct cache_key *key, const struct recipe *recipe, struct error *err)
{
	const struct program *program = recipe->program;
	const struct kernel *kernel = recipe->kernel;
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
	for (size_t i = 0; recipe->closure && i < ARRAY_SIZE(lookups); i++)
		cache_key_add_string(key, lookups[i].text);
	if (rc >= 0 && recipe->closure)
		rc = closure_visit(recipe->closure, add_entry_to_key, key, err);
	return rc;
}

static int make(const char *target, const void *userdata, struct error *err)
{
	const struct recipe *recipe = userdata;
	int rc = kernel_check(recipe->kernel, err);

	return rc < 0 ? rc : write_recipe(recipe, target, err);
}

int initramfs_cached(const char *path, const struct kernel *kernel, const struct closure *closure,
		     char **ret_path, int *ret_hold_fd, struct error *err)
{
	static const struct cache_kind kind = { "images", ".cpio", make };
	_cleanup_(program_deinit) struct program program = { 0 };
	struct recipe recipe = { &program, kernel, closure };
	struct cache_key key;
	int rc = program_init(&program, path, err);

	if (rc >= 0)
		rc = place_libraries(&program, err);
	cache_key_init(&key);
	if (rc >= 0)
		rc = add_to_key(&key, &recipe, err);
	return rc < 0 ? rc : cache_get(&kind, &key, &recipe, ret_path, ret_hold_fd, err);
}
