/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs guests with small jobs: test-guest [-k KERNEL] [-n GUESTS] [-s SEED] [-m MIB] [-c] WORD...
 * (-c: cold, no snapshot; -t: tell the time it took). The words are the job; see jobs[] below.
 * Output goes to standard output, each line as it comes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/guest/guest.h"
#include "src/guest/init.h"
#include "src/guest/prepare.h"
#include "tests/qemu/payload.h"

static struct loop *loop;
static int running, worst;

static void on_line(void *userdata, const char *line, size_t size)
{
	printf("%.*s\n", (int)size, line);
	fflush(stdout);
}

static void on_end(void *userdata, int status, const struct error *err)
{
	int result = err ? error_exit_status(err->kind) : status;

	if (err)
		fprintf(stderr, "deadpeer: %s\n", err->text);
	worst = result > worst ? result : worst;
	if (--running == 0)
		loop_quit(loop);
}

static int run(const struct guest_image_config *config, const char *job, unsigned long seed,
	       int count, struct error *err)
{
	_cleanup_(guest_image_freep) struct guest_image *image = NULL;
	struct guest *guests[64] = { 0 };
	struct guest_config guest = {
		.job = job,
		.job_size = strlen(job) + 1,
		.seed = seed,
		.stall_nsec = getenv("STALL") ? atoi(getenv("STALL")) * NSEC_PER_SEC : 0,
		.line = on_line,
		.end = on_end,
	};
	int rc = prepare_image(config, &image, err);

	for (int i = 0; i < count && rc >= 0; i++) {
		rc = guest_new(loop, image, &guest, &guests[i], err);
		running += rc >= 0;
	}
	if (rc >= 0)
		rc = loop_run(loop, err);
	for (int i = 0; i < count; i++)
		guest_free(guests[i]);
	return rc;
}

static int host(int argc, char **argv, struct error *err)
{
	struct guest_image_config config = { 0 };
	const char *name = NULL, *modules = NULL;
	char job[4096] = "";
	unsigned long seed = 1;
	struct kernel kernel;
	int count = 1, timed = 0, c, rc;
	nsec_t start_nsec = nsec_now();

	while ((c = getopt(argc, argv, "k:M:n:s:m:ct")) != -1) {
		switch (c) {
		case 'k':
			name = optarg;
			break;
		case 'M':
			modules = optarg;
			break;
		case 'n':
			count = atoi(optarg);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			config.memory_mib = (unsigned)atoi(optarg);
			break;
		case 'c':
			config.no_snapshot = true;
			break;
		case 't':
			timed = 1;
			break;
		default:
			return 2;
		}
	}
	for (int i = optind; i < argc; i++)
		snprintf(job + strlen(job), sizeof(job) - strlen(job), "%s\n", argv[i]);
	rc = loop_new(&loop, err);
	if (rc >= 0)
		rc = kernel_find(name, modules, &kernel, err);
	if (rc < 0)
		return rc;
	config.kernel = &kernel;
	rc = run(&config, job, seed, count, err);
	kernel_deinit(&kernel);
	loop_free(loop);
	if (timed)
		fprintf(stderr, "%.3f s\n", nsec_to_sec(nsec_now() - start_nsec));
	return rc < 0 ? rc : worst;
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	int rc;

	if (guest_init_wanted())
		guest_init_main(NULL, payload_run, NULL);
	rc = host(argc, argv, &err);
	if (rc >= 0)
		return rc;
	fprintf(stderr, "deadpeer: %s\n", err.text);
	return err.kind == ERROR_NONE ? 1 : error_exit_status(err.kind);
}
