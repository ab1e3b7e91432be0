/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests show which kernel a name means, and what is read from a kernel image. */
#include <archive.h>
#include <archive_entry.h>
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "src/kernel/add.h"
#include "src/kernel/cache-entries.h"
#include "src/kernel/cache.h"
#include "src/kernel/candidates.h"
#include "src/kernel/kernel.h"
#include "src/kernel/manifest.h"
#include "src/kernel/unpack.h"
#include "src/kernel/vmlinux.h"
#include "src/util/cleanup.h"
#include "src/util/interrupt.h"
#include "tests/unit/cache-fixture.h"
#include "tests/unit/suite.h"

static const struct {
	const char *name, *release;
	bool matches;
} names[] = {
	{ "6.1", "6.1.0-56-cloud-amd64", true },
	{ "6.1", "6.12.117+deb12-cloud-amd64", false },
	{ "6.1.", "6.1.0-56-cloud-amd64", true },
	{ "6.1.0-5", "6.1.0-56-cloud-amd64", false },
	{ "6.1.0-56", "6.1.0-56-cloud-amd64", true },
	{ "6.1.0-56-cl", "6.1.0-56-cloud-amd64", false },
	{ "6.12.117", "6.12.117+deb12-cloud-amd64", true },
	{ "6.12.117+deb12-cloud-amd64", "6.12.117+deb12-cloud-amd64", true },
	{ "6.12.117+deb12-cloud-amd64x", "6.12.117+deb12-cloud-amd64", false },
	{ "6", "6.12.117+deb12-cloud-amd64", true },
	{ "", "6.12.117+deb12-cloud-amd64", false },
};

START_TEST(name_matches_whole_parts)
{
	ck_assert_int_eq(kernel_name_matches(names[_i].name, names[_i].release), names[_i].matches);
}
END_TEST

START_TEST(releases_compare_by_number)
{
	ck_assert_int_eq(kernel_release_compare("6.1.0-56", "6.12.1"), -1);
	ck_assert_int_eq(kernel_release_compare("6.1.0-9-cloud", "6.1.0-56-cloud"), -1);
	ck_assert_int_eq(kernel_release_compare("6.12.117+deb12", "6.12.99+deb12"), 1);
	ck_assert_int_eq(kernel_release_compare("6.1", "6.1"), 0);
}
END_TEST

/* Writes a bzImage of the parts that the reader looks at: the setup header, a payload, and its
 * size. */
struct fake {
	uint8_t data[65536];
	size_t size;
};

static void fake_image(struct fake *image, const uint8_t *elf, size_t elf_size)
{
	struct archive *writer = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t offset = 2 * 512, used = 0;
	uint32_t length, payload = 0, unpacked = (uint32_t)elf_size;

	memset(image, 0, sizeof(*image));
	image->data[0x1f1] = 1;
	memcpy(image->data + 0x1fe, "\x55\xaa", 2);
	memcpy(image->data + 0x202, "HdrS\x0f\x02", 6);
	memcpy(image->data + 0x20e, "\x80\x01", 2);
	strcpy((char *)image->data + 0x380, "6.1.0-1-test (someone@somewhere)");
	archive_write_set_format_raw(writer);
	archive_write_add_filter_gzip(writer);
	archive_write_set_bytes_per_block(writer, 0);
	archive_write_open_memory(writer, image->data + offset, sizeof(image->data) - offset - 4,
				  &used);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_write_header(writer, entry);
	archive_write_data(writer, elf, elf_size);
	archive_entry_free(entry);
	archive_write_free(writer);
	memcpy(image->data + offset + used, &unpacked, 4);
	length = (uint32_t)used + 4;
	memcpy(image->data + 0x248, &payload, 4);
	memcpy(image->data + 0x24c, &length, 4);
	image->size = offset + length;
}

static size_t fake_elf(uint8_t *data, uint32_t note_type)
{
	Elf64_Ehdr header = { .e_ident = ELFMAG, .e_phoff = sizeof(header), .e_phnum = 1 };
	Elf64_Phdr segment = { .p_type = PT_NOTE, .p_offset = 128, .p_filesz = 20 };
	uint32_t note[5] = { 4, 4, note_type, 0, 0x1000000 };

	memcpy(&note[3], "Xen", 4);
	memset(data, 0, 256);
	memcpy(data, &header, sizeof(header));
	memcpy(data + sizeof(header), &segment, sizeof(segment));
	memcpy(data + 128, note, sizeof(note));
	return 256;
}

START_TEST(image_is_taken_apart)
{
	static struct fake image;
	uint8_t elf[256], back[512];
	size_t size = fake_elf(elf, 18);
	struct error err = { 0 };
	char release[64], target[256];
	FILE *file;

	fake_image(&image, elf, size);
	put("vmlinuz", image.data, image.size);
	ck_assert_int_eq(vmlinux_release(in_folder("vmlinuz"), release, sizeof(release), &err), 0);
	ck_assert_str_eq(release, "6.1.0-1-test");
	strcpy(target, in_folder("vmlinux"));
	ck_assert_int_eq(vmlinux_extract(in_folder("vmlinuz"), target, &err), 0);
	file = fopen(target, "r");
	ck_assert_uint_eq(fread(back, 1, sizeof(back), file), size);
	fclose(file);
	ck_assert_mem_eq(back, elf, size);
}
END_TEST

START_TEST(image_without_pvh_note_stays_as_it_is)
{
	static struct fake image;
	uint8_t elf[256];
	size_t size = fake_elf(elf, 17);
	_cleanup_(freep) char *path = NULL;
	struct error err = { 0 };
	int held = -1;

	fake_image(&image, elf, size);
	put("vmlinuz", image.data, image.size);
	ck_assert_int_eq(vmlinux_cached(in_folder("vmlinuz"), &path, &held, &err), 0);
	ck_assert_int_eq(held, -1);
	ck_assert_str_eq(path, in_folder("vmlinuz"));
}
END_TEST

START_TEST(image_that_is_cut_short_is_refused)
{
	static struct fake image;
	uint8_t elf[256];
	size_t size = fake_elf(elf, 18);
	struct error err = { 0 };
	char target[256];

	fake_image(&image, elf, size);
	put("vmlinuz", image.data, image.size - 30);
	strcpy(target, in_folder("vmlinux"));
	ck_assert_int_eq(vmlinux_extract(in_folder("vmlinuz"), target, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "truncated"));
	ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

START_TEST(file_that_is_no_image_is_refused)
{
	static const char text[4096] = "#!/bin/sh\n";
	struct error err = { 0 };
	struct kernel kernel;

	put("script", text, sizeof(text));
	ck_assert_int_eq(kernel_find(in_folder("script"), NULL, &kernel, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "not a kernel image"));
	ck_assert_int_eq(kernel_find(in_folder("nothing"), NULL, &kernel, &err), -ENOENT);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

static void put_fetched(const char *release)
{
	static struct fake image;
	uint8_t elf[256];
	char name[128];

	fake_image(&image, elf, fake_elf(elf, 18));
	snprintf(name, sizeof(name), "deadpeer/kernels/%s", release);
	mkdir(in_folder(name), 0700);
	snprintf(name, sizeof(name), "deadpeer/kernels/%s/vmlinuz", release);
	put(name, image.data, image.size);
}

START_TEST(name_finds_one_kernel)
{
	_cleanup_(freep) char *kernels = NULL;
	struct error err = { 0 };
	struct kernel kernel;

	ck_assert_int_eq(cache_folder("kernels", &kernels, &err), 0);
	put_fetched("6.1.0-9-cloud-amd64");
	put_fetched("6.1.0-56-cloud-amd64");
	put_fetched("6.12.117+deb12-cloud-amd64");
	ck_assert_int_eq(kernel_find("6.12", NULL, &kernel, &err), 0);
	ck_assert_str_eq(kernel.release, "6.12.117+deb12-cloud-amd64");
	ck_assert_ptr_null(kernel.modules);
	kernel_deinit(&kernel);
	ck_assert_int_eq(kernel_find("6.1.0-9", NULL, &kernel, &err), 0);
	kernel_deinit(&kernel);
	ck_assert_int_eq(kernel_find("6.1", NULL, &kernel, &err), 0);
	ck_assert_str_eq(kernel.release, "6.1.0-56-cloud-amd64");
	kernel_deinit(&kernel);
	put_fetched("6.1.0-56-rt-amd64");
	ck_assert_int_eq(kernel_find("6.1", NULL, &kernel, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "6.1.0-56-rt-amd64, 6.1.0-56-cloud-amd64"));
	ck_assert_int_eq(kernel_find("5.10", NULL, &kernel, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "deadpeer kernels fetch 5.10"));
}
END_TEST

START_TEST(package_that_is_damaged_is_refused)
{
	struct error err = { 0 };
	char out[256], release[UNPACK_RELEASE_SIZE] = "";

	put("a.deb", "!<arch>\ndebian-binary   1 0 0 100644 4 `\n2.0\n", 44);
	strcpy(out, in_folder("out"));
	ck_assert_int_eq(unpack_package(in_folder("a.deb"), out, release, &err), -EBADMSG);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

/* The check finds a change of any file in the folder, and a change of the manifest. */
START_TEST(manifest_knows_the_folder)
{
	struct kernel kernel = { .release = (char *)"6.1.0-1", .origin = KERNEL_FETCHED };
	struct error err = { 0 };

	ck_assert_int_eq(mkdir(in_folder("modules"), 0700), 0);
	put("vmlinuz", "kernel", 6);
	put("modules/veth.ko", "veth", 4);
	ck_assert(!kernel_manifest_check(folder));
	ck_assert_int_eq(kernel_manifest_write(folder, &err), 0);
	ck_assert(kernel_manifest_check(folder));
	kernel.image = strdup(in_folder("vmlinuz"));
	ck_assert_int_eq(kernel_check(&kernel, &err), 0);
	put("modules/veth.ko", "vETH", 4);
	ck_assert(!kernel_manifest_check(folder));
	ck_assert_int_eq(kernel_check(&kernel, &err), -EBADMSG);
	ck_assert_int_eq(error_exit_status(err.kind), 3);
	ck_assert_ptr_nonnull(strstr(err.text, "deadpeer kernels fetch 6.1.0-1"));
	put("modules/veth.ko", "veth", 4);
	ck_assert(kernel_manifest_check(folder));
	put("modules/more.ko", "", 0);
	ck_assert(!kernel_manifest_check(folder));
	unlink(in_folder("modules/more.ko"));
	unlink(in_folder("modules/veth.ko"));
	ck_assert(!kernel_manifest_check(folder));
	free(kernel.image);
}
END_TEST

/* What a kernel was told to lack. */
static char lacked[2048];

static void hear(const struct kernel *kernel, const char *text)
{
	strcat(strcat(lacked, text), "\n");
}

/* A config that has all that trials need. */
static const char whole_config[] =
	"CONFIG_BLK_DEV_INITRD=y\nCONFIG_DEVMEM=y\nCONFIG_DEVTMPFS=y\nCONFIG_PROC_FS=y\n"
	"CONFIG_SYSFS=y\nCONFIG_TMPFS=y\nCONFIG_UNIX=y\nCONFIG_INET=y\nCONFIG_NET_NS=y\n"
	"CONFIG_VETH=y\nCONFIG_PACKET=y\nCONFIG_INET_DIAG=y\nCONFIG_INET_TCP_DIAG=y\n"
	"CONFIG_IPV6=y\nCONFIG_DEBUG_INFO_BTF=y\nCONFIG_BPF_SYSCALL=y\nCONFIG_NET_SCH_NETEM=y\n"
	"CONFIG_NF_TABLES=y\nCONFIG_NF_CONNTRACK=y\nCONFIG_BRIDGE=y\n";

/* Puts a vmlinuz, and beside it that config with one option otherwise. */
static void put_kernel(const char *option, const char *value)
{
	_cleanup_(freep) char *config = strdup(whole_config);
	static struct fake image;
	uint8_t elf[256];
	char *at = option ? strstr(config, option) : NULL;

	fake_image(&image, elf, fake_elf(elf, 18));
	put("vmlinuz", image.data, image.size);
	if (at)
		memcpy(strchr(at, '=') + 1, value, 1);
	put("config-6.1.0-1-test", config, strlen(config));
	lacked[0] = '\0';
}

static int add(const char *name, const char *modules, struct kernel *ret, struct error *err)
{
	char *files[] = { in_folder("vmlinuz"), NULL };
	const struct add_options options = {
		.files = files, .count = 1, .modules = modules, .name = name
	};

	return kernel_add(&options, hear, ret, err);
}

#if defined(__x86_64__) /* The images are bzImages. */
START_TEST(kernel_is_added_by_its_name)
{
	struct error err = { 0 };
	struct kernel kernel;

	put_kernel(NULL, NULL);
	ck_assert_int_eq(add(NULL, NULL, &kernel, &err), 0);
	ck_assert_str_eq(lacked, "");
	ck_assert_str_eq(kernel.name, "6.1.0-1-test");
	ck_assert_int_eq(kernel.origin, KERNEL_ADDED);
	ck_assert_int_eq(kernel_check(&kernel, &err), 0);
	kernel_deinit(&kernel);
	ck_assert_int_eq(add("mine", NULL, &kernel, &err), 0);
	ck_assert_str_eq(kernel.name, "mine");
	ck_assert_str_eq(kernel.release, "6.1.0-1-test");
	kernel_deinit(&kernel);
	ck_assert_int_eq(add("mine", NULL, &kernel, &err), 0); /* once more */
	kernel_deinit(&kernel);
	ck_assert_int_eq(kernel_find("6.1", NULL, &kernel, &err), 0);
	ck_assert_str_eq(kernel.name, "6.1.0-1-test");
	kernel_deinit(&kernel);
	put_fetched("6.12.1-test");
	ck_assert_int_eq(add("6.12.1-test", NULL, &kernel, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "--name"));
	ck_assert_int_eq(add("../mine", NULL, &kernel, &err), -EINVAL);
	ck_assert_int_eq(add("a.tmp", NULL, &kernel, &err), -EINVAL);
}
END_TEST

START_TEST(what_a_kernel_lacks_is_named)
{
	struct error err = { 0 };
	struct kernel kernel;

	put_kernel("CONFIG_DEBUG_INFO_BTF", "n");
	ck_assert_int_eq(add(NULL, NULL, &kernel, &err), 0);
	kernel_deinit(&kernel);
	ck_assert_ptr_nonnull(strstr(lacked, "CONFIG_DEBUG_INFO_BTF (tracepoints"));
	put_kernel("CONFIG_NET_NS", "n");
	ck_assert_int_eq(add(NULL, NULL, &kernel, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "kernel 6.1.0-1-test lacks CONFIG_NET_NS"));
	put_kernel("CONFIG_VETH", "m");
	ck_assert_int_eq(add(NULL, NULL, &kernel, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "lacks CONFIG_VETH"));
	ck_assert_ptr_nonnull(strstr(err.text, "no --modules are given"));
}
END_TEST

START_TEST(modules_are_taken_along)
{
	_cleanup_(freep) char *modules = strdup(in_folder("modules"));
	struct error err = { 0 };
	struct kernel kernel;
	char path[512];

	put_kernel("CONFIG_VETH", "m");
	ck_assert_int_eq(mkdir(modules, 0700), 0);
	ck_assert_int_eq(add(NULL, modules, &kernel, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "no modules in it"));
	put("modules/veth.ko", "veth", 4);
	ck_assert_int_eq(symlink("/", in_folder("modules/build")), 0);
	ck_assert_int_eq(add(NULL, modules, &kernel, &err), 0);
	snprintf(path, sizeof(path), "%s/veth.ko", kernel.modules);
	ck_assert_int_eq(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/build", kernel.modules);
	ck_assert_int_eq(access(path, F_OK), -1);
	kernel_deinit(&kernel);
}
END_TEST

/* CONFIG_IKCONFIG has the config in the kernel, between two marks. */
START_TEST(config_is_read_from_the_kernel)
{
	static struct fake inner, image;
	_cleanup_(freep) char *config = NULL;
	static uint8_t elf[8192];
	size_t n = sizeof(whole_config) - 1;

	fake_image(&inner, (const uint8_t *)whole_config, n);
	n = inner.size - 2 * 512 - 4;
	memcpy(elf + 100, "IKCFG_ST", 8);
	memcpy(elf + 108, inner.data + 2 * 512, n);
	memcpy(elf + 108 + n, "IKCFG_ED", 8);
	fake_image(&image, elf, sizeof(elf));
	put("vmlinuz", image.data, image.size);
	config = vmlinux_config(in_folder("vmlinuz"));
	ck_assert_ptr_nonnull(config);
	ck_assert_str_eq(config, whole_config);
}
END_TEST

START_TEST(kernel_of_another_machine_is_refused)
{
	uint8_t elf[1024] = { 0 };
	struct error err = { 0 };
	Elf64_Ehdr header = { .e_ident = ELFMAG, .e_machine = EM_AARCH64 };

	memcpy(elf, &header, sizeof(header));
	put("vmlinux", elf, sizeof(elf));
	ck_assert_int_eq(vmlinux_check(in_folder("vmlinux"), &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "not a kernel for x86_64"));
	header.e_machine = EM_X86_64;
	memcpy(elf, &header, sizeof(header));
	put("vmlinux", elf, sizeof(elf));
	ck_assert_int_eq(vmlinux_check(in_folder("vmlinux"), &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "CONFIG_PVH"));
}
END_TEST

#define PACKAGE(text)                                                                              \
	{                                                                                          \
		.name = (char *)(text), .size = 1                                                  \
	}

/* Two ways to package a kernel, and what is left of one. */
START_TEST(packages_make_kernels)
{
	struct package packages[] = {
		PACKAGE("linux-image-6.1.0-9-cloud-amd64-unsigned"),
		PACKAGE("linux-image-6.1.0-9-cloud-amd64"),
		PACKAGE("linux-image-6.1.0-56-rt-amd64"),
		PACKAGE("linux-binary-7.0.1+deb13-amd64"),
		PACKAGE("linux-binary-7.3.4+deb13-cloud-amd64"),
		PACKAGE("linux-base-7.3.4+deb13-cloud-amd64"),
		PACKAGE("linux-modules-7.3.4+deb13-cloud-amd64"),
	};
	struct suite suite = { .packages = packages, .count = ARRAY_SIZE(packages) };
	const struct suite_list suites = { .suites = &suite, .count = 1 };
	struct candidate_list list;
	struct error err = { 0 };
	char series[SERIES_SIZE];

	ck_assert_int_eq(candidate_list_init(&list, &suites, &err), 0);
	ck_assert_uint_eq(list.count, 5);
	ck_assert_str_eq(list.candidates[0].release, "7.3.4+deb13-cloud-amd64");
	ck_assert_uint_eq(candidate_size(&list.candidates[0]), 3);
	ck_assert_ptr_null(list.candidates[0].missing);
	ck_assert_str_eq(list.candidates[1].missing, "linux-modules-7.0.1+deb13-amd64");
	ck_assert_int_eq(list.candidates[1].flavour, KERNEL_PLAIN);
	ck_assert_int_eq(list.candidates[2].flavour, KERNEL_RT);
	ck_assert_str_eq(list.candidates[3].release, "6.1.0-9-cloud-amd64");
	ck_assert(!list.candidates[3].is_unsigned);
	ck_assert(list.candidates[4].is_unsigned);
	ck_assert_str_eq(kernel_series(list.candidates[4].release, series), "6.1");
	candidate_list_deinit(&list);
}
END_TEST
#endif

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, cache_setup, cache_teardown);
	tcase_add_loop_test(tc, name_matches_whole_parts, 0, ARRAY_SIZE(names));
	tcase_add_test(tc, releases_compare_by_number);
	tcase_add_test(tc, image_is_taken_apart);
	tcase_add_test(tc, image_without_pvh_note_stays_as_it_is);
	tcase_add_test(tc, image_that_is_cut_short_is_refused);
	tcase_add_test(tc, file_that_is_no_image_is_refused);
	tcase_add_test(tc, name_finds_one_kernel);
	tcase_add_test(tc, package_that_is_damaged_is_refused);
	tcase_add_test(tc, manifest_knows_the_folder);
#if defined(__x86_64__)
	tcase_add_test(tc, kernel_is_added_by_its_name);
	tcase_add_test(tc, what_a_kernel_lacks_is_named);
	tcase_add_test(tc, modules_are_taken_along);
	tcase_add_test(tc, config_is_read_from_the_kernel);
	tcase_add_test(tc, kernel_of_another_machine_is_refused);
	tcase_add_test(tc, packages_make_kernels);
#endif
}

int main(void)
{
	return suite_main("kernel", add_tests);
}
