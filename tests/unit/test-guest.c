/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests check the parts that a guest is made of, and run no guest: modules, first file system,
 * console, snapshot and command line. */
#include <archive.h>
#include <archive_entry.h>
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "src/guest/console.h"
#include "src/guest/emulator.h"
#include "src/guest/machine.h"
#include "src/guest/snapshot.h"
#include "src/kernel/cache.h"
#include "src/kernel/initramfs.h"
#include "src/kernel/module.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "tests/unit/suite.h"

static char folder[64]; /* Each test makes a folder and removes it. */

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/deadpeer-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	setenv("XDG_CACHE_HOME", folder, 1);
}

static void teardown(void)
{
	cache_remove(folder);
}

static const char *in_folder(const char *name)
{
	static char paths[32][256]; /* No test makes more paths. */
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(in_folder(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	fclose(file);
}

/* Writes an ELF object that has only a .modinfo section. */
static void put_module(const char *name, const char *depends)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Shdr sections[3];
		char names[16], info[64];
	} object = { 0 };

	memcpy(object.header.e_ident, ELFMAG, SELFMAG);
	object.header.e_shoff = sizeof(object.header);
	object.header.e_shnum = 3;
	object.header.e_shstrndx = 1;
	object.sections[1].sh_offset = offsetof(__typeof__(object), names);
	object.sections[1].sh_size = sizeof(object.names);
	object.sections[2].sh_name = 1;
	object.sections[2].sh_offset = offsetof(__typeof__(object), info);
	object.sections[2].sh_size = sizeof(object.info);
	strcpy(object.names + 1, ".modinfo");
	snprintf(object.info, sizeof(object.info), "license=GPL%cdepends=%s", 0, depends);
	put(name, &object, sizeof(object));
}

static void put_modules(void)
{
	static const char builtin[] = "kernel/lib/libcrc32c.ko\nkernel/net/xt-thing.ko\n";

	mkdir(in_folder("modules"), 0700);
	mkdir(in_folder("modules/net"), 0700);
	put_module("modules/veth.ko", "");
	put_module("modules/net/nf_tables.ko", "libcrc32c,nf-netlink");
	put_module("modules/net/nf-netlink.ko", "");
	put_module("modules/net/broken.ko", "nowhere");
	put_module("modules/inet_diag.ko", "");
	put_module("modules/tcp_diag.ko", "inet_diag");
	put("modules/modules.builtin", builtin, sizeof(builtin) - 1);
}

START_TEST(modules_come_after_what_they_need)
{
	struct error err = { 0 };
	struct module_set set;
	bool there;

	put_modules();
	ck_assert_int_eq(module_set_init(&set, in_folder("modules"), &err), 0);
	ck_assert_int_eq(module_set_add(&set, "nf_tables", &there, &err), 0);
	ck_assert_int_eq(there, true);
	ck_assert_int_eq(module_set_add(&set, "nf_netlink", &there, &err), 0);
	ck_assert_uint_eq(set.count, 2);
	ck_assert_str_eq(set.modules[0].name, "nf_netlink");
	ck_assert_str_eq(set.modules[1].name, "nf_tables");
	ck_assert_int_eq(module_set_add(&set, "xt_thing", &there, &err), 0);
	ck_assert_int_eq(there, true);
	ck_assert_int_eq(module_set_add(&set, "zz", &there, &err), 0);
	ck_assert_int_eq(there, false);
	ck_assert_uint_eq(set.count, 2);
	ck_assert_int_eq(module_set_add(&set, "broken", &there, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "nowhere"));
	module_set_deinit(&set);
}
END_TEST

START_TEST(damaged_module_has_no_info)
{
	uint8_t data[512] = ELFMAG;
	Elf64_Ehdr *header = (Elf64_Ehdr *)data;

	ck_assert_ptr_null(module_info(data, 3, "depends"));
	header->e_shoff = sizeof(data) - 8;
	header->e_shnum = 9;
	ck_assert_ptr_null(module_info(data, sizeof(data), "depends"));
}
END_TEST

/* Writes the names in the archive, with a space after each. */
static void names_of(const char *path, char *text, size_t size)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	size_t n = 0;

	archive_read_support_format_cpio(archive);
	ck_assert_int_eq(archive_read_open_filename(archive, path, 65536), ARCHIVE_OK);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK)
		n += (size_t)snprintf(text + n, size - n, "%s ", archive_entry_pathname(entry));
	archive_read_free(archive);
}

START_TEST(initramfs_holds_program_libraries_modules)
{
	struct kernel kernel = { .release = (char *)"1.2.3",
				 .modules = (char *)in_folder("modules"),
				 .origin = KERNEL_PATH };
	_cleanup_(freep) char *one = NULL, *two = NULL;
	int held = -1;
	struct error err = { 0 };
	char names[8192] = "";

	put_modules();
	put("vmlinuz", "x", 1);
	kernel.image = (char *)in_folder("vmlinuz");
	ck_assert_int_eq(initramfs_cached("/bin/true", &kernel, NULL, &one, &held, &err), 0);
	names_of(one, names, sizeof(names));
	ck_assert_ptr_nonnull(strstr(names, "init "));
	ck_assert_ptr_nonnull(strstr(names, "/libc.so"));
	ck_assert_ptr_nonnull(strstr(names, "/ld-"));
	ck_assert_ptr_nonnull(strstr(names, "modules/000-veth.ko "));
	ck_assert_ptr_nonnull(strstr(names, "modules/001-inet_diag.ko modules/002-tcp_diag.ko "));
	ck_assert_int_eq(initramfs_cached("/bin/true", &kernel, NULL, &two, &held, &err), 0);
	ck_assert_str_eq(one, two);
}
END_TEST

START_TEST(initramfs_without_required_module_is_refused)
{
	struct kernel kernel = { .release = (char *)"1.2.3",
				 .modules = (char *)in_folder("modules"),
				 .origin = KERNEL_PATH };
	_cleanup_(freep) char *path = NULL;
	struct error err = { 0 };
	int held = -1;

	put_modules();
	unlink(in_folder("modules/tcp_diag.ko"));
	put("vmlinuz", "x", 1);
	kernel.image = (char *)in_folder("vmlinuz");
	ck_assert_int_eq(initramfs_cached("/bin/true", &kernel, NULL, &path, &held, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "tcp_diag"));
}
END_TEST

static const struct {
	const char *text, *cause;
} consoles[] = {
	{ "\033[2J\033[0mSeaBIOS\n[ 1.0] Kernel panic - not syncing: sysrq triggered crash\nmore\n",
	  "its kernel panicked: sysrq triggered crash" },
	{ "[ 1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n",
	  "deadpeer died in it, by signal 11" },
	{ "Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled\n",
	  "it ran out of memory (it has 192 MiB)" },
	{ "all is well\n", NULL },
};

START_TEST(console_tells_the_cause)
{
	struct guest_console console = { 0 };
	char cause[256];

	guest_console_add(&console, consoles[_i].text, strlen(consoles[_i].text));
	ck_assert_int_eq(guest_console_cause(&console, 192, cause, sizeof(cause)),
			 consoles[_i].cause != NULL);
	if (consoles[_i].cause)
		ck_assert_str_eq(cause, consoles[_i].cause);
}
END_TEST

START_TEST(console_keeps_the_last_lines)
{
	struct guest_console console = { 0 };
	char line[64], tail[256];

	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof(line), "\033[1mline\033[0m %d\r\n", i);
		guest_console_add(&console, line, strlen(line));
	}
	guest_console_tail(&console, tail, sizeof(tail));
	ck_assert_str_eq(tail, "line 4996 | line 4997 | line 4998 | line 4999");
}
END_TEST

static void make_snapshot(void)
{
	struct guest_snapshot snapshot;
	struct error err = { 0 };

	ck_assert_int_eq(guest_snapshot_create(&snapshot, in_folder("new"), 1 << 20, &err), 0);
	ck_assert_int_eq(write(snapshot.device_fd, "state", 5), 5);
	ck_assert_int_eq(
		guest_snapshot_commit(&snapshot, in_folder("new"), in_folder("snapshot"), &err), 0);
	guest_snapshot_close(&snapshot);
	ck_assert(guest_snapshot_open(&snapshot, in_folder("snapshot")));
	guest_snapshot_close(&snapshot);
}

static const char *const parts[] = { "memory", "device", "stamp" };

START_TEST(snapshot_that_was_changed_is_noticed)
{
	struct guest_snapshot snapshot;
	char path[256];
	FILE *file;

	make_snapshot();
	snprintf(path, sizeof(path), "%s/snapshot/%s", folder, parts[_i]);
	file = fopen(path, "r+");
	fputc('x', file);
	fclose(file);
	ck_assert(!guest_snapshot_open(&snapshot, in_folder("snapshot")));
	ck_assert_int_lt(access(in_folder("snapshot"), F_OK), 0);
}
END_TEST

START_TEST(snapshot_that_was_cut_is_noticed)
{
	struct guest_snapshot snapshot;
	char path[256];

	make_snapshot();
	snprintf(path, sizeof(path), "%s/snapshot/%s", folder, parts[_i]);
	ck_assert_int_eq(truncate(path, 3), 0);
	ck_assert(!guest_snapshot_open(&snapshot, in_folder("snapshot")));
}
END_TEST

START_TEST(a_machine_begins_paused)
{
	struct guest_image image = { .memory_mib = 192,
				     .kernel = (char *)"KERNEL",
				     .initrd = (char *)"INITRD" };
	const struct machine_run run = {
		.memory_fd = 5,
		.window_fd = 6,
		.monitor_fd = 7,
		.incoming = true,
	};
	struct error err = { 0 };
	bool paused = false;

	ck_assert_int_eq(machine_find(&image.qemu.machine, &err), 0);
	_cleanup_(strings_freep) char **argv = machine_arguments(&image, &run);
	ck_assert_ptr_nonnull(argv);
	for (size_t i = 0; argv[i]; i++)
		paused |= strcmp(argv[i], "-S") == 0;
	ck_assert(paused);
}
END_TEST

START_TEST(version_of_qemu_is_found)
{
	static const char text[] = "QEMU emulator version 11.1.3 (Debian 1:11.1.3+ds-1)\n"
				   "Copyright (c) 2003-2026\n";
	_cleanup_(freep) char *version = emulator_version_in(text);

	ck_assert_str_eq(version, "11.1.3");
	ck_assert_ptr_null(emulator_version_in("busybox"));
	ck_assert_ptr_null(emulator_version_in("some version of it"));
	ck_assert(emulator_is_since(version, 8, 2));
	ck_assert(emulator_is_since("8.2.0", 8, 2));
	ck_assert(emulator_is_since("8.2", 8, 2));
	ck_assert(!emulator_is_since("8.1.99", 8, 2));
	ck_assert(!emulator_is_since("7.2.22", 8, 2));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, version_of_qemu_is_found);
	tcase_add_test(tc, modules_come_after_what_they_need);
	tcase_add_test(tc, damaged_module_has_no_info);
	tcase_add_test(tc, initramfs_holds_program_libraries_modules);
	tcase_add_test(tc, initramfs_without_required_module_is_refused);
	tcase_add_loop_test(tc, console_tells_the_cause, 0, ARRAY_SIZE(consoles));
	tcase_add_test(tc, console_keeps_the_last_lines);
	tcase_add_loop_test(tc, snapshot_that_was_changed_is_noticed, 0, ARRAY_SIZE(parts));
	tcase_add_loop_test(tc, snapshot_that_was_cut_is_noticed, 0, ARRAY_SIZE(parts));
	tcase_add_test(tc, a_machine_begins_paused);
}

int main(void)
{
	return suite_main("guest", add_tests);
}
