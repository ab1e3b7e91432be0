/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/testbed/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/util/userns.h"

static bool has_capability(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[capability / 32].effective & (1u << (capability % 32));
}

bool privilege_is_root(void)
{
	return has_capability(CAP_SYS_ADMIN) && has_capability(CAP_NET_ADMIN);
}

static int refuse_user_namespace(int rc, struct error *err)
{
	char cause[256];
	const char *remedy = userns_refusal(rc, cause, sizeof(cause));

	return error_set(err, ERROR_CAPABILITY, rc, "%s. Remedy: %s", cause, remedy);
}

static int enter_user_namespace(struct error *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int rc = unshare(CLONE_NEWUSER) < 0 ? -errno : 0;

	/* Outside of it the files that root writes are theirs. */
	if (rc >= 0)
		rc = userns_map(0, 0, uid, gid);
	return rc < 0 ? refuse_user_namespace(rc, err) : 0;
}

/* In a container /proc/sys is often read-only. If the container is privileged, this mounts a new
 * proc in a mount namespace of its own. If the kernel refuses that, the first sysctl that is set
 * fails with an error of its own. */
static void make_proc_sys_writable(void)
{
	struct statvfs fs;

	if (statvfs("/proc/sys", &fs) >= 0 && fs.f_flag & ST_RDONLY && unshare(CLONE_NEWNS) >= 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) >= 0)
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* netns_new() goes back to the namespace that it left, which the kernel allows only if that
 * namespace belongs to our user namespace. The host's does not when we are root of a user namespace
 * only. No mistake can reach the host's network either from here on. */
static int leave_host_network(struct error *err)
{
	int rc = unshare(CLONE_NEWNET) < 0 ? -errno : 0;

	if (rc == -ENOSPC)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "the limit of network namespaces is reached. Remedy: sysctl "
				 "user.max_net_namespaces=10000, as root");
	if (rc == -EINVAL)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "the kernel has no network namespaces. Remedy: a kernel with "
				 "CONFIG_NET_NS");
	if (rc < 0)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "network namespaces: unshare(CLONE_NEWNET): %s. Remedy: run as "
				 "root; in a container: docker or podman run --privileged",
				 strerror(-rc));
	return 0;
}

int privilege_acquire(struct error *err)
{
	int rc = privilege_is_root() ? 0 : enter_user_namespace(err);

	if (rc >= 0)
		rc = leave_host_network(err);
	if (rc >= 0)
		make_proc_sys_writable();
	return rc;
}
