/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library to be preloaded, which makes looks at the kernel fail. LOOK_CALL names the call
 * (recvmsg, sendto and recv count on sockets of sock_diag only; socket; bpf; clock), LOOK_FIRST the
 * first call that fails, from 1, LOOK_COUNT how many fail in a row and LOOK_ERRNO with which errno.
 * Each failure is a byte in the file LOOK_LOG. Calls of child processes are left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

static struct {
	const char *call;
	long first, count, error, seen;
	pid_t pid;
	int log_fd;
} plan = { .log_fd = -1 };

static long number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void read_plan(void)
{
	const char *log = getenv("LOOK_LOG");

	plan.first = number("LOOK_FIRST");
	plan.count = number("LOOK_COUNT");
	plan.error = number("LOOK_ERRNO");
	plan.pid = getpid();
	if (log)
		plan.log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	plan.call = plan.log_fd >= 0 ? getenv("LOOK_CALL") : NULL;
}

static int fails(const char *call)
{
	if (!plan.call || strcmp(plan.call, call) != 0 || getpid() != plan.pid)
		return 0;
	plan.seen++;
	if (plan.seen < plan.first || plan.seen >= plan.first + plan.count)
		return 0;
	if (write(plan.log_fd, "x", 1) < 0)
		abort();
	errno = (int)plan.error;
	return 1;
}

static int is_diag(int fd)
{
	int domain = 0, protocol = 0, before = errno;
	socklen_t size = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
	errno = before;
	return domain == AF_NETLINK && protocol == NETLINK_SOCK_DIAG;
}

PUBLIC ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	static ssize_t (*real)(int, struct msghdr *, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "recvmsg");
	return is_diag(fd) && fails("recvmsg") ? -1 : real(fd, message, flags);
}

PUBLIC ssize_t sendto(int fd, const void *data, size_t size, int flags,
		      const struct sockaddr *address, socklen_t length)
{
	static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	return is_diag(fd) && fails("sendto") ? -1 : real(fd, data, size, flags, address, length);
}

PUBLIC ssize_t recv(int fd, void *data, size_t size, int flags)
{
	static ssize_t (*real)(int, void *, size_t, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "recv");
	return is_diag(fd) && fails("recv") ? -1 : real(fd, data, size, flags);
}

PUBLIC int socket(int domain, int type, int protocol)
{
	static int (*real)(int, int, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "socket");
	return fails("socket") ? -1 : real(domain, type, protocol);
}

PUBLIC int clock_gettime(clockid_t clock, struct timespec *time)
{
	static int (*real)(clockid_t, struct timespec *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	return clock == CLOCK_REALTIME && fails("clock") ? -1 : real(clock, time);
}

PUBLIC int pidfd_send_signal(int fd, int number, siginfo_t *info, unsigned int flags)
{
	static int (*real)(int, int, siginfo_t *, unsigned int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pidfd_send_signal");
	return fails("pidfd_send_signal") ? -1 : real(fd, number, info, flags);
}

PUBLIC long syscall(long nr, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return nr == SYS_bpf && fails("bpf") ? -1 : real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
