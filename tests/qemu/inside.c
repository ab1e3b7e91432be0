/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-inside [-k KERNEL] [-m MIB] [-j GUESTS] [-t SECONDS] TREE PROGRAM...
 *
 * Runs each program, a path below the folder TREE, in a guest of its own that has TREE's files,
 * and says in TAP how each ended, and after how long; what a failed one printed goes
 * to standard error, which is what Meson shows of a TAP test. With -v every program's output is
 * shown. The caller's cache is left alone: images are made in one that is removed at the end.
 */
#include "tests/qemu/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/guest/guest.h"
#include "src/guest/init.h"
#include "src/guest/prepare.h"
#include "src/kernel/cache.h"
#include "src/kernel/run-program.h"

#define GUESTS_MAX 16
#define STALL_NSEC (600 * NSEC_PER_SEC) /* a test may print nothing before its end */

struct test {
	const char *program; /* path below the tree, from the command line */
	struct guest *guest;
	struct session *session;
	nsec_t start_nsec;
	FILE *lines; /* writes `text` */
	char *text;
	size_t size;
};

struct session {
	struct loop *loop;
	struct guest_image *image;
	struct inside_job *job; /* with the files after it */
	size_t job_size;
	struct test *tests;
	size_t n_tests, started, ended, failed;
	bool verbose;
	struct error err; /* why a guest could not be started */
};

static struct {
	char *data;
	size_t size, room, root; /* bytes of the path of the tree */
	int failed;
} archive; /* nftw() has no userdata */

static void append(const void *data, size_t size)
{
	if (archive.size + size > archive.room) {
		archive.room = 2 * (archive.size + size);
		archive.data = realloc(archive.data, archive.room);
		if (!archive.data)
			abort();
	}
	memcpy(archive.data + archive.size, data, size);
	archive.size += size;
}

static int append_content(const char *path, size_t size)
{
	_cleanup_(freep) char *content = malloc(size + 1);
	_cleanup_(file_closep) FILE *file = fopen(path, "re");

	if (!content || !file || fread(content, 1, size, file) != size)
		return -1;
	append(content, size);
	return 0;
}

static int append_path(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *inside = path + archive.root;
	struct inside_file file = { .mode = st->st_mode, .path_size = strlen(inside) + 1 };
	char target[4096];
	ssize_t n;

	if (!*inside)
		return 0;
	if (type == FTW_SL) {
		n = readlink(path, target, sizeof(target));
		file.size = n < 0 ? 0 : (uint64_t)n;
	} else if (type == FTW_F) {
		file.size = (uint64_t)st->st_size;
	}
	append(&file, sizeof(file));
	append(inside, file.path_size);
	if (type == FTW_SL)
		append(target, file.size);
	else if (type == FTW_F && append_content(path, file.size) < 0)
		return -1;
	return 0;
}

/* Makes a job of the tree. Its program is filled in for each test. */
static int make_job(struct session *session, const char *tree, uint64_t timeout_sec,
		    struct error *err)
{
	const struct inside_job empty = { 0 };

	append(&empty, sizeof(empty));
	archive.root = strlen(tree);
	if (nftw(tree, append_path, 32, FTW_PHYS) != 0)
		return error_errno(err, -errno, "%s", tree);
	session->job = (struct inside_job *)archive.data;
	session->job->timeout_sec = timeout_sec;
	session->job->size = archive.size - sizeof(empty);
	session->job_size = archive.size;
	return 0;
}

static void on_line(void *userdata, const char *line, size_t size)
{
	struct test *test = userdata;

	fprintf(test->lines, "%.*s\n", (int)size, line);
}

static void show(struct test *test, FILE *to)
{
	fclose(test->lines);
	for (char *line = strtok(test->text, "\n"); line; line = strtok(NULL, "\n"))
		fprintf(to, "# %s\n", line);
	free(test->text);
	test->lines = NULL;
	test->text = NULL;
}

static bool start_next(struct session *session);

static void on_end(void *userdata, int status, const struct error *err)
{
	struct test *test = userdata;
	struct session *session = test->session;
	const char *name = strrchr(test->program, '/');
	bool good = !err && status == 0;

	if (err)
		fprintf(test->lines, "%s\n", err->text);
	else if (status)
		fprintf(test->lines, "exit status %d\n", status);
	name = name ? name + 1 : test->program;
	printf("%sok %zu - %s\n", good ? "" : "not ", ++session->ended, name);
	printf("# %s: %.1f s\n", name, nsec_to_sec(nsec_now() - test->start_nsec));
	if (good && !session->verbose) {
		fclose(test->lines);
		free(test->text);
		test->lines = NULL;
		test->text = NULL;
	} else {
		fflush(stdout);
		show(test, good ? stdout : stderr);
	}
	fflush(stdout);
	test->guest = guest_free(test->guest);
	session->failed += !good;
	if (!start_next(session) && session->ended == session->started)
		loop_quit(session->loop);
}

/* Starts the next test. Returns false if none is left, or it cannot be started. */
static bool start_next(struct session *session)
{
	struct test *test;
	struct guest_config config = {
		.job = session->job,
		.job_size = session->job_size,
		.seed = 1,
		.stall_nsec = STALL_NSEC,
		.line = on_line,
		.end = on_end,
	};

	if (session->started == session->n_tests || session->err.kind != ERROR_NONE)
		return false;
	test = &session->tests[session->started];
	config.userdata = test;
	test->session = session;
	test->start_nsec = nsec_now();
	test->lines = open_memstream(&test->text, &test->size);
	snprintf(session->job->program, sizeof(session->job->program), "/%s", test->program);
	if (guest_new(session->loop, session->image, &config, &test->guest, &session->err) < 0)
		return false;
	session->started++;
	return true;
}

static int run_all(struct session *session, int at_once, struct error *err)
{
	bool any = false;
	int rc = loop_new(&session->loop, err);

	if (rc < 0)
		return rc;
	printf("1..%zu\n", session->n_tests);
	for (int i = 0; i < at_once; i++)
		any |= start_next(session);
	if (any)
		rc = loop_run(session->loop, err);
	for (size_t i = 0; i < session->n_tests; i++)
		guest_free(session->tests[i].guest);
	loop_free(session->loop);
	if (rc >= 0 && session->err.kind != ERROR_NONE) {
		*err = session->err;
		rc = -EIO;
	}
	return rc;
}

/* Finds a kernel and QEMU, or prints the reason why every test is skipped. */
static int find(const char *name, struct kernel *kernel)
{
	_cleanup_(freep) char *qemu = run_program_find("qemu-system-x86_64");
	struct error err = { 0 };

	if (!qemu || kernel_find(name, NULL, kernel, &err) < 0) {
		const char *why = qemu ? err.text : "no qemu-system-x86_64";

		if (getenv("TESTS_MUST_RUN"))
			printf("Bail out! %s\n", why);
		else
			printf("1..0 # SKIP %s\n", why);
		return -1;
	}
	return 0;
}

static int host(struct session *session, const struct guest_image_config *config, const char *tree,
		uint64_t timeout_sec, int at_once, struct error *err)
{
	char folder[] = "/tmp/deadpeer-test.XXXXXX";
	int rc;

	if (!mkdtemp(folder))
		return error_errno(err, -errno, "%s", folder);
	setenv("XDG_CACHE_HOME", folder, 1);
	rc = make_job(session, tree, timeout_sec, err);
	if (rc >= 0)
		rc = prepare_image(config, &session->image, err);
	if (rc >= 0)
		rc = run_all(session, at_once, err);
	guest_image_free(session->image);
	cache_remove(folder);
	return rc;
}

int main(int argc, char **argv)
{
	struct guest_image_config config = { .memory_mib = 512 };
	struct kernel kernel = { 0 };
	struct session session = { 0 };
	struct error err = { 0 };
	uint64_t timeout_sec = 600;
	const char *name = NULL;
	int at_once = 1, c, rc;

	if (guest_init_wanted())
		guest_init_main(NULL, inside_run, NULL);
	while ((c = getopt(argc, argv, "k:m:j:t:v")) != -1) {
		switch (c) {
		case 'k':
			name = optarg;
			break;
		case 'm':
			config.memory_mib = (unsigned)atoi(optarg);
			break;
		case 'j':
			at_once = atoi(optarg);
			break;
		case 't':
			timeout_sec = strtoull(optarg, NULL, 10);
			break;
		case 'v':
			session.verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2)
		return 2;
	if (find(name, &kernel) < 0)
		return 0;
	config.kernel = &kernel;
	session.n_tests = (size_t)(argc - optind) - 1;
	session.tests = calloc(session.n_tests, sizeof(*session.tests));
	for (size_t i = 0; i < session.n_tests; i++)
		session.tests[i].program = argv[optind + 1 + (int)i];
	rc = host(&session, &config, argv[optind], timeout_sec, at_once < 1 ? 1 : at_once, &err);
	if (rc < 0)
		printf("Bail out! %s\n", err.text);
	free(session.tests);
	free(session.job);
	kernel_deinit(&kernel);
	return rc < 0 || session.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
