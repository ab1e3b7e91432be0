/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/lacks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/kernel/module.h"
#include "src/kernel/vmlinux.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

/* What trials need of a kernel, and for what. */
static const struct {
	const char *option; /* of its config */
	const char *module; /* that may have it; NULL: it is built in or not there */
	const char *purpose;
	bool required; /* by every trial */
} needs[] = {
	{ "CONFIG_BLK_DEV_INITRD", NULL, "a guest starts from an initramfs", true },
	{ "CONFIG_DEVMEM", NULL, "a guest is told its job through /dev/mem", true },
	{ "CONFIG_DEVTMPFS", NULL, "/dev", true },
	{ "CONFIG_PROC_FS", NULL, "/proc", true },
	{ "CONFIG_SYSFS", NULL, "/sys", true },
	{ "CONFIG_TMPFS", NULL, "/tmp", true },
	{ "CONFIG_UNIX", NULL, "sockets between programs", true },
	{ "CONFIG_INET", NULL, "TCP", true },
	{ "CONFIG_NET_NS", NULL, "hosts are network namespaces", true },
	{ "CONFIG_VETH", "veth", "the cables between hosts", true },
	{ "CONFIG_PACKET", "af_packet", "seeing packets", true },
	{ "CONFIG_INET_DIAG", "inet_diag", "seeing sockets", true },
	{ "CONFIG_INET_TCP_DIAG", "tcp_diag", "seeing sockets of TCP", true },
	{ "CONFIG_IPV6", "ipv6", "--family ipv6", false },
	{ "CONFIG_DEBUG_INFO_BTF", NULL,
	  "tracepoints; without them times come from packets and "
	  "sock_diag",
	  false },
	{ "CONFIG_BPF_SYSCALL", NULL,
	  "tracepoints; without them times come from packets and "
	  "sock_diag",
	  false },
	{ "CONFIG_NET_SCH_NETEM", "sch_netem", "fault: netem", false },
	{ "CONFIG_NF_TABLES", "nf_tables", "fault: drop", false },
	{ "CONFIG_NF_CONNTRACK", "nf_conntrack", "fault: conntrack-flush", false },
	{ "CONFIG_BRIDGE", "bridge", "path: switched", false },
};

/* Returns the text of the file, which the caller frees, or NULL. Frees the path. */
static char *read_text(char *path)
{
	_cleanup_(file_closep) FILE *file = path ? fopen(path, "re") : NULL;
	char *text = NULL;
	size_t size = 0;

	free(path);
	if (file && getdelim(&text, &size, '\0', file) > 0)
		return text;
	free(text);
	return NULL;
}

char *kernel_config(const struct kernel *kernel)
{
	const char *slash = strrchr(kernel->image, '/');
	int n = slash ? (int)(slash - kernel->image) : 0;
	const char *folder = slash ? kernel->image : "";
	char *text = read_text(format_new("%.*s%sconfig", n, folder, slash ? "/" : ""));

	if (!text)
		text = read_text(format_new("%.*s%sconfig-%s", n, folder, slash ? "/" : "",
					    kernel->release));
	if (!text && kernel->modules)
		text = read_text(format_new("%s/config", kernel->modules));
	return text ? text : vmlinux_config(kernel->image);
}

/* Returns 'y', 'm', or 'n' for what a config does not have. */
static char value_of(const char *config, const char *option)
{
	size_t n = strlen(option);

	for (const char *line = config; line && *line; line = strchr(line, '\n'), line += !!line)
		if (strncmp(line, option, n) == 0 && line[n] == '=')
			return line[n + 1];
	return 'n';
}

/* Where the config is not known, a module that is not there may be built in, unless the folder
 * tells what is. */
static bool has(const char *config, const struct module_set *set, const char *option,
		const char *module)
{
	if (module && module_set_has(set, module))
		return true;
	if (config)
		return value_of(config, option) == 'y';
	return !module || !set->builtin;
}

int kernel_lacks(const struct kernel *kernel, kernel_lacks_func tell, struct error *err)
{
	_cleanup_(freep) char *config = kernel_config(kernel);
	struct module_set set;
	int rc = module_set_init(&set, kernel->modules, err);

	for (size_t i = 0; i < ARRAY_SIZE(needs) && rc >= 0; i++) {
		const char *option = needs[i].option, *module = needs[i].module;
		char text[256];

		if (has(config, &set, option, module))
			continue;
		snprintf(text, sizeof(text), "%s (%s)", option, needs[i].purpose);
		if (!needs[i].required)
			tell(kernel, text);
		else if (module && kernel->modules)
			rc = error_input(err, "kernel %s lacks %s, and there is no module %s in %s",
					 kernel->release, text, module, kernel->modules);
		else
			rc = error_input(err, "kernel %s lacks %s%s", kernel->release, text,
					 module ? ", and no --modules are given" : "");
	}
	if (rc >= 0 && kernel->origin == KERNEL_ADDED && !kernel->modules && !config)
		tell(kernel, "modules, which it has to have built in");
	if (rc >= 0 && kernel->origin == KERNEL_ADDED && !config)
		tell(kernel, "a config, as a file or built in (CONFIG_IKCONFIG), that says what it "
			     "can do");
	module_set_deinit(&set);
	return rc;
}
