/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation. The machine's own apt says which packages there are,
 * and downloads and verifies one; nothing is installed. At first the lists that
 * apt has are used. If they know no such package, or name one that the mirror no
 * longer has, newer lists are loaded into the cache and apt is asked again. There
 * is a lock for each release, so that a second fetch waits for the first and finds
 * its result. A download that was cut off stays in the cache, and apt goes on with
 * it the next time.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "src/kernel/cache.h"
#include "src/kernel/deb.h"
#include "src/kernel/kernel.h"
#include "src/kernel/manifest.h"
#include "src/kernel/run-program.h"
#include "src/util/format.h"
#include "src/util/nsec.h"

#define PACKAGE_PREFIX "linux-image-"
#define ARGS_MAX       32
#define DIGITS_SIZE    (2 * SHA256_DIGEST_SIZE + 1) /* bytes: a hash as text, and the end */

struct apt {
	char *folder;	       /* the cache's folder for apt; owned */
	bool own_lists;	       /* newer lists are in that folder */
	bool progress;	       /* lines for a terminal go to standard error */
	char unreachable[256]; /* apt's complaint when lists could not be loaded, or empty */
};

struct package {
	char *name;		 /* "linux-image-6.1.0-56-cloud-amd64-unsigned"; owned */
	char *release;		 /* "6.1.0-56-cloud-amd64"; owned */
	char *file;		 /* the name that apt gives the download; owned */
	unsigned long long size; /* bytes */
	char sha256[DIGITS_SIZE];
};

static void package_deinit(struct package *package)
{
	free(package->name);
	free(package->release);
	free(package->file);
	*package = (struct package){ 0 };
}

/* Returns the first line that apt calls an error or, if there is none, the first about a list that
 * could not be loaded; NULL if there is neither. */
static const char *apt_complaint(char *errors)
{
	const char *failure = NULL;

	for (char *line = strtok(errors, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "E: ", 3) == 0)
			return line + 3;
		if (!failure && strncmp(line, "W: Failed to fetch", 18) == 0)
			failure = line + 3;
	}
	return failure;
}

static int apt_run(const struct apt *apt, const char *const *words, void (*tick)(void *),
		   void *tick_data, struct run_program_result *ret, struct error *err)
{
	static const char *const options[] = {
		"-oAcquire::Languages=none", "-oAcquire::http::Timeout=20",
		"-oAPT::Sandbox::User=root", /* apt's own user cannot enter the cache */
	};
	_cleanup_(freep) char *cache = format_new("-oDir::Cache=%s/cache", apt->folder);
	_cleanup_(freep) char *lists = format_new("-oDir::State::Lists=%s/lists", apt->folder);
	const char *argv[ARGS_MAX] = { words[0], cache };
	struct command command = {
		.argv = argv,
		.folder = apt->folder,
		.tick = tick,
		.tick_data = tick_data,
	};
	size_t n = 2;
	int rc;

	if (!cache || !lists)
		return error_errno(err, -ENOMEM, "apt");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		argv[n++] = options[i];
	if (apt->own_lists)
		argv[n++] = lists;
	for (size_t i = 1; words[i] && n < ARGS_MAX - 1; i++)
		argv[n++] = words[i];
	rc = run_program(&command, ret, err);
	if (rc == -ENOENT)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "%s not found: kernels are fetched with Debian's package client; "
				 "elsewhere give --kernel the path of a vmlinuz and --modules its "
				 "folder under /lib/modules",
				 words[0]);
	return rc;
}

static bool succeeded(const struct run_program_result *result)
{
	return WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0;
}

static const char *debian_architecture(void)
{
	struct utsname name;

	uname(&name);
	return strcmp(name.machine, "aarch64") == 0 ? "arm64" : "amd64";
}

/* Finds the release in the name of a package. Returns false if the package has no kernel for this
 * machine. */
static bool parse_name(const char *package, char *release, size_t size)
{
	const char *start = package + strlen(PACKAGE_PREFIX);
	size_t n = strlen(start);
	char flavour[32];
	int f = snprintf(flavour, sizeof(flavour), "-cloud-%s", debian_architecture());

	if (strncmp(package, PACKAGE_PREFIX, strlen(PACKAGE_PREFIX)) != 0)
		return false;
	if (n > 9 && strcmp(start + n - 9, "-unsigned") == 0)
		n -= 9;
	if (n <= (size_t)f || n >= size || strncmp(start + n - f, flavour, (size_t)f) != 0)
		return false;
	memcpy(release, start, n);
	release[n] = '\0';
	/* "6.12-cloud-amd64" is no kernel but a package that depends on the newest. */
	return isdigit((unsigned char)release[0]) && memchr(release, '.', n - (size_t)f) &&
	       strchr(strchr(release, '.') + 1, '.');
}

/* Sorts the newest first and, of the two packages of one kernel, the unsigned one. */
static int compare_names(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	char rx[128] = "", ry[128] = "";
	int c;

	parse_name(x, rx, sizeof(rx));
	parse_name(y, ry, sizeof(ry));
	c = kernel_release_compare(ry, rx);
	return c ? c : (int)strlen(y) - (int)strlen(x);
}

/* Asks apt for the file of the package; returns false when apt cannot download it. */
static bool locate(const struct apt *apt, const char *name, struct package *ret)
{
	const char *words[] = { "apt-get", "-qq", "download", "--print-uris", name, NULL };
	struct package package = { 0 };
	struct run_program_result result;
	struct error ignored;
	char release[128];
	bool ok;

	if (apt_run(apt, words, NULL, NULL, &result, &ignored) < 0)
		return false;
	ok = succeeded(&result) && parse_name(name, release, sizeof(release)) &&
	     sscanf(result.output, "'%*[^']' %ms %llu SHA256:%64s", &package.file, &package.size,
		    package.sha256) == 3 &&
	     !strchr(package.file, '/') && (package.name = strdup(name)) &&
	     (package.release = strdup(release));
	run_program_result_deinit(&result);
	if (ok)
		*ret = package;
	else
		package_deinit(&package);
	return ok;
}

/* Finds the newest package that `name` means and that can be downloaded. Fails with -ENOENT,
 * without a text, when there is none. */
static int resolve(const struct apt *apt, const char *name, struct package *ret, struct error *err)
{
	const char *words[] = { "apt-cache", "pkgnames", PACKAGE_PREFIX, NULL };
	_cleanup_(freep) const char **names = NULL;
	struct run_program_result result;
	char release[128];
	size_t count = 0;
	int rc = apt_run(apt, words, NULL, NULL, &result, err);

	if (rc < 0)
		return rc;
	names = calloc(strlen(result.output) / 2 + 1, sizeof(*names));
	for (char *p = names ? strtok(result.output, "\n") : NULL; p; p = strtok(NULL, "\n"))
		if (parse_name(p, release, sizeof(release)) && kernel_name_matches(name, release))
			names[count++] = p;
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	rc = -ENOENT;
	/* Some names are only mentioned by other packages, so up to eight are tried. */
	for (size_t i = 0; i < count && i < 8 && rc < 0; i++)
		rc = locate(apt, names[i], ret) ? 0 : -ENOENT;
	run_program_result_deinit(&result);
	return rc;
}

/* Loads newer lists into the cache. */
static int update(struct apt *apt, struct error *err)
{
	const char *words[] = { "apt-get", "-qq", "update", NULL };
	_cleanup_(freep) char *path = format_new("%s/lists", apt->folder);
	_cleanup_(fd_closep) int lock = -1;
	struct run_program_result result;
	const char *complaint;
	int rc;

	if (!path)
		return error_errno(err, -ENOMEM, "apt");
	rc = cache_lock(path, &lock, err);
	if (rc < 0)
		return rc;
	apt->own_lists = true;
	if (apt->progress)
		fprintf(stderr, "loading package lists\n");
	rc = apt_run(apt, words, NULL, NULL, &result, err);
	if (rc < 0)
		return rc;
	/* apt only warns of a mirror that is out of reach, and the kernel may come from another. */
	complaint = apt_complaint(result.errors);
	snprintf(apt->unreachable, sizeof(apt->unreachable), "%s", complaint ? complaint : "");
	run_program_result_deinit(&result);
	return 0;
}

struct tick {
	const char *path;	       /* of the download; not owned */
	const struct package *package; /* not owned */
	nsec_t start_nsec;	       /* when the download began */
	bool told;		       /* a line stands on the terminal */
};

static void tell(void *data)
{
	struct tick *tick = data;
	struct stat st;

	if (nsec_now() - tick->start_nsec < 2 * NSEC_PER_SEC || stat(tick->path, &st) < 0)
		return;
	fprintf(stderr, "\rfetching %s: %llu of %llu MiB", tick->package->release,
		(unsigned long long)st.st_size >> 20, tick->package->size >> 20);
	tick->told = true;
}

/* apt has verified the download, perhaps in an earlier run. This finds out whether it was damaged
 * since.
 */
static int verify(const struct package *package, const char *path, struct error *err)
{
	char text[DIGITS_SIZE];
	struct cache_key key;
	int rc;

	cache_key_init(&key);
	rc = cache_key_add_content(&key, path);
	if (rc < 0)
		return error_errno(err, rc, "%s", path);
	if (strcmp(cache_key_digits(&key, text, sizeof(text)), package->sha256) == 0)
		return 0;
	unlink(path);
	return error_set(err, ERROR_FAILED, -EBADMSG,
			 "%s: not what the archive has (damaged or truncated); removed, try again",
			 path);
}

static bool no_space(const char *errors)
{
	return strstr(errors, "No space left") || strstr(errors, "enough free space");
}

static int download(const struct apt *apt, const struct package *package, const char *path,
		    struct error *err)
{
	const char *words[] = { "apt-get", "-qq", "download", package->name, NULL };
	struct tick tick = { .path = path, .package = package, .start_nsec = nsec_now() };
	struct run_program_result result;
	int rc = apt_run(apt, words, apt->progress ? tell : NULL, &tick, &result, err);
	const char *complaint;

	if (rc < 0)
		return rc;
	if (tick.told)
		fputc('\n', stderr);
	if (!succeeded(&result) && no_space(result.errors))
		rc = cache_error(err, -ENOSPC, apt->folder);
	else if (!succeeded(&result)) {
		complaint = apt_complaint(result.errors);
		rc = error_set(err, ERROR_CAPABILITY, -EHOSTUNREACH,
			       "cannot download %s: %s (is the network reachable?)", package->name,
			       complaint ? complaint : "apt-get gave no reason");
	}
	run_program_result_deinit(&result);
	return rc < 0 ? rc : verify(package, path, err);
}

static int unpack(const char *deb, const char *target, struct error *err)
{
	_cleanup_(freep) char *temporary = cache_temporary(target);
	int rc;

	if (!temporary)
		return error_errno(err, -ENOMEM, "%s", target);
	if (mkdir(temporary, 0700) < 0)
		return cache_error(err, -errno, temporary);
	rc = deb_unpack_kernel(deb, temporary, err);
	if (rc >= 0)
		rc = kernel_manifest_write(temporary, err);
	if (rc >= 0)
		cache_remove(target); /* If it is there, it is damaged. */
	if (rc >= 0 && rename(temporary, target) < 0)
		rc = cache_error(err, -errno, target);
	if (rc < 0)
		cache_remove(temporary);
	return rc;
}

/* Downloads and unpacks the package, unless it was unpacked before and is still whole. */
static int install(const struct apt *apt, const struct package *package, struct error *err)
{
	_cleanup_(freep) char *kernels = NULL, *target = NULL, *deb = NULL;
	_cleanup_(fd_closep) int lock = -1;
	int rc = cache_folder("kernels", &kernels, err);

	if (rc < 0)
		return rc;
	target = format_new("%s/%s", kernels, package->release);
	deb = format_new("%s/%s", apt->folder, package->file);
	if (!target || !deb)
		return error_errno(err, -ENOMEM, "kernel");
	rc = cache_lock(target, &lock, err);
	if (rc < 0)
		return rc;
	if (kernel_manifest_check(target))
		return 0;
	rc = download(apt, package, deb, err);
	if (rc < 0)
		return rc;
	rc = unpack(deb, target, err);
	if (rc >= 0 || rc == -EBADMSG)
		unlink(deb);
	return rc;
}

static int make_apt_folders(struct apt *apt, struct error *err)
{
	static const char *const subs[] = { "apt/lists/partial", "apt/cache/archives/partial" };
	int rc = cache_folder("apt", &apt->folder, err);

	for (size_t i = 0; i < ARRAY_SIZE(subs) && rc >= 0; i++) {
		_cleanup_(freep) char *path = NULL;

		rc = cache_folder(subs[i], &path, err);
	}
	return rc;
}

static int refuse(const struct apt *apt, const char *name, struct error *err)
{
	if (apt->unreachable[0])
		return error_set(err, ERROR_CAPABILITY, -EHOSTUNREACH,
				 "cannot load package lists: %s", apt->unreachable);
	return error_input(err,
			   "the machine's apt knows no cloud kernel '%s' (try `apt-cache search "
			   "--names-only 'linux-image-.*-cloud'`)",
			   name);
}

static int fetch(struct apt *apt, const char *name, struct package *package, struct error *err)
{
	int rc = resolve(apt, name, package, err);

	if (rc >= 0) {
		rc = install(apt, package, err);
		/* If the mirror no longer has the package, newer lists name another one. */
		if (rc != -EHOSTUNREACH)
			return rc;
		package_deinit(package);
	} else if (rc != -ENOENT || err->kind == ERROR_CAPABILITY) {
		return rc;
	}
	rc = update(apt, err);
	if (rc < 0)
		return rc;
	*err = (struct error){ 0 };
	rc = resolve(apt, name, package, err);
	if (rc == -ENOENT && err->kind == ERROR_NONE)
		return refuse(apt, name, err);
	return rc < 0 ? rc : install(apt, package, err);
}

int kernel_fetch(const char *name, bool progress, struct kernel *ret, struct error *err)
{
	struct apt apt = { .progress = progress };
	struct package package = { 0 };
	struct error local = { 0 };
	int rc = make_apt_folders(&apt, &local);

	if (progress)
		fprintf(stderr, "asking apt for the newest %s\n", name);
	if (rc >= 0)
		rc = fetch(&apt, name, &package, &local);
	if (rc >= 0)
		rc = kernel_find(package.release, NULL, ret, &local);
	package_deinit(&package);
	free(apt.folder);
	return error_hand_on(err, rc, &local);
}
