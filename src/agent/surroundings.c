/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/surroundings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define HOSTS_FILE    "/etc/hosts"
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

int surroundings_set_environment(const struct agent_spec *spec, char *const *env)
{
	struct fact facts[FACTS_MAX];
	size_t n = list_facts(spec, facts);

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

/* The file is in a file system in memory, which /sys hides as soon as it is mounted there too. */
static void mount_hosts(const struct agent_spec *spec)
{
	if (mount("hosts", "/sys", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=755") <
	    0)
		return;
	if (write_hosts(spec, "/sys/hosts") == 0 && access(HOSTS_FILE, F_OK) == 0)
		mount("/sys/hosts", HOSTS_FILE, NULL, MS_BIND, NULL);
	umount2("/sys", MNT_DETACH);
}

void surroundings_mount(const struct agent_spec *spec)
{
	if (unshare(CLONE_NEWNS) < 0)
		return;
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return;
	mount_hosts(spec);
	mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}
