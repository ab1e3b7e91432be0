/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests, on every kernel that was fetched: what they can do, that the same job and seed give the
 * same bytes, and that each way to end early is told by name. Needs QEMU and a fetched kernel;
 * skipped (77) without, unless TESTS_MUST_RUN=1.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "src/guest/guest.h"
#include "src/guest/init.h"
#include "src/guest/prepare.h"
#include "src/kernel/cache.h"
#include "src/kernel/run-program.h"
#include "tests/qemu/payload.h"

#define SKIP 77

static struct kernel_list kernels;

struct result {
	struct loop *loop;
	char *text;  /* every line with a newline */
	FILE *lines; /* writes `text` */
	size_t size;
	int status;	  /* of the guest that ended last */
	int running;	  /* guests that have not ended */
	struct error err; /* of the last guest that ended with one */
};

static void on_line(void *userdata, const char *line, size_t size)
{
	struct result *result = userdata;

	fprintf(result->lines, "%.*s\n", (int)size, line);
}

static void on_end(void *userdata, int status, const struct error *err)
{
	struct result *result = userdata;

	result->status = status;
	if (err)
		result->err = *err;
	if (--result->running == 0)
		loop_quit(result->loop);
}

static void result_deinit(struct result *result)
{
	free(result->text);
}

/* Runs `count` guests with one job each, all at once. */
static void run_until(const struct guest_image_config *config, const char *job, int count,
		      nsec_t stall_nsec, struct result *result)
{
	_cleanup_(guest_image_freep) struct guest_image *image = NULL;
	_cleanup_(loop_freep) struct loop *loop = NULL;
	struct guest *guests[8] = { 0 };
	const struct guest_config guest = {
		.job = job,
		.job_size = strlen(job) + 1,
		.seed = 7,
		.stall_nsec = stall_nsec,
		.line = on_line,
		.end = on_end,
		.userdata = result,
	};
	struct error err = { 0 };

	*result = (struct result){ .running = count };
	ck_assert_int_eq(loop_new(&loop, &err), 0);
	result->loop = loop;
	result->lines = open_memstream(&result->text, &result->size);
	ck_assert_msg(prepare_image(config, &image, &err) >= 0, "%s", err.text);
	for (int i = 0; i < count; i++)
		ck_assert_msg(guest_new(loop, image, &guest, &guests[i], &err) >= 0, "%s",
			      err.text);
	ck_assert_int_eq(loop_run(loop, &err), 0);
	for (int i = 0; i < count; i++)
		guest_free(guests[i]);
	fclose(result->lines);
}

static void run(const struct guest_image_config *config, const char *job, int count,
		struct result *result)
{
	run_until(config, job, count, 0, result);
	ck_assert_str_eq(result->err.text, "");
}

static struct guest_image_config config_of(int i)
{
	return (struct guest_image_config){ .kernel = &kernels.kernels[i] };
}

START_TEST(guest_can_what_trials_need)
{
	const struct guest_image_config config = config_of(_i);
	_cleanup_(result_deinit) struct result result;
	char *rest;

	run(&config, "bpf\ntracepoints\npacket\nuserns\n", 1, &result);
	for (char *line = strtok_r(result.text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		ck_assert_msg(strstr(line, "\"result\":0}") != NULL, "%s", line);
}
END_TEST

/* After two hours of virtual time a timer of the kernel is not early, and hardly late. */
START_TEST(two_hours_pass_at_once)
{
	const struct guest_image_config config = config_of(_i);
	_cleanup_(result_deinit) struct result result;
	nsec_t start_nsec;
	long long late = -1;

	run(&config, "random\n", 1, &result);
	result_deinit(&result);
	start_nsec = nsec_now();
	run(&config, "timerfd=7924\n", 1, &result);
	ck_assert_int_eq(sscanf(result.text, "{\"job\":\"timerfd\",\"late_nsec\":%lld}", &late), 1);
	ck_assert_int_ge(late, 0);
	ck_assert_int_lt(late, NSEC_PER_MSEC);
	ck_assert_int_lt(nsec_now() - start_nsec, 10 * NSEC_PER_SEC);
}
END_TEST

static const char job[] =
	"sleep=100\nrandom\nnamespaces=20\nuserns\nsleep=7200\nrandom\ntimerfd=75\n";

START_TEST(same_seed_same_bytes)
{
	const struct guest_image_config config = config_of(_i);
	_cleanup_(result_deinit) struct result one, two;

	run(&config, job, 1, &one);
	run(&config, job, 1, &two);
	ck_assert_uint_gt(one.size, 100);
	ck_assert_str_eq(one.text, two.text);
}
END_TEST

START_TEST(snapshot_changes_no_byte)
{
	const struct guest_image_config warm = config_of(_i);
	struct guest_image_config cold = config_of(_i);
	_cleanup_(result_deinit) struct result one, two;

	cold.no_snapshot = true;
	run(&warm, job, 1, &one);
	run(&cold, job, 1, &two);
	ck_assert_str_eq(one.text, two.text);
}
END_TEST

START_TEST(neighbours_change_no_byte)
{
	const struct guest_image_config config = config_of(_i);
	_cleanup_(result_deinit) struct result one, four;

	run(&config, "sleep=1000\nrandom\n", 1, &one);
	run(&config, "sleep=1000\nrandom\n", 4, &four);
	/* The lines of the guests come in any order, but each guest writes the same two. */
	ck_assert_uint_eq(four.size, 4 * one.size);
	for (char *line = strtok(four.text, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_ptr_nonnull(strstr(one.text, line));
}
END_TEST

static const struct {
	const char *job, *cause;
} ends[] = {
	{ "sleep=1\npanic\n", "its kernel panicked: sysrq triggered crash" },
	{ "sleep=1\noom\n", "it ran out of memory (it has 192 MiB)" },
	{ "sleep=1\nsegv\n", "deadpeer died in it, by signal 11" },
	{ "sleep=1\nspin\n", "it hangs: no progress in 10 s" },
	{ "sleep=1\nlines=100000\n", "more output than a guest may have" },
};

START_TEST(early_end_names_its_cause)
{
	const struct guest_image_config config = config_of(0);
	_cleanup_(result_deinit) struct result result;

	run_until(&config, ends[_i].job, 1, 10 * NSEC_PER_SEC, &result);
	ck_assert_msg(strstr(result.err.text, ends[_i].cause) != NULL, "%s", result.err.text);
	ck_assert_int_eq(error_exit_status(result.err.kind), 3);
	/* The lines before the failure are kept. */
	ck_assert_ptr_nonnull(strstr(result.text, "\"job\":\"sleep\""));
}
END_TEST

START_TEST(status_comes_back)
{
	const struct guest_image_config config = config_of(0);
	_cleanup_(result_deinit) struct result result;

	run(&config, "status=41\n", 1, &result);
	ck_assert_int_eq(result.status, 41);
}
END_TEST

/* Writes over the device state of every snapshot. */
static void damage_snapshots(void)
{
	const char *argv[] = { "sh", "-c",
			       "for s in \"$XDG_CACHE_HOME\"/deadpeer/snapshots/*/; do "
			       "printf xxxx | dd of=$s/device bs=1 seek=100 conv=notrunc; done",
			       NULL };
	struct command command = { .argv = argv };
	struct run_program_result result;
	struct error err;

	ck_assert_int_eq(run_program(&command, &result, &err), 0);
	run_program_result_deinit(&result);
}

START_TEST(damaged_snapshot_is_made_again)
{
	const struct guest_image_config config = config_of(0);
	_cleanup_(result_deinit) struct result one, two;

	run(&config, "sleep=1\nrandom\n", 1, &one);
	damage_snapshots();
	run(&config, "sleep=1\nrandom\n", 1, &two);
	ck_assert_str_eq(one.text, two.text);
}
END_TEST

/* The kernels are taken from the caller's cache, and what is made from them goes to another cache.
 */
static int find_kernels(char *folder)
{
	struct error err = { 0 };
	char *qemu = run_program_find("qemu-system-x86_64");
	int must = getenv("TESTS_MUST_RUN") != NULL;

	if (kernel_list_init(&kernels, &err) < 0 || !kernels.count || !qemu) {
		fprintf(stderr, "no %s\n",
			qemu ? "kernel at hand: deadpeer kernels fetch 6.1" : "QEMU");
		return must ? EXIT_FAILURE : SKIP;
	}
	free(qemu);
	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	setenv("XDG_CACHE_HOME", folder, 1);
	return 0;
}

int main(void)
{
	char folder[] = "/tmp/deadpeer-test.XXXXXX";
	Suite *suite;
	TCase *tcase;
	SRunner *runner;
	int failed;

	if (guest_init_wanted())
		guest_init_main(NULL, payload_run, NULL);
	suite = suite_create("qemu");
	tcase = tcase_create("qemu");
	runner = srunner_create(suite);
	failed = find_kernels(folder);
	if (failed)
		return failed;
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, guest_can_what_trials_need, 0, (int)kernels.count);
	tcase_add_loop_test(tcase, two_hours_pass_at_once, 0, (int)kernels.count);
	tcase_add_loop_test(tcase, same_seed_same_bytes, 0, (int)kernels.count);
	tcase_add_loop_test(tcase, snapshot_changes_no_byte, 0, (int)kernels.count);
	tcase_add_loop_test(tcase, neighbours_change_no_byte, 0, (int)kernels.count);
	tcase_add_loop_test(tcase, early_end_names_its_cause, 0, ARRAY_SIZE(ends));
	tcase_add_test(tcase, status_comes_back);
	tcase_add_test(tcase, damaged_snapshot_is_made_again);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	cache_remove(folder);
	kernel_list_deinit(&kernels);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
