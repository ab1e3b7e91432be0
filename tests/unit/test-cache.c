/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds of the cache: stamps, locks, what is in use, what killed runs have left. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/kernel/cache-entries.h"
#include "src/kernel/cache.h"
#include "src/util/cleanup.h"
#include "src/util/interrupt.h"
#include "tests/unit/cache-fixture.h"
#include "tests/unit/suite.h"

START_TEST(stamp_knows_the_file)
{
	_cleanup_(freep) char *path = strdup(in_folder("entry.cpio"));
	struct error err = { 0 };

	put("new", "content", 7);
	ck_assert_int_eq(cache_commit(in_folder("new"), path, &err), 0);
	ck_assert(cache_is_whole(path));
	put("entry.cpio", "CONTENT", 7);
	ck_assert(!cache_is_whole(path));
	put("new", "content", 7);
	ck_assert_int_eq(cache_commit(in_folder("new"), path, &err), 0);
	ck_assert(cache_is_whole(path));
	ck_assert_int_eq(truncate(in_folder("entry.cpio.stamp"), 0), 0);
	ck_assert(!cache_is_whole(path));
}
END_TEST

#define RIVALS 4
#define TURNS  200

/* Takes the lock and lets go of it, which removes its file, over and over. `inside` counts who has
 * it. */
static void take_turns(const char *path, atomic_int *inside, atomic_int *broken)
{
	for (int i = 0; i < TURNS; i++) {
		struct error err = { 0 };
		int lock = -1;

		while (cache_try_lock(path, &lock, &err) == 0)
			sched_yield();
		if (lock < 0 || atomic_fetch_add(inside, 1) != 0)
			atomic_fetch_add(broken, 1);
		sched_yield();
		atomic_fetch_sub(inside, 1);
		cache_unlock(path, lock);
	}
}

START_TEST(lock_whose_file_is_removed_is_still_one_lock)
{
	_cleanup_(freep) char *path = strdup(in_folder("entry"));
	atomic_int *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	ck_assert(shared != MAP_FAILED);
	for (int i = 0; i < RIVALS; i++) {
		if (fork() == 0) {
			take_turns(path, &shared[0], &shared[1]);
			_exit(0);
		}
	}
	for (int i = 0; i < RIVALS; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(atomic_load(&shared[1]), 0);
	ck_assert_int_eq(access(in_folder("entry.lock"), F_OK), -1);
	munmap(shared, 4096);
}
END_TEST

/* Makes an image of `bytes` that was last used so long ago. */
static void put_image(const char *name, size_t bytes, time_t age)
{
	_cleanup_(freep) char *data = calloc(1, bytes), *file = NULL, *stamp = NULL;
	struct timespec times[2] = { { .tv_sec = time(NULL) - age },
				     { .tv_sec = time(NULL) - age } };

	ck_assert_int_gt(asprintf(&file, "deadpeer/images/%s", name), 0);
	ck_assert_int_gt(asprintf(&stamp, "%s.stamp", file), 0);
	put(file, data, bytes);
	put(stamp, "", 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, in_folder(stamp), times, 0), 0);
}

START_TEST(what_is_held_is_not_removed)
{
	_cleanup_(freep) char *images = NULL;
	struct error err = { 0 };
	struct cache_list list;
	int held;

	ck_assert_int_eq(cache_folder("images", &images, &err), 0);
	put_image("new.cpio", 8192, 10);
	put_image("old.cpio", 8192, 1000);
	put("deadpeer/images/gone.cpio.stamp", "", 0);
	put("deadpeer/images/dead.cpio.1-1.tmp", "", 0);
	put("deadpeer/images/dead.cpio.stamp.1-2.tmp", "", 0);
	put("deadpeer/images/dead.cpio.lock", "", 0);
	put("deadpeer/images/strange.tmp", "", 0);
	held = cache_hold(in_folder("deadpeer/images/old.cpio"));
	ck_assert_int_ge(held, 0);
	ck_assert_int_eq(cache_list_init(&list, &err), 0);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(cache_entry_name(&list.entries[0]), "old.cpio");
	ck_assert(list.entries[0].in_use);
	ck_assert(!list.entries[1].in_use);
	ck_assert_int_eq(cache_entry_remove(&list.entries[0], &err), 0);
	ck_assert_int_eq(cache_entry_remove(&list.entries[1], &err), 1);
	close(held);
	ck_assert_int_eq(cache_entry_remove(&list.entries[0], &err), 1);
	ck_assert_int_eq(cache_hold(in_folder("deadpeer/images/old.cpio")), -1);
	cache_list_deinit(&list);
	ck_assert_int_eq(unlink(in_folder("deadpeer/images/strange.tmp")), 0);
	ck_assert_int_eq(rmdir(images), 0); /* neither stamp, lock nor temporary file is left */
}
END_TEST

START_TEST(link_in_the_cache_is_refused)
{
	_cleanup_(freep) char *path = NULL;
	struct error err = { 0 };
	struct cache_list list;

	ck_assert_int_eq(mkdir(in_folder("elsewhere"), 0700), 0);
	ck_assert_int_eq(mkdir(in_folder("deadpeer"), 0700), 0);
	ck_assert_int_eq(symlink("../elsewhere", in_folder("deadpeer/images")), 0);
	ck_assert_int_eq(cache_folder("images", &path, &err), -ELOOP);
	ck_assert_int_eq(error_exit_status(err.kind), 3);
	ck_assert_int_eq(cache_list_init(&list, &err), -ELOOP);
	ck_assert_int_eq(unlink(in_folder("deadpeer/images")), 0);
	ck_assert_int_eq(mkdir(in_folder("deadpeer/images"), 0700), 0);
	ck_assert_int_eq(symlink("../../elsewhere", in_folder("deadpeer/images/a.cpio")), 0);
	ck_assert_int_eq(cache_list_init(&list, &err), -ELOOP);
	ck_assert_ptr_nonnull(strstr(err.text, "a.cpio is a symbolic link"));
	cache_remove(in_folder("deadpeer"));
	ck_assert_int_eq(symlink("elsewhere", in_folder("deadpeer")), 0);
	ck_assert_int_eq(cache_folder("images", &path, &err), -ELOOP);
	ck_assert_int_eq(rmdir(in_folder("elsewhere")), 0); /* nothing was made there */
}
END_TEST

/* A signal that is blocked ends the wait for an entry that another process is making. */
START_TEST(signal_ends_the_wait_for_a_lock)
{
	_cleanup_(freep) char *path = strdup(in_folder("entry"));
	_cleanup_(fd_closep) int held = -1;
	struct error err = { 0 };
	int other = -1;

	ck_assert_int_eq(cache_lock(path, &held, &err), 0);
	ck_assert_int_eq(interrupt_block(&err), 0);
	ck_assert_int_eq(raise(SIGTERM), 0);
	ck_assert_int_eq(cache_lock(path, &other, &err), -EINTR);
	ck_assert_int_eq(error_exit_status(err.kind), 130);
	ck_assert_int_eq(other, -1);
}
END_TEST

/* A home that does not exist is not made: it is a mistake, or that of an account that has none. */
START_TEST(cache_makes_no_home)
{
	_cleanup_(freep) char *home = strdup(in_folder("home")), *path = NULL;
	struct error err = { 0 };

	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", home, 1);
	ck_assert_int_eq(cache_folder("kernels", &path, &err), -ENOENT);
	ck_assert_int_eq(error_exit_status(err.kind), 3);
	ck_assert_ptr_nonnull(strstr(err.text, home));
	ck_assert_int_eq(access(home, F_OK), -1);
	ck_assert_int_eq(mkdir(home, 0700), 0);
	ck_assert_int_eq(cache_folder("kernels", &path, &err), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(leftovers_go_unless_their_entry_is_locked)
{
	_cleanup_(freep) char *held_path = strdup(in_folder("held"));
	_cleanup_(fd_closep) int held = -1;
	struct error err = { 0 };

	ck_assert_int_eq(cache_lock(held_path, &held, &err), 0);
	put("held.1-1.tmp", "", 0);
	put("dead.2-1.tmp", "", 0);
	ck_assert_int_eq(mkdir(in_folder("dead.2-2.tmp"), 0700), 0);
	put("dead.2-2.tmp/memory", "", 0);
	put("dead", "", 0);
	cache_remove_leftovers(held_path);
	ck_assert_int_eq(access(in_folder("held.1-1.tmp"), F_OK), 0);
	ck_assert_int_eq(access(in_folder("dead"), F_OK), 0);
	ck_assert_int_eq(access(in_folder("dead.2-1.tmp"), F_OK), -1);
	ck_assert_int_eq(access(in_folder("dead.2-2.tmp"), F_OK), -1);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, cache_setup, cache_teardown);
	tcase_add_test(tc, stamp_knows_the_file);
	tcase_add_test(tc, lock_whose_file_is_removed_is_still_one_lock);
	tcase_add_test(tc, what_is_held_is_not_removed);
	tcase_add_test(tc, link_in_the_cache_is_refused);
	tcase_add_test(tc, signal_ends_the_wait_for_a_lock);
	tcase_add_test(tc, cache_makes_no_home);
	tcase_add_test(tc, leftovers_go_unless_their_entry_is_locked);
}

int main(void)
{
	return suite_main("cache", add_tests);
}
