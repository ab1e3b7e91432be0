/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what goes along with a program, in a folder with links and a package manager of its own.
 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/kernel/cache.h"
#include "src/kernel/closure.h"
#include "src/util/format.h"
#include "tests/unit/suite.h"

static char folder[] = "/tmp/deadpeer-closure.XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][256];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

__attribute__((format(printf, 3, 4))) static void put(const char *name, mode_t mode,
						      const char *format, ...)
{
	FILE *file = fopen(in_folder(name), "we");
	va_list ap;

	ck_assert_ptr_nonnull(file);
	va_start(ap, format);
	vfprintf(file, format, ap);
	va_end(ap);
	fclose(file);
	ck_assert_int_eq(chmod(in_folder(name), mode), 0);
}

/* A package "mine" has usr/tool and depends on others, each of one file with its name. */
static void put_packages(void)
{
	static const char *const files[] = { "one",  "second", "virtual", "python9",
					     "undo", "ucf",    "stranger" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put(files[i], 0644, "%s", files[i]);
	put("secret", 0600, "secret");
	put("dpkg-query", 0755,
	    "#!/bin/sh\n"
	    "case $1$3 in\n"
	    "-Wnothing) exit 1 ;;\n"
	    "-Wstranger) echo installed ;;\n"
	    "-W) printf '%%s\\t%%s\\t%%s\\t%%s\\t%%s\\tinstalled\\n' mine mine '' 'one (>= 1)' "
	    "'first | second:any, stands-for, python9-minimal, ucf' \\\n"
	    "  one:amd64 one '' '' mine second second '' '' '' virtual virtual 'other, stands-for "
	    "(= 2)' '' '' \\\n"
	    "  python9-minimal python9-minimal '' '' '' python9 python9 '' '' '' ucf ucf '' '' '' "
	    "\\\n"
	    "  stranger stranger '' '' ''\n"
	    "  printf 'undo\\tundo\\tstands-for\\t\\t\\tconfig-files\\n' ;;\n"
	    "-S*) for path; do [ \"$path\" = %s/usr/tool ] && echo \"mine: $path\"; done; exit 1 "
	    ";;\n"
	    "-L*) shift; for name; do case $name in\n"
	    "  mine) printf '/.\\n%s/usr/tool\\n%s/secret\\n/usr/share/doc/mine\\n' ;;\n"
	    "  *) echo \"%s/${name%%%%:*}\" ;;\n"
	    "  esac; done ;;\n"
	    "esac\n",
	    folder, folder, folder, folder);
}

static void setup(void)
{
	_cleanup_(freep) char *path = NULL;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(mkdir(in_folder("usr"), 0755), 0);
	ck_assert_int_eq(mkdir(in_folder("data"), 0755), 0);
	ck_assert_int_eq(symlink("usr", in_folder("bin")), 0);
	ck_assert_int_eq(symlink("../data/../usr/tool", in_folder("usr/alias")), 0);
	ck_assert_int_eq(symlink("nowhere", in_folder("data/dangling")), 0);
	ck_assert_int_eq(symlink("loop", in_folder("data/loop")), 0);
	ck_assert_int_eq(mkfifo(in_folder("data/fifo"), 0600), 0);
	put("data/file", 0640, "12345");
	put("usr/tool", 0755, "#! /usr/bin/env -S helper -x\n");
	put("usr/helper", 0755, "#!/bin/sh\n");
	put("usr/lost", 0755, "#!/usr/bin/env no-such-interpreter\n");
	put_packages();
	path = format_new("%s:%s/bin:/usr/bin:/bin", folder, folder);
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
}

static void teardown(void)
{
	cache_remove(folder);
}

static int list_one(const struct closure_entry *entry, void *userdata, struct error *err)
{
	fprintf(userdata, "%s%s%s\n", entry->path, entry->link ? " -> " : "",
		entry->link ? entry->link : "");
	return 0;
}

/* All entries, one a line, in the order in which they come. The caller frees it. */
static char *list(const struct closure *c)
{
	struct error err = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(closure_visit(c, list_one, out, &err), 0);
	fclose(out);
	return text;
}

static bool has(const char *text, const char *name, const char *link)
{
	_cleanup_(freep) char *line =
		format_new("%s%s%s\n", in_folder(name), link ? " -> " : "", link ? link : "");
	const char *at = strstr(text, line);

	return at && (at == text || at[-1] == '\n');
}

START_TEST(closure_of_a_command)
{
	char *words[] = { (char *)"alias", (char *)in_folder("data/file"), NULL };
	_cleanup_(closure_freep) struct closure *c = NULL;
	_cleanup_(freep) char *text = NULL;
	struct error err = { 0 };

	ck_assert_int_eq(closure_new(&c, &err), 0);
	ck_assert_msg(closure_add_command(c, words, &err) == 0, "%s", err.text);
	ck_assert_msg(closure_complete(c, &err) == 0, "%s", err.text);
	text = list(c);
	/* What is a link here is one there. */
	ck_assert(has(text, "bin", "usr") && has(text, "usr", NULL));
	ck_assert(has(text, "usr/alias", "../data/../usr/tool") && has(text, "usr/tool", NULL));
	ck_assert(!strstr(text, "/bin/alias"));
	/* env, the interpreter that it is to find, and that one's. */
	ck_assert(has(text, "usr/helper", NULL));
	ck_assert_ptr_nonnull(strstr(text, "/bin/env\n"));
	ck_assert_ptr_nonnull(strstr(text, "/libc.so"));
	/* A word that names a file; a folder only where it is on the way. */
	ck_assert(has(text, "data/file", NULL) && !has(text, "data/dangling", "nowhere"));
	/* The packages: pre-depends, the second of two, one that stands for another, what a
	 * minimal one is a part of. */
	ck_assert(has(text, "one", NULL) && has(text, "second", NULL) &&
		  has(text, "virtual", NULL) && has(text, "python9", NULL));
	ck_assert(!has(text, "undo", NULL) && !has(text, "ucf", NULL) &&
		  !has(text, "stranger", NULL) && !has(text, "secret", NULL));
	ck_assert(!strstr(text, "/usr/share/doc/mine"));
}
END_TEST

START_TEST(closure_of_a_script)
{
	char *words[] = { (char *)"sh", (char *)"-c", (char *)"cd /tmp && exec helper -v;no-such x",
			  NULL };
	_cleanup_(closure_freep) struct closure *c = NULL;
	_cleanup_(freep) char *text = NULL;
	struct error err = { 0 };

	ck_assert_int_eq(closure_new(&c, &err), 0);
	ck_assert_msg(closure_add_command(c, words, &err) == 0, "%s", err.text);
	text = list(c);
	ck_assert(has(text, "usr/helper", NULL) && !has(text, "usr/tool", NULL));
}
END_TEST

START_TEST(closure_of_a_folder)
{
	_cleanup_(closure_freep) struct closure *c = NULL;
	_cleanup_(freep) char *text = NULL;
	struct error err = { 0 };

	ck_assert_int_eq(unlink(in_folder("data/loop")), 0);
	ck_assert_int_eq(closure_new(&c, &err), 0);
	ck_assert_msg(closure_add_tree(c, in_folder("data"), &err) == 0, "%s", err.text);
	text = list(c);
	ck_assert(has(text, "data/file", NULL) && has(text, "data/dangling", "nowhere"));
	ck_assert(!has(text, "data/fifo", NULL) && !has(text, "usr", NULL));
	ck_assert_uint_eq(closure_size(c), 5);
}
END_TEST

static const struct {
	const char *program, *error;
} refused[] = {
	{ "no-such-program", "command 'no-such-program': no such program in $PATH" },
	{ "lost", "no program 'no-such-interpreter' in $PATH" },
};

START_TEST(closure_of_what_is_not_there)
{
	char *words[] = { (char *)refused[_i].program, NULL };
	_cleanup_(closure_freep) struct closure *c = NULL;
	struct error err = { 0 };

	ck_assert_int_eq(closure_new(&c, &err), 0);
	ck_assert_int_eq(closure_add_command(c, words, &err), -EINVAL);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_msg(strstr(err.text, refused[_i].error) != NULL, "%s", err.text);
}
END_TEST

START_TEST(closure_of_a_package)
{
	char *words[] = { (char *)"tool", NULL };
	_cleanup_(closure_freep) struct closure *c = NULL;
	_cleanup_(freep) char *text = NULL;
	struct error err = { 0 };

	ck_assert_int_eq(closure_new(&c, &err), 0);
	ck_assert_msg(closure_add_command(c, words, &err) == 0, "%s", err.text);
	ck_assert_msg(closure_add_package(c, "stranger", &err) == 0, "%s", err.text);
	ck_assert_int_eq(closure_add_package(c, "nothing", &err), -EINVAL);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_str_eq(err.text,
			 "nothing: no such file, and no package of that name is installed");
	ck_assert_msg(closure_complete(c, &err) == 0, "%s", err.text);
	text = list(c);
	ck_assert(has(text, "one", NULL) && has(text, "stranger", NULL));
}
END_TEST

/* Of a shell's script go along the programs that its words name, and nothing else. */
START_TEST(closure_of_words)
{
	_cleanup_(closure_freep) struct closure *c = NULL;
	_cleanup_(freep) char *text = NULL;
	struct error err = { 0 };

	ck_assert_int_eq(closure_new(&c, &err), 0);
	ck_assert(closure_is_shell("/bin/sh") && !closure_is_shell("shell"));
	ck_assert_msg(closure_add_script(c, "echo no-such && (helper>data/file)", &err) == 0, "%s",
		      err.text);
	text = list(c);
	ck_assert(has(text, "usr/helper", NULL) && !has(text, "usr/tool", NULL) &&
		  !has(text, "data/file", NULL));
}
END_TEST

START_TEST(closure_of_a_loop)
{
	_cleanup_(closure_freep) struct closure *c = NULL;
	struct error err = { 0 };

	ck_assert_int_eq(closure_new(&c, &err), 0);
	ck_assert_int_eq(closure_add_tree(c, in_folder("data/loop"), &err), -ELOOP);
	ck_assert_int_eq(closure_add_tree(c, in_folder("nowhere"), &err), -ENOENT);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, closure_of_a_command);
	tcase_add_test(tc, closure_of_a_script);
	tcase_add_test(tc, closure_of_a_folder);
	tcase_add_loop_test(tc, closure_of_what_is_not_there, 0, ARRAY_SIZE(refused));
	tcase_add_test(tc, closure_of_a_package);
	tcase_add_test(tc, closure_of_words);
	tcase_add_test(tc, closure_of_a_loop);
}

int main(void)
{
	return suite_main("closure", add_tests);
}
