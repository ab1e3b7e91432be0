/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/probe.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns/firewall.h"
#include "netns/link.h"
#include "netns/packetfilter.h"
#include "netns/qdisc.h"
#include "netns/route.h"
#include "netns/sockdiag.h"
#include "netns/sysctl.h"
#include "src/engine/engine.h"
#include "src/kernel/kernel.h"
#include "src/model/model.h"
#include "src/observer/tracepoints.h"
#include "src/testbed/privilege.h"
#include "src/util/cleanup.h"
#include "src/util/tick.h"

#define TIME_LIMIT_S 20	   /* a probe that takes longer is killed */
#define NOBODY	     65534 /* root becomes this user to try what an ordinary user may do */
#define BPF_RING     65536 /* bytes: nothing is watched */
#define CONTAINER    "in a container: docker or podman run --privileged"
#define FDS_WANTED   1024 /* descriptors that the usual number of trials at once needs */

static int probe_kernel(struct netns *ns, char *detail, size_t size, struct error *err)
{
	struct utsname u;

	if (uname(&u) < 0)
		return error_errno(err, -errno, "uname");
	if (tick_init(err) < 0)
		return -EIO;
	snprintf(detail, size, "%s %s, %u timer ticks a second", u.sysname, u.release, tick_hz());
	return 0;
}

static int probe_privilege(struct netns *ns, char *detail, size_t size, struct error *err)
{
	bool root = privilege_is_root();

	snprintf(detail, size, "%s", root ? "root" : "an ordinary user, in a user namespace");
	return privilege_acquire(err);
}

/* Tries what an ordinary user may do. Root becomes an ordinary user first. */
static int probe_rootless(struct netns *ns, char *detail, size_t size, struct error *err)
{
	if (geteuid() == 0 &&
	    (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return error_errno(err, -errno, "become an ordinary user");
	prctl(PR_SET_DUMPABLE, 1); /* else the files of /proc/self stay root's */
	snprintf(detail, size, "ordinary users may make user namespaces");
	return privilege_acquire(err);
}

/* Makes a network namespace, in which other probes are tried. */
static int make_namespace(struct netns **ret_ns, struct error *err)
{
	int rc = privilege_acquire(err);

	return rc < 0 ? rc : netns_new(ret_ns, err);
}

static int probe_netns(struct netns *ns, char *detail, size_t size, struct error *err)
{
	_cleanup_(netns_freep) struct netns *made = NULL;

	return make_namespace(&made, err);
}

static int probe_veth(struct netns *ns, char *detail, size_t size, struct error *err)
{
	_cleanup_(nl_freep) struct nl *nl = NULL;
	struct link_end a = { .name = "a" }, b = { .name = "b" };
	int rc = nl_new(ns, NETLINK_ROUTE, &nl, err);

	if (rc < 0)
		return rc;
	link_put_veth(nl, &a, &b, 0);
	return nl_commit(nl, err);
}

static int probe_sysctl(struct netns *ns, char *detail, size_t size, struct error *err)
{
	return sysctl_set(ns, "net.ipv4.tcp_retries2", "3", err);
}

static int probe_policy_routing(struct netns *ns, char *detail, size_t size, struct error *err)
{
	_cleanup_(nl_freep) struct nl *nl = NULL;
	int rc = nl_new(ns, NETLINK_ROUTE, &nl, err);

	if (rc < 0)
		return rc;
	route_put_rule(nl, AF_INET, "lo", 101, 100);
	return nl_commit(nl, err);
}

static int probe_pid_namespace(struct netns *ns, char *detail, size_t size, struct error *err)
{
	int rc = privilege_acquire(err), status = 0;
	pid_t pid;

	if (rc < 0)
		return rc;
	if (unshare(CLONE_NEWPID) < 0)
		return errno == ENOSPC
			       ? error_set(err, ERROR_CAPABILITY, -ENOSPC,
					   "the limit of PID namespaces is reached" PROBE_REMEDY
					   "sysctl user.max_pid_namespaces=10000, as root")
			       : error_errno(err, -errno, "unshare(CLONE_NEWPID)");
	pid = fork();
	if (pid < 0)
		return error_errno(err, -errno, "fork in a PID namespace");
	if (pid == 0)
		_exit(getpid() == 1 ? 0 : 1);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return error_set(err, ERROR_CAPABILITY, -ECHILD, "no PID namespace was made");
	return 0;
}

static int probe_packet_socket(struct netns *ns, char *detail, size_t size, struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;

	return netns_socket(ns, AF_PACKET, SOCK_RAW, 0, &fd, err);
}

static int ignore_socket(const struct sockdiag_socket *socket, void *userdata)
{
	return 0;
}

static int probe_sock_diag(struct netns *ns, char *detail, size_t size, struct error *err)
{
	_cleanup_(nl_freep) struct nl *nl = NULL;
	_cleanup_(fd_closep) int fd = -1;
	int rc = nl_new(ns, NETLINK_SOCK_DIAG, &nl, err);

	if (rc >= 0)
		rc = sockdiag_dump(nl, AF_INET, ~0u, ignore_socket, NULL, err);
	return rc < 0 ? rc : sockdiag_listen_destroy(ns, AF_INET, &fd, err);
}

static int probe_ipv6(struct netns *ns, char *detail, size_t size, struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;

	return netns_socket(ns, AF_INET6, SOCK_STREAM, 0, &fd, err);
}

/* Fails with the text `missing` if the kernel lacks a feature, which is when `has` returns 0. */
static int require(int (*has)(struct error *err), const char *missing, struct error *err)
{
	int rc = has(err);

	if (rc == 0)
		return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP, "the kernel has no %s",
				 missing);
	return rc < 0 ? rc : 0;
}

static int probe_nf_tables(struct netns *ns, char *detail, size_t size, struct error *err)
{
	return require(packetfilter_probe,
		       "nf_tables ingress hook; the fault drop needs it, and blackhole where there "
		       "is no router",
		       err);
}

static int probe_conntrack(struct netns *ns, char *detail, size_t size, struct error *err)
{
	return require(firewall_probe,
		       "connection tracking with NAT for nf_tables; path.conntrack, path.nat and "
		       "path.untracked need it",
		       err);
}

static int probe_netem(struct netns *ns, char *detail, size_t size, struct error *err)
{
	return require(qdisc_netem_probe, "sch_netem; delay, loss and rate need it", err);
}

static void ignore_event(uint64_t netns, const struct observation *observation, void *userdata)
{
}

/* Returns what brings the tracepoints: tracepoints_new() tells its causes apart by these errors. */
static const char *remedy_of_bpf(int rc)
{
	switch (rc) {
	case -EOPNOTSUPP:
		return "a build with libbpf-dev, clang and bpftool";
	case -EPERM:
	case -EACCES:
		return "run as root, with CAP_BPF and CAP_PERFMON; " CONTAINER;
	case -ENOSYS:
		return "a kernel with CONFIG_BPF_SYSCALL";
	default:
		return access("/sys/kernel", F_OK) == 0 ? "a kernel with CONFIG_DEBUG_INFO_BTF"
							: "mount -t sysfs none /sys";
	}
}

static int probe_bpf(struct netns *ns, char *detail, size_t size, struct error *err)
{
	_cleanup_(tracepoints_freep) struct tracepoints *bpf = NULL;
	struct error reason = { 0 };
	int rc = privilege_acquire(err);

	if (rc < 0)
		return rc;
	rc = tracepoints_new(BPF_RING, ignore_event, NULL, &bpf, &reason);
	if (rc >= 0)
		return rc;
	return error_set(err, reason.kind, rc, "%s%s%s", reason.text, PROBE_REMEDY,
			 reason.kind == ERROR_CAPABILITY ? remedy_of_bpf(rc) : "run with --no-bpf");
}

static int probe_descriptors(struct netns *ns, char *detail, size_t size, struct error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return error_errno(err, -errno, "getrlimit");
	if (limit.rlim_max < FDS_WANTED)
		return error_set(err, ERROR_CAPABILITY, -EMFILE,
				 "%ju; fewer trials than usual run at once",
				 (uintmax_t)limit.rlim_max);
	snprintf(detail, size, "%ju", (uintmax_t)limit.rlim_max);
	return 0;
}

/* Searches the folders of administrators' programs too, which not every user has in PATH. */
static int find_program(const char *name, char *path, size_t size, struct error *err)
{
	const char *directories = getenv("PATH");
	_cleanup_(freep) char *all = NULL;
	char *rest = NULL;

	if (asprintf(&all, "%s:/usr/sbin:/sbin", directories ? directories : "/usr/bin:/bin") < 0)
		return error_errno(err, -ENOMEM, "%s", name);
	for (char *dir = strtok_r(all, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest)) {
		snprintf(path, size, "%s/%s", dir, name);
		if (access(path, X_OK) == 0)
			return 0;
	}
	return error_set(err, ERROR_CAPABILITY, -ENOENT, "no program '%s'", name);
}

static int probe_iproute2(struct netns *ns, char *detail, size_t size, struct error *err)
{
	char path[256];
	int rc = find_program("ss", path, sizeof(path), err);

	return rc < 0 ? rc : find_program("ip", detail, size, err);
}

static int probe_tcpdump(struct netns *ns, char *detail, size_t size, struct error *err)
{
	return find_program("tcpdump", detail, size, err);
}

static int probe_tshark(struct netns *ns, char *detail, size_t size, struct error *err)
{
	return find_program("tshark", detail, size, err);
}

/* Runs a program and returns its output, standard error included, as much as fits. */
static int read_output(char *const argv[], char *buffer, size_t size, struct error *err)
{
	int ends[2], status = 0;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe(ends) < 0)
		return error_errno(err, -errno, "pipe");
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close_range(STDERR_FILENO + 1, ~0U, 0);
		execv(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	while (n + 1 < size && (got = read(ends[0], buffer + n, size - 1 - n)) > 0)
		n += (size_t)got;
	buffer[n] = '\0';
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return error_set(err, ERROR_CAPABILITY, -ECHILD, "'%s %s' failed", argv[0],
				 argv[1]);
	return 0;
}

static int probe_qemu(struct netns *ns, char *detail, size_t size, struct error *err)
{
	char text[512], *argv[] = { detail, (char *)"-accel", (char *)"help", NULL };
	_cleanup_(freep) char *version = NULL;
	size_t n;
	int rc = find_program("qemu-system-x86_64", detail, size, err);

	if (rc >= 0)
		rc = read_output(argv, text, sizeof(text), err);
	if (rc < 0)
		return rc;
	if (!strstr(text, "tcg"))
		return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP, "%s has no accelerator 'tcg'",
				 argv[0]);
	for (size_t i = 0; engines[i] && rc >= 0 && !version; i++)
		if (engines[i]->emulator)
			rc = engines[i]->emulator(&version, err);
	if (rc < 0)
		return rc;
	n = strlen(detail);
	snprintf(detail + n, size - n, ", version %s", version);
	return 0;
}

/* Names the kernels that guests may run. */
static int probe_kernels(struct netns *ns, char *detail, size_t size, struct error *err)
{
	struct kernel_list list;
	int rc = kernel_list_init(&list, err);
	size_t n = 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < list.count && n < size; i++)
		n += (size_t)snprintf(detail + n, size - n, "%s%s", i ? ", " : "",
				      list.kernels[i].name);
	if (!list.count)
		rc = error_set(err, ERROR_CAPABILITY, -ENOENT, "there is none at hand");
	kernel_list_deinit(&list);
	return rc;
}

const struct probe probes[] = {
	{ "kernel", true, false, probe_kernel, NULL, NULL },
	{ "privilege", true, false, probe_privilege, "run as root; " CONTAINER, NULL },
	{ "rootless", false, false, probe_rootless, NULL, NULL },
	{ PROBE_NETWORK_NAMESPACES, true, false, probe_netns,
	  "a kernel with CONFIG_NET_NS; sysctl user.max_net_namespaces; " CONTAINER, NULL },
	{ "PID namespaces", true, false, probe_pid_namespace,
	  "a kernel with CONFIG_PID_NS; sysctl user.max_pid_namespaces; " CONTAINER, NULL },
	{ "veth", true, true, probe_veth, "modprobe veth; a kernel with CONFIG_VETH", NULL },
	{ "policy routing", true, true, probe_policy_routing,
	  "a kernel with CONFIG_IP_MULTIPLE_TABLES", NULL },
	{ "sysctls", true, true, probe_sysctl, "a writable /proc/sys; " CONTAINER, NULL },
	{ "packet sockets", true, true, probe_packet_socket, "modprobe af_packet; CONFIG_PACKET",
	  NULL },
	{ "sock_diag", true, true, probe_sock_diag, "modprobe tcp_diag; CONFIG_INET_TCP_DIAG",
	  NULL },
	{ "IPv6", false, true, probe_ipv6, "a kernel booted without ipv6.disable=1", "IPv6" },
	{ PROBE_TRACEPOINTS, false, false, probe_bpf, NULL, NULL },
	{ "nf_tables ingress", false, true, probe_nf_tables,
	  "modprobe nf_tables; CONFIG_NETFILTER_INGRESS", "the fault drop" },
	{ "conntrack and NAT", false, true, probe_conntrack,
	  "modprobe nf_conntrack nft_ct nft_masq; a distribution's kernel has them",
	  "connection tracking and NAT" },
	{ "netem", false, true, probe_netem, "modprobe sch_netem; a distribution's kernel has it",
	  "delay, loss and rate" },
	{ "file descriptors", false, false, probe_descriptors, "ulimit -Hn 65536, as root", NULL },
	{ "iproute2", false, false, probe_iproute2, "apt-get install iproute2", NULL },
	{ "tcpdump", false, false, probe_tcpdump, "apt-get install tcpdump", NULL },
	{ "tshark", false, false, probe_tshark, "apt-get install tshark", NULL },
	{ PROBE_QEMU, false, false, probe_qemu, "apt-get install qemu-system-x86", NULL },
	{ PROBE_KERNELS, false, false, probe_kernels, "deadpeer kernels fetch 6.1", NULL },
	{ 0 },
};

/* Takes the remedy out of the text of an error that knows one. */
static void fill_failed(const struct probe *probe, struct probe_result *result, const char *text)
{
	const char *remedy = strstr(text, PROBE_REMEDY);

	snprintf(result->detail, sizeof(result->detail), "%.*s",
		 remedy ? (int)(remedy - text) : (int)strlen(text), text);
	if (remedy)
		remedy += strlen(PROBE_REMEDY);
	else
		remedy = probe->remedy ? probe->remedy : "";
	snprintf(result->remedy, sizeof(result->remedy), "%.511s", remedy);
}

_Noreturn static void run_in_child(const struct probe *probe, int fd)
{
	_cleanup_(netns_freep) struct netns *ns = NULL;
	struct probe_result result = { 0 };
	struct error err = { 0 };
	int rc;

	alarm(TIME_LIMIT_S);
	rc = probe->in_namespace ? make_namespace(&ns, &err) : 0;
	if (rc >= 0)
		rc = probe->func(ns, result.detail, sizeof(result.detail), &err);
	result.ok = rc >= 0;
	if (!result.ok)
		fill_failed(probe, &result, err.kind == ERROR_NONE ? strerror(-rc) : err.text);
	_exit(write(fd, &result, sizeof(result)) == sizeof(result) ? 0 : 1);
}

int probe_run(const struct probe *probe, struct probe_result *ret_result, struct error *err)
{
	struct probe_result result = { 0 };
	int ends[2], status = 0;
	pid_t pid;

	if (pipe(ends) < 0)
		return error_errno(err, -errno, "pipe");
	fflush(NULL); /* else the child would write what is buffered here once more */
	pid = fork();
	if (pid == 0)
		run_in_child(probe, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error_errno(err, -errno, "fork");
	}
	if (read(ends[0], &result, sizeof(result)) != sizeof(result))
		result.ok = false;
	close(ends[0]);
	if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
		result = (struct probe_result){ .detail = "the probe did not come to an end" };
	result.tried = true;
	*ret_result = result;
	return 0;
}
