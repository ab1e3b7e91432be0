/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files are written to a guest's output as lines, and read back from there. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/engine/guest-files.h"
#include "src/kernel/cache.h"
#include "src/util/cleanup.h"
#include "tests/unit/suite.h"

static char folder[64];

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/deadpeer-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(mkdir("in", 0700), 0);
	ck_assert_int_eq(mkdir("out", 0700), 0);
}

static void teardown(void)
{
	cache_remove(folder);
}

static void put(const char *path, const void *data, size_t size)
{
	_cleanup_(file_closep) FILE *file = fopen(path, "w");

	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
}

/* Gives the lines that the guest writes to the host, one by one. Returns the first error. */
static int hand_over(uint64_t room, struct error *err)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc = guest_files_write("in", room, out, err);

	fclose(out);
	if (rc < 0)
		ck_assert_uint_eq(size, 0);
	else
		ck_assert_uint_le(size, room);
	for (char *line = text, *end; rc >= 0 && (end = memchr(line, '\n', size)); line = end + 1) {
		*end = '\0';
		size -= (size_t)(end - line) + 1;
		ck_assert(guest_files_match(line));
		rc = guest_files_read(line, (size_t)(end - line), "out", "out", err);
	}
	return rc;
}

static void check_same(const char *name, const void *data, size_t size)
{
	_cleanup_(file_closep) FILE *file = NULL;
	char path[64], got[4096];

	snprintf(path, sizeof(path), "out/%s", name);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(got, 1, sizeof(got), file), size);
	ck_assert_mem_eq(got, data, size);
}

START_TEST(every_byte_comes_through)
{
	unsigned char all[1024];
	static const char tricky[] = "\\n\n\\\\\n\0n\\";
	struct error err = { 0 };

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)(i * 7);
	put("in/a.pcap", all, sizeof(all));
	put("in/b.pcap", tricky, sizeof(tricky));
	put("in/empty.pcap", "", 0);
	ck_assert_msg(hand_over(4096, &err) == 0, "%s", err.text);
	check_same("a.pcap", all, sizeof(all));
	check_same("b.pcap", tricky, sizeof(tricky));
	check_same("empty.pcap", "", 0);
}
END_TEST

START_TEST(too_much_is_said_once)
{
	struct error err = { 0 };
	char newlines[100];

	memset(newlines, '\n', sizeof(newlines)); /* Each newline takes two bytes. */
	put("in/a.pcap", newlines, sizeof(newlines));
	ck_assert_int_eq(hand_over(150, &err), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(err.text, "a guest can hand out 150 bytes"));
	ck_assert_int_eq(hand_over(250, &err), 0);
	check_same("a.pcap", newlines, sizeof(newlines));
}
END_TEST

START_TEST(names_stay_in_the_folder)
{
	static const char *const lines[] = { "file ../x data", "file a/b data", "file .x data",
					     "file  data", "file x" };
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		ck_assert_int_eq(guest_files_read(lines[i], strlen(lines[i]), "out", "out", NULL),
				 -EBADMSG);
	ck_assert(!guest_files_match("0 {\"schema\":1}"));
	ck_assert_int_eq(guest_files_read("file x data", 11, "no/such", "no/such", &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "no/such/x: No such file"));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_byte_comes_through);
	tcase_add_test(tc, too_much_is_said_once);
	tcase_add_test(tc, names_stay_in_the_folder);
}

int main(void)
{
	return suite_main("guest-files", add_tests);
}
