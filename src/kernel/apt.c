/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/apt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/kernel/cache.h"
#include "src/kernel/run-program.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"
#include "src/util/nsec.h"

#define ARGS_MAX 32
#define HELPER	 "/usr/lib/apt/apt-helper" /* of the package apt; it downloads single files */

static bool succeeded(const struct run_program_result *result)
{
	return WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0;
}

static int run(const char *const *argv, const char *folder, void (*tick)(void *), void *tick_data,
	       struct run_program_result *ret, struct error *err)
{
	struct command command = {
		.argv = argv, .folder = folder, .tick = tick, .tick_data = tick_data
	};
	int rc = run_program(&command, ret, err);

	if (rc == -ENOENT)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "%s not found: kernels are fetched with Debian's package client; "
				 "elsewhere `deadpeer kernels add` takes a vmlinuz, .deb or .rpm",
				 argv[0]);
	return rc;
}

/* Returns the first line that apt calls an error or, if there is none, the first about a list that
 * could not be loaded; NULL if there is neither. */
static const char *complaint_of(char *errors)
{
	const char *failure = NULL;

	for (char *line = strtok(errors, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "E: ", 3) == 0)
			return line + 3;
		if (!failure && strncmp(line, "W: ", 3) == 0)
			failure = line + 3;
	}
	return failure;
}

/* What apt's messages are about. */
enum complaint {
	COMPLAINT_ABSENT,  /* the mirror does not have it */
	COMPLAINT_SPACE,   /* the disk is full */
	COMPLAINT_KEY,	   /* the keyring does not know who signed it */
	COMPLAINT_EXPIRED, /* a list that is older than it may be */
	COMPLAINT_DAMAGED, /* not what the mirror says it is */
	COMPLAINT_OTHER,
};

static enum complaint classify(const char *errors)
{
	static const struct {
		const char *text;
		enum complaint complaint;
	} words[] = {
		{ "No space left", COMPLAINT_SPACE },
		{ "enough free space", COMPLAINT_SPACE },
		{ "Disk quota exceeded", COMPLAINT_SPACE },
		{ "NO_PUBKEY", COMPLAINT_KEY },
		{ "Missing key", COMPLAINT_KEY },
		{ "is not signed", COMPLAINT_KEY },
		{ "is expired", COMPLAINT_EXPIRED },
		{ "is not valid yet", COMPLAINT_EXPIRED },
		{ "Hash Sum mismatch", COMPLAINT_DAMAGED },
		{ "unexpected size", COMPLAINT_DAMAGED },
		{ "does not have a Release file", COMPLAINT_ABSENT },
		{ "404 ", COMPLAINT_ABSENT },
		{ "File not found", COMPLAINT_ABSENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(errors, words[i].text))
			return words[i].complaint;
	return COMPLAINT_OTHER;
}

struct words {
	char *site, *release, *component; /* owned */
};

static void words_deinit(struct words *words)
{
	free(words->site);
	free(words->release);
	free(words->component);
}

/* Whether a suite is one of Debian's, by its name. Ubuntu's are called otherwise. */
static bool is_debian(const char *release)
{
	static const char *const names[] = {
		"bullseye", "bookworm", "trixie",   "forky",	 "sid",
		"stable",   "testing",	"unstable", "oldstable", "oldoldstable",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(release, names[i], n) == 0 &&
		    (!release[n] || release[n] == '-' || release[n] == '/'))
			return true;
	}
	return false;
}

static int take_site(char **to, const char *site)
{
	if (!*to)
		*to = strdup(site);
	return *to ? 0 : -ENOMEM;
}

/* Takes the mirrors out of apt's list of what it loads: each line has an address, a suite, and a
 * component. Others than Debian have suites of the same names, but hardly ever "main" in a folder
 * "debian", so a mirror elsewhere counts only if there is no such one. */
static int take_mirrors(struct apt_mirrors *mirrors, const char *text)
{
	_cleanup_(freep) char *other = NULL;
	int rc = 0;

	for (const char *line = text; rc >= 0 && *line;
	     line += strcspn(line, "\n"), line += !!*line) {
		_cleanup_(words_deinit) struct words w = { 0 };

		if (sscanf(line, "%ms %ms %ms", &w.site, &w.release, &w.component) != 3 ||
		    strcmp(w.component, "main") != 0 || strncmp(w.site, "cdrom:", 6) == 0 ||
		    !is_debian(w.release))
			continue;
		if (strstr(w.release, "-security") || strstr(w.release, "/updates"))
			rc = take_site(&mirrors->security, w.site);
		else if (strstr(w.site, "/debian"))
			rc = take_site(&mirrors->main, w.site);
		else
			rc = take_site(&other, w.site);
	}
	if (!mirrors->main)
		mirrors->main = take_ptr(other);
	return rc;
}

static int ask_machine(struct apt_mirrors *mirrors, struct error *err)
{
	/* Without lists and packages apt tells this at once, and not after reading all of them. */
	static const char *const words[] = { "apt-get",
					     "-oDir::State::Lists=/dev/null/",
					     "-oDir::State::status=/dev/null",
					     "indextargets",
					     "--no-release-info",
					     "--format",
					     "$(SITE) $(RELEASE) $(COMPONENT)",
					     "Created-By: Packages",
					     NULL };
	struct run_program_result result;
	int rc = run(words, NULL, NULL, NULL, &result, err);

	if (rc < 0)
		return rc;
	if (take_mirrors(mirrors, result.output) < 0)
		rc = error_errno(err, -ENOMEM, "apt");
	run_program_result_deinit(&result);
	if (rc >= 0 && !mirrors->main)
		rc = error_set(err, ERROR_CAPABILITY, -ENOENT,
			       "this machine's apt has no mirror of Debian's: give --mirror "
			       "http://deb.debian.org/debian, or take a kernel of your own by "
			       "`deadpeer kernels add`");
	return rc;
}

int apt_mirrors_init(struct apt_mirrors *mirrors, const char *mirror, struct error *err)
{
	size_t n = mirror ? strlen(mirror) : 0;
	int rc = 0;

	*mirrors = (struct apt_mirrors){ 0 };
	while (n && mirror[n - 1] == '/')
		n--;
	if (mirror && (!n || !strstr(mirror, ":/") || strpbrk(mirror, " \t\n[]#")))
		return error_input(err,
				   "--mirror %s: not an address such as "
				   "http://deb.debian.org/debian",
				   mirror);
	if (mirror)
		mirrors->main = strndup(mirror, n);
	else
		rc = ask_machine(mirrors, err);
	if (rc >= 0 && mirrors->main && !mirrors->security)
		mirrors->security = format_new("%s-security", mirrors->main);
	if (rc >= 0 && (!mirrors->main || !mirrors->security))
		rc = error_errno(err, -ENOMEM, "mirrors");
	if (rc < 0)
		apt_mirrors_deinit(mirrors);
	return rc;
}

void apt_mirrors_deinit(struct apt_mirrors *mirrors)
{
	free(mirrors->main);
	free(mirrors->security);
	*mirrors = (struct apt_mirrors){ 0 };
}

/* What a person is told while it takes long. */
struct tick {
	const char *verb, *what; /* "fetching", "6.1.0-56-cloud-amd64"; not owned */
	const char *path;	 /* a file that grows, or NULL; not owned */
	unsigned long long size; /* that it will have; bytes */
	nsec_t start_nsec;	 /* when it began */
	bool told;		 /* a line stands on the terminal */
};

static void tell(void *data)
{
	struct tick *tick = data;
	struct stat st;

	if (nsec_now() - tick->start_nsec < 2 * NSEC_PER_SEC)
		return;
	if (tick->path && stat(tick->path, &st) == 0)
		fprintf(stderr, "\r%s %s: %llu of %llu MiB", tick->verb, tick->what,
			(unsigned long long)st.st_size >> 20, tick->size >> 20);
	else if (!tick->told)
		fprintf(stderr, "%s %s", tick->verb, tick->what);
	else
		return;
	tick->told = true;
}

static int run_and_tell(const char *const *argv, const char *folder, bool progress,
			struct tick *tick, struct run_program_result *ret, struct error *err)
{
	int rc;

	tick->start_nsec = nsec_now();
	rc = run(argv, folder, progress ? tell : NULL, tick, ret, err);
	if (tick->told)
		fputc('\n', stderr);
	return rc;
}

/* What else the machine has configured for lists must not run: it would be about the machine's. */
static const char configuration[] =
	"#clear APT::Update;\n"
	"Acquire::Languages \"none\";\n"
	"Acquire::GzipIndexes \"false\";\n"
	"Acquire::PDiffs \"false\";\n"
	"Acquire::AllowInsecureRepositories \"false\";\n"
	"Acquire::AllowWeakRepositories \"false\";\n"
	"Acquire::http::Timeout \"20\";\n"
	"Acquire::https::Timeout \"20\";\n"
	"APT::Sandbox::User \"root\";\n"; /* apt's own user cannot enter the cache */

static int write_state(const struct apt_suite *suite, const char *folder, struct error *err)
{
	static const char *const subs[] = { "lists", "lists/partial", "cache", "cache/archives",
					    "cache/archives/partial" };
	_cleanup_(freep) char *conf = format_new("%s/apt.conf", folder);
	_cleanup_(freep) char *list = format_new("%s/sources.list", folder);
	_cleanup_(freep) char *line =
		format_new("deb [arch=%s signed-by=%s] %s %s main\n", APT_ARCHITECTURE,
			   suite->keyring, suite->mirror, suite->name);
	int rc;

	if (!conf || !list || !line)
		return error_errno(err, -ENOMEM, "apt");
	for (size_t i = 0; i < ARRAY_SIZE(subs); i++) {
		_cleanup_(freep) char *sub = format_new("%s/%s", folder, subs[i]);

		if (!sub || mkdir(sub, 0700) < 0)
			return cache_error(err, sub ? -errno : -ENOMEM, folder);
	}
	rc = cache_write_text(conf, configuration, err);
	return rc < 0 ? rc : cache_write_text(list, line, err);
}

static int list_error(const struct apt_suite *suite, const char *folder, char *errors,
		      struct error *err)
{
	enum complaint complaint = classify(errors);
	const char *text = complaint_of(errors);

	text = text ? text : "apt-get gave no reason";
	switch (complaint) {
	case COMPLAINT_ABSENT:
		return error_set(err, ERROR_INPUT, -ENODATA, "%s has no suite %s", suite->mirror,
				 suite->name);
	case COMPLAINT_SPACE:
		return cache_error(err, -ENOSPC, folder);
	case COMPLAINT_KEY:
		return error_set(err, ERROR_CAPABILITY, -ENOKEY,
				 "%s of %s cannot be verified with %s (%s): bring Debian's package "
				 "debian-archive-keyring up to date, or give --keyring FILE",
				 suite->name, suite->mirror, suite->keyring, text);
	case COMPLAINT_EXPIRED:
		return error_set(err, ERROR_CAPABILITY, -ESTALE,
				 "%s of %s: %s (is this machine's clock right?)", suite->name,
				 suite->mirror, text);
	default:
		return error_set(err, ERROR_CAPABILITY, -EHOSTUNREACH,
				 "cannot load the packages of %s from %s: %s", suite->name,
				 suite->mirror, text);
	}
}

/* Finds the list among what apt has loaded. A suite without any package has none. */
static int find_list(const char *folder, char **ret_path, struct error *err)
{
	_cleanup_(freep) char *beside = format_new("%s/lists/x", folder);
	glob_t found;

	if (!beside)
		return error_errno(err, -ENOMEM, "apt");
	cache_find(beside, "*_Packages", &found);
	*ret_path = strdup(found.gl_pathc ? found.gl_pathv[0] : "/dev/null");
	globfree(&found);
	return *ret_path ? 0 : error_errno(err, -ENOMEM, "apt");
}

static bool has_release(const char *folder)
{
	_cleanup_(freep) char *beside = format_new("%s/lists/x", folder);
	glob_t found = { 0 };
	bool has;

	if (!beside)
		return false;
	cache_find(beside, "*Release", &found);
	has = found.gl_pathc > 0;
	globfree(&found);
	return has;
}

int apt_load(const struct apt_suite *suite, const char *folder, char **ret_path, struct error *err)
{
	_cleanup_(freep) char *conf = format_new("-c=%s/apt.conf", folder);
	_cleanup_(freep) char *sources =
		format_new("-oDir::Etc::SourceList=%s/sources.list", folder);
	_cleanup_(freep) char *lists = format_new("-oDir::State::Lists=%s/lists", folder);
	_cleanup_(freep) char *cache = format_new("-oDir::Cache=%s/cache", folder);
	const char *argv[] = { "apt-get",
			       "-qq",
			       conf,
			       sources,
			       "-oDir::Etc::SourceParts=/dev/null",
			       lists,
			       "-oDir::State::status=/dev/null",
			       cache,
			       "update",
			       NULL };
	struct tick tick = { .verb = "loading the packages of", .what = suite->name };
	struct run_program_result result;
	int rc = conf && sources && lists && cache ? write_state(suite, folder, err)
						   : error_errno(err, -ENOMEM, "apt");

	if (rc >= 0)
		rc = run_and_tell(argv, folder, suite->progress, &tick, &result, err);
	if (rc < 0)
		return rc;
	/* apt only warns of a mirror that is out of reach. */
	if (succeeded(&result) && has_release(folder) && !strstr(result.errors, "Failed to fetch"))
		rc = find_list(folder, ret_path, err);
	else
		rc = list_error(suite, folder, result.errors, err);
	run_program_result_deinit(&result);
	return rc;
}

/* apt has renamed what it did not take for whole. */
static void remove_damaged(const char *path)
{
	_cleanup_(freep) char *failed = format_new("%s.FAILED", path);

	unlink(path);
	if (failed)
		unlink(failed);
}

static int download_error(const struct apt_file *file, const char *path, char *errors,
			  struct error *err)
{
	enum complaint complaint = classify(errors);
	const char *text = complaint_of(errors);

	text = text ? text : "apt gave no reason";
	switch (complaint) {
	case COMPLAINT_ABSENT:
		return error_set(err, ERROR_CAPABILITY, -ENODATA, "%s is not there (404)",
				 file->url);
	case COMPLAINT_SPACE:
		return cache_error(err, -ENOSPC, path);
	case COMPLAINT_DAMAGED:
		remove_damaged(path);
		return error_set(err, ERROR_FAILED, -EBADMSG,
				 "%s: not what the archive's list says (damaged or truncated); "
				 "removed, try again or another --mirror",
				 file->url);
	default:
		return error_set(err, ERROR_CAPABILITY, -EHOSTUNREACH,
				 "cannot download %s: %s (is the network reachable?)", file->name,
				 text);
	}
}

static int download_once(const struct apt_file *file, const char *path, struct error *err)
{
	_cleanup_(freep) char *hash = format_new("SHA256:%s", file->sha256);
	const char *argv[] = { HELPER,
			       "-qq",
			       "-oAPT::Sandbox::User=root",
			       "-oAcquire::http::Timeout=20",
			       "-oAcquire::https::Timeout=20",
			       "download-file",
			       file->url,
			       path,
			       hash,
			       NULL };
	struct tick tick = {
		.verb = "fetching", .what = file->name, .path = path, .size = file->size
	};
	struct run_program_result result;
	int rc = hash ? run_and_tell(argv, NULL, file->progress, &tick, &result, err)
		      : error_errno(err, -ENOMEM, "apt");

	if (rc < 0)
		return rc;
	if (!succeeded(&result))
		rc = download_error(file, path, result.errors, err);
	run_program_result_deinit(&result);
	return rc;
}

int apt_download(const struct apt_file *file, const char *path, struct error *err)
{
	struct error local = { 0 };
	bool begun = access(path, F_OK) == 0;
	int rc = download_once(file, path, &local);

	/* What was there before may have been damaged, and not what the mirror has. */
	if (rc == -EBADMSG && begun)
		rc = download_once(file, path, &local);
	return error_hand_on(err, rc, &local);
}
