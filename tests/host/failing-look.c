/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library to be preloaded, which makes looks at the kernel fail. LOOK_CALL names them as
 * fails() is told. LOOK_FIRST is the first one that fails, from 1,
 * LOOK_COUNT how many fail in a row (with 0 none does, and each is logged), and LOOK_ERRNO with
 * which errno. They are those of deadpeer itself, or with LOOK_WHO=agents of the built-in programs,
 * which are counted together. Each failure is a byte in the file LOOK_LOG. What a command does is
 * left alone.
 */
/* open() and open64() are two here, whatever the build says. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

/* Declares `real`, the C library's function that takes these parameters. */
#define REAL(type, name, ...)                                                                      \
	static type (*real)(__VA_ARGS__);                                                          \
	if (!real)                                                                                 \
	*(void **)&real = dlsym(RTLD_NEXT, name)

static struct {
	const char *call;
	long first, count, error;
	long *seen; /* shared with the children */
	int agents;
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
	const char *log = getenv("LOOK_LOG"), *call = getenv("LOOK_CALL"),
		   *who = getenv("LOOK_WHO");

	if (!log || !call || strcmp(program_invocation_short_name, "deadpeer") != 0)
		return;
	plan.first = number("LOOK_FIRST");
	plan.count = number("LOOK_COUNT");
	plan.error = number("LOOK_ERRNO");
	plan.agents = who && strcmp(who, "agents") == 0;
	plan.pid = getpid();
	plan.log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	plan.seen = mmap(NULL, sizeof(*plan.seen), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plan.log_fd < 0 || plan.seen == MAP_FAILED)
		abort();
	plan.call = call;
}

/* An agent has closed what it does not need. */
static void log_failure(void)
{
	int fd = plan.agents ? -1 : plan.log_fd;

	if (plan.agents)
		fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("LOOK_LOG"),
				  O_WRONLY | O_APPEND | O_CLOEXEC, 0);
	if (write(fd, "x", 1) < 0)
		abort();
	if (plan.agents)
		close(fd);
}

static int fails(const char *call)
{
	long seen;

	if (!plan.call || strcmp(plan.call, call) != 0 || (getpid() != plan.pid) != plan.agents)
		return 0;
	seen = __atomic_add_fetch(plan.seen, 1, __ATOMIC_RELAXED);
	if (!plan.count)
		log_failure();
	if (seen < plan.first || seen >= plan.first + plan.count)
		return 0;
	log_failure();
	errno = (int)plan.error;
	return 1;
}

static int real_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	REAL(int, "getsockopt", int, int, int, void *, socklen_t *);
	return real(fd, level, option, value, size);
}

/* What a look at the socket is called: CALL-diag, CALL-netlink or CALL-control. */
static int socket_fails(int fd, const char *diag, const char *netlink, const char *control)
{
	int domain = 0, protocol = 0, before = errno;
	socklen_t size = sizeof(int);
	const char *call = NULL;

	if (!plan.call)
		return 0;
	real_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
	real_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
	errno = before;
	if (domain == AF_NETLINK)
		call = protocol == NETLINK_SOCK_DIAG ? diag : netlink;
	else if (domain == AF_UNIX)
		call = control;
	return call && fails(call);
}

PUBLIC ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	REAL(ssize_t, "recvmsg", int, struct msghdr *, int);
	return socket_fails(fd, "recvmsg-diag", "recvmsg-netlink", NULL) ? -1
									 : real(fd, message, flags);
}

PUBLIC ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(ssize_t, "sendmsg", int, const struct msghdr *, int);
	return socket_fails(fd, "sendmsg-diag", "sendmsg-netlink", NULL) ? -1
									 : real(fd, message, flags);
}

PUBLIC ssize_t sendto(int fd, const void *data, size_t size, int flags,
		      const struct sockaddr *address, socklen_t length)
{
	REAL(ssize_t, "sendto", int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	return socket_fails(fd, "sendto-diag", "sendto-netlink", NULL)
		       ? -1
		       : real(fd, data, size, flags, address, length);
}

PUBLIC ssize_t recv(int fd, void *data, size_t size, int flags)
{
	REAL(ssize_t, "recv", int, void *, size_t, int);
	return socket_fails(fd, "recv-diag", "recv-netlink", "recv-control")
		       ? -1
		       : real(fd, data, size, flags);
}

PUBLIC ssize_t send(int fd, const void *data, size_t size, int flags)
{
	REAL(ssize_t, "send", int, const void *, size_t, int);
	return socket_fails(fd, NULL, NULL, "send-control") ? -1 : real(fd, data, size, flags);
}

PUBLIC int recvmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags,
		    struct timespec *timeout)
{
	REAL(int, "recvmmsg", int, struct mmsghdr *, unsigned int, int, struct timespec *);
	return fails("recvmmsg") ? -1 : real(fd, messages, n, flags, timeout);
}

PUBLIC int getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	int wanted = level == SOL_PACKET ? fails("getsockopt-packet") : fails("getsockopt");

	return wanted ? -1 : real_getsockopt(fd, level, option, value, size);
}

PUBLIC int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	REAL(int, "setsockopt", int, int, int, const void *, socklen_t);
	return fails("setsockopt") ? -1 : real(fd, level, option, value, size);
}

PUBLIC int getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
	REAL(int, "getsockname", int, struct sockaddr *, socklen_t *);
	return fails("getsockname") ? -1 : real(fd, address, size);
}

PUBLIC int socket(int domain, int type, int protocol)
{
	REAL(int, "socket", int, int, int);
	return fails("socket") ? -1 : real(domain, type, protocol);
}

PUBLIC int ioctl(int fd, unsigned long request, ...)
{
	REAL(int, "ioctl", int, unsigned long, void *);
	va_list ap;
	void *argument;

	va_start(ap, request);
	argument = va_arg(ap, void *);
	va_end(ap);
	return fails("ioctl") ? -1 : real(fd, request, argument);
}

/* Files are opened by all of these. */
#define OPENS(name)                                                                                \
	PUBLIC int name(const char *path, int flags, ...)                                          \
	{                                                                                          \
		REAL(int, #name, const char *, int, ...);                                          \
		va_list ap;                                                                        \
		mode_t mode;                                                                       \
		va_start(ap, flags);                                                               \
		mode = va_arg(ap, mode_t);                                                         \
		va_end(ap);                                                                        \
		return fails("open") ? -1 : real(path, flags, mode);                               \
	}
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                                                             \
	PUBLIC int name(int fd, const char *path, int flags, ...)                                  \
	{                                                                                          \
		REAL(int, #name, int, const char *, int, ...);                                     \
		va_list ap;                                                                        \
		mode_t mode;                                                                       \
		va_start(ap, flags);                                                               \
		mode = va_arg(ap, mode_t);                                                         \
		va_end(ap);                                                                        \
		return fails("open") ? -1 : real(fd, path, flags, mode);                           \
	}
OPENS_AT(openat)
OPENS_AT(openat64)

#define OPENS_STREAM(name)                                                                         \
	PUBLIC FILE *name(const char *path, const char *mode)                                      \
	{                                                                                          \
		REAL(FILE *, #name, const char *, const char *);                                   \
		return fails("open") ? NULL : real(path, mode);                                    \
	}
OPENS_STREAM(fopen)
OPENS_STREAM(fopen64)

PUBLIC int clock_gettime(clockid_t clock, struct timespec *time)
{
	REAL(int, "clock_gettime", clockid_t, struct timespec *);
	const char *call = clock == CLOCK_REALTIME	     ? "clock-real"
			   : clock == CLOCK_MONOTONIC	     ? "clock"
			   : clock == CLOCK_MONOTONIC_COARSE ? "clock-coarse"
							     : "clock-other";

	return fails(call) ? -1 : real(clock, time);
}

PUBLIC int clock_getres(clockid_t clock, struct timespec *resolution)
{
	REAL(int, "clock_getres", clockid_t, struct timespec *);
	return fails("clock_getres") ? -1 : real(clock, resolution);
}

PUBLIC int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	REAL(int, "epoll_wait", int, struct epoll_event *, int, int);
	return fails("epoll_wait") ? -1 : real(fd, events, n, timeout);
}

PUBLIC int epoll_ctl(int fd, int operation, int other, struct epoll_event *event)
{
	REAL(int, "epoll_ctl", int, int, int, struct epoll_event *);
	return operation == EPOLL_CTL_ADD && fails("epoll_ctl") ? -1
								: real(fd, operation, other, event);
}

PUBLIC int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	REAL(int, "timerfd_settime", int, int, const struct itimerspec *, struct itimerspec *);
	return fails("timerfd_settime") ? -1 : real(fd, flags, new, old);
}

PUBLIC int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	REAL(int, "waitid", idtype_t, id_t, siginfo_t *, int);
	return fails("wait") ? -1 : real(type, id, info, options);
}

PUBLIC pid_t waitpid(pid_t pid, int *status, int options)
{
	REAL(pid_t, "waitpid", pid_t, int *, int);
	return fails("wait") ? -1 : real(pid, status, options);
}

PUBLIC int pidfd_send_signal(int fd, int number, siginfo_t *info, unsigned int flags)
{
	REAL(int, "pidfd_send_signal", int, int, siginfo_t *, unsigned int);
	return fails("pidfd_send_signal") ? -1 : real(fd, number, info, flags);
}

PUBLIC long syscall(long nr, ...)
{
	REAL(long, "syscall", long, ...);
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if ((nr == SYS_bpf && fails("bpf")) || (nr == SYS_clone && fails("clone")))
		return -1;
	return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
