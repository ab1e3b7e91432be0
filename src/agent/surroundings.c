/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/surroundings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/agent/confinement.h"
#include "src/util/array.h"

#define HOSTS_FILE    "/etc/hosts"
#define RESOLVER_FILE "/etc/resolv.conf"
#define WORK_FOLDER   "/mnt" /* which every machine has, and nothing is in */
#define FACTS_MAX     (SCENARIO_HOSTS_MAX + 3)
#define VARIABLE_SIZE 64

/* What is told: as "{name}" in words, and as DEADPEER_NAME in the environment. */
struct fact {
	const char *name;
	char text[INET6_ADDRSTRLEN];
};

static size_t list_facts(const struct agent_spec *spec, struct fact *facts)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->n_hosts; i++) {
		facts[n].name = spec->hosts[i].name;
		ip_format(facts[n].text, sizeof(facts[n].text), &spec->hosts[i].address);
		n++;
	}
	facts[n].name = "port";
	snprintf(facts[n++].text, sizeof(facts->text), "%u", spec->port);
	facts[n].name = "family";
	snprintf(facts[n++].text, sizeof(facts->text), "%s", family_name(spec->family));
	facts[n].name = "node";
	snprintf(facts[n++].text, sizeof(facts->text), "%s", spec->name);
	return n;
}

/* Copies what one placeholder stands for or one character of `*word`, and moves past it. */
static void expand_one(const struct fact *facts, size_t n, const char **word, FILE *out)
{
	for (size_t i = 0; **word == '{' && i < n; i++) {
		size_t length = strlen(facts[i].name);

		if (!strncmp(*word + 1, facts[i].name, length) && (*word)[length + 1] == '}') {
			fputs(facts[i].text, out);
			*word += length + 2;
			return;
		}
	}
	fputc(*(*word)++, out);
}

static char *expand(const struct agent_spec *spec, const char *word)
{
	struct fact facts[FACTS_MAX];
	size_t size, n = list_facts(spec, facts);
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while (*word)
		expand_one(facts, n, &word, out);
	return fclose(out) == 0 ? text : NULL;
}

char **surroundings_expand(const struct agent_spec *spec, char *const *words)
{
	size_t count = 0;
	char **ret;

	while (words[count])
		count++;
	ret = calloc(count + 1, sizeof(*ret));
	for (size_t i = 0; ret && i < count; i++)
		if (!(ret[i] = expand(spec, words[i])))
			return NULL;
	return ret;
}

/* "replica-2" is DEADPEER_REPLICA_2. */
static void name_variable(const char *name, char *buffer, size_t size)
{
	snprintf(buffer, size, "DEADPEER_%s", name);
	for (char *p = buffer; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

/* Adds "NAME=VALUE" as the environment has it, if it does. */
static int keep_variable(const char *name, char ***kept, size_t *n)
{
	const char *value = getenv(name);
	char **slot = value ? array_append(kept, n, sizeof(*slot)) : NULL;

	if (value && (!slot || asprintf(slot, "%s=%s", name, value) < 0))
		return -ENOMEM;
	return 0;
}

/* Takes everything out of the environment but PATH and what the program wants passed on. */
static int clear_environment(char *const *pass)
{
	char **kept = NULL;
	size_t n = 0;
	int rc = keep_variable("PATH", &kept, &n);

	for (; rc >= 0 && pass && *pass; pass++)
		rc = keep_variable(*pass, &kept, &n);
	clearenv();
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = putenv(kept[i]) ? -ENOMEM : 0;
	return rc;
}

/* What programs commonly want to know, and a user without a home. */
static int set_defaults(void)
{
	static const char *const defaults[][2] = { { "HOME", "/tmp" }, { "TERM", "dumb" } };

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (setenv(defaults[i][0], defaults[i][1], 0) < 0)
			return -errno;
	return 0;
}

int surroundings_set_environment(const struct agent_spec *spec)
{
	struct fact facts[FACTS_MAX];
	size_t n = list_facts(spec, facts);
	char *const *env = spec->program->env;
	int rc = clear_environment(spec->program->pass);

	if (rc >= 0)
		rc = set_defaults();
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		char variable[VARIABLE_SIZE];

		name_variable(facts[i].name, variable, sizeof(variable));
		if (setenv(variable, facts[i].text, 1) < 0)
			return -errno;
	}
	for (char *const *entry = env; entry && *entry; entry++) {
		char *text = expand(spec, *entry);

		if (!text || putenv(text) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int write_hosts(const struct agent_spec *spec, const char *path)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return -errno;
	fputs("127.0.0.1\tlocalhost\n::1\tlocalhost\n", out);
	for (size_t i = 0; i < spec->n_hosts; i++) {
		char address[INET6_ADDRSTRLEN];

		ip_format(address, sizeof(address), &spec->hosts[i].address);
		fprintf(out, "%s\t%s\n", address, spec->hosts[i].name);
	}
	return fclose(out) == 0 ? 0 : -errno;
}

/* No other name is known, and this is told at once: nothing answers at the loopback. */
static int write_resolver(const char *path)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return -errno;
	fputs("nameserver 127.0.0.1\n", out);
	return fclose(out) == 0 ? 0 : -errno;
}

/* The file is in a file system in memory, which /sys hides as soon as it is mounted there too. */
static void mount_hosts(const struct agent_spec *spec)
{
	if (mount("hosts", "/sys", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=755") <
	    0)
		return;
	if (write_hosts(spec, "/sys/hosts") == 0 && access(HOSTS_FILE, F_OK) == 0)
		mount("/sys/hosts", HOSTS_FILE, NULL, MS_BIND, NULL);
	if (write_resolver("/sys/resolver") == 0 && access(RESOLVER_FILE, F_OK) == 0)
		mount("/sys/resolver", RESOLVER_FILE, NULL, MS_BIND, NULL);
	umount2("/sys", MNT_DETACH);
}

static int bind_device(const char *name)
{
	char from[64], to[64];
	int fd;

	snprintf(from, sizeof(from), "/dev/%s", name);
	snprintf(to, sizeof(to), "/sys/%s", name);
	if (access(from, F_OK) < 0)
		return 0;
	fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return mount(from, to, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

/* The devices that every program may want, terminals of its own, and none of the machine's. They
 * are put together where /sys will be. */
static int mount_devices(void)
{
	static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty" };
	static const char *const links[][2] = {
		{ "pts/ptmx", "/sys/ptmx" },	      { "/proc/self/fd", "/sys/fd" },
		{ "/proc/self/fd/0", "/sys/stdin" },  { "/proc/self/fd/1", "/sys/stdout" },
		{ "/proc/self/fd/2", "/sys/stderr" },
	};
	int rc = 0;

	if (mount("devices", "/sys", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=755") < 0)
		return -errno;
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(devices); i++)
		rc = bind_device(devices[i]);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(links); i++)
		rc = symlink(links[i][0], links[i][1]) < 0 ? -errno : 0;
	if (rc < 0 || mkdir("/sys/pts", 0755) < 0 || mkdir("/sys/shm", 0755) < 0 ||
	    mount("terminals", "/sys/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620") < 0 ||
	    mount("shared", "/sys/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0 ||
	    mount("/sys", "/dev", NULL, MS_MOVE, NULL) < 0)
		return rc < 0 ? rc : -errno;
	return 0;
}

/* What is about the machine, and not about the program, is there to read only. */
static void mount_proc(void)
{
	static const char *const folders[] = { "/proc/sys", "/proc/irq",  "/proc/bus",
					       "/proc/fs",  "/proc/acpi", "/proc/sysrq-trigger" };
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	mount("proc", "/proc", "proc", flags, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mount(folders[i], folders[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			mount(NULL, folders[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | flags,
			      NULL);
}

/* Makes the folders above a file. */
static int make_folders(char *path, uid_t owner)
{
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
		if (rc >= 0 && chown(path, owner, owner) < 0)
			rc = -errno;
		*slash = '/';
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int write_file(const struct scenario_file *file, uid_t owner)
{
	_cleanup_(freep) char *path = strdup(file->name);
	FILE *out;
	int rc = path ? make_folders(path, owner) : -ENOMEM;

	if (rc < 0)
		return rc;
	out = fopen(path, "we");
	if (!out)
		return -errno;
	fputs(file->text, out);
	if (fchmod(fileno(out), strncmp(file->text, "#!", 2) ? 0644 : 0755) < 0 ||
	    fchown(fileno(out), owner, owner) < 0)
		rc = -errno;
	return fclose(out) < 0 ? -errno : rc;
}

/* The files' folder is in memory, so that nothing is left of it. */
static int put_files(const struct scenario_program *program)
{
	uid_t owner = confinement_owner(program);
	int rc = 0;

	if (mount("work", WORK_FOLDER, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0 ||
	    chdir(WORK_FOLDER) < 0 || chown(".", owner, owner) < 0)
		return -errno;
	for (size_t i = 0; rc >= 0 && i < program->n_files; i++)
		rc = write_file(&program->files[i], owner);
	return rc;
}

static int add_names(const struct agent_spec *spec, char *const *words, char ***names, size_t *n)
{
	int rc = 0;

	for (; rc >= 0 && words && *words; words++) {
		_cleanup_(freep) char *word = expand(spec, *words);

		rc = word ? strings_append(names, n, word) : -ENOMEM;
	}
	return rc;
}

/* What the scenario names of the machine's files, and much else. */
static char **list_names(const struct agent_spec *spec)
{
	const struct scenario_program *program = spec->program;
	_cleanup_(strings_freep) char **names = calloc(1, sizeof(*names));
	size_t n = 0;

	if (!names || add_names(spec, program->run, &names, &n) < 0 ||
	    add_names(spec, program->ready.command, &names, &n) < 0 ||
	    add_names(spec, program->take, &names, &n) < 0 ||
	    (program->folder && strings_append(&names, &n, program->folder) < 0))
		return NULL;
	return take_ptr(names);
}

int surroundings_mount(const struct agent_spec *spec)
{
	const struct scenario_program *program = spec->program;
	_cleanup_(freep) char *folder = program->n_files ? NULL : getcwd(NULL, 0);
	char **names;
	int rc;

	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	names = list_names(spec);
	if (!names)
		return -ENOMEM;
	rc = confinement_mount(folder, names);
	strings_free(names);
	if (rc < 0)
		return rc;
	rc = mount_devices();
	if (rc < 0)
		return rc;
	mount_hosts(spec);
	mount_proc();
	mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
	return program->n_files ? put_files(program) : 0;
}

int surroundings_enter(const struct agent_spec *spec)
{
	const struct scenario_program *program = spec->program;

	if (program->folder && chdir(program->folder) < 0)
		return -errno;
	return program->n_files && chdir(WORK_FOLDER) < 0 ? -errno : 0;
}
