/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests of guests run these small jobs by their names. */
#include "tests/qemu/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "src/guest/init.h"
#include "src/util/cleanup.h"
#include "src/util/nsec.h"

static int say(FILE *out, const char *what, int result)
{
	fprintf(out, "{\"job\":\"%s\",\"at_nsec\":%lld,\"result\":%d}\n", what,
		(long long)nsec_now(), result);
	return 0;
}

static int job_sleep(FILE *out, long n)
{
	struct timespec ts = { n, 0 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	return say(out, "sleep", 0);
}

/* Prints one number that is made of a thousand random ones of the kernel. */
static int job_random(FILE *out, long n)
{
	uint32_t number[4];

	if (getrandom(number, sizeof(number), 0) != sizeof(number))
		return -errno;
	fprintf(out, "{\"job\":\"random\",\"value\":\"%08x%08x%08x%08x\"}\n", number[0], number[1],
		number[2], number[3]);
	return 0;
}

static int job_namespaces(FILE *out, long n)
{
	nsec_t start_nsec = nsec_now();

	for (long i = 0; i < n; i++)
		if (unshare(CLONE_NEWNET) < 0)
			return say(out, "namespaces", -errno);
	fprintf(out, "{\"job\":\"namespaces\",\"count\":%ld,\"took_nsec\":%lld}\n", n,
		(long long)(nsec_now() - start_nsec));
	return 0;
}

static int job_lines(FILE *out, long n)
{
	for (long i = 0; i < n; i++)
		fprintf(out, "{\"job\":\"lines\",\"number\":%ld,\"pad\":\"%0900d\"}\n", i, 0);
	return 0;
}

static int job_timerfd(FILE *out, long n)
{
	_cleanup_(fd_closep) int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	_cleanup_(fd_closep) int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct itimerspec spec = { .it_value = { n, 0 } };
	struct epoll_event event = { .events = EPOLLIN };
	nsec_t start_nsec = nsec_now();

	timerfd_settime(fd, 0, &spec, NULL);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	epoll_wait(epoll, &event, 1, -1);
	fprintf(out, "{\"job\":\"timerfd\",\"late_nsec\":%lld}\n",
		(long long)(nsec_now() - start_nsec - n * NSEC_PER_SEC));
	return 0;
}

static int job_userns(FILE *out, long n)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET) < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	return say(out, "userns", -WEXITSTATUS(status));
}

/* Tells whether bpf(2) loads a program of two instructions, and whether the kernel has BTF, which
 * the programs of trials need. */
static int job_bpf(FILE *out, long n)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insn_cnt = 2,
		.insns = (uintptr_t)program,
		.license = (uintptr_t) "GPL",
	};
	_cleanup_(fd_closep) int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd < 0)
		return say(out, "bpf", -errno);
	return say(out, "bpf", access("/sys/kernel/btf/vmlinux", R_OK) < 0 ? -errno : 0);
}

static int job_tracepoints(FILE *out, long n)
{
	return say(out, "tracepoints",
		   access("/sys/kernel/tracing/events/sock/inet_sock_set_state/id", R_OK) < 0
			   ? -errno
			   : 0);
}

static int job_packet(FILE *out, long n)
{
	_cleanup_(fd_closep) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) < 0)
		return say(out, "packet", -errno);
	return say(out, "packet", 0);
}

/* Prints a file of the guest. */
static int job_interrupts(FILE *out, long n)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/interrupts", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, "LOC:"))
			fprintf(out, "%s", line);
	return 0;
}

static int job_meminfo(FILE *out, long n)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/meminfo", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file) && !strstr(line, "Buffers"))
		fprintf(out, "%s", line);
	return 0;
}

static int job_dmesg(FILE *out, long n)
{
	_cleanup_(fd_closep) int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char line[1024];
	ssize_t size;

	while ((size = read(fd, line, sizeof(line) - 1)) > 0) {
		line[size] = '\0';
		fputs(line, out);
	}
	return 0;
}

static void put(const char *path, const char *text)
{
	_cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}

/* Prints the events that wake an idle guest within `n` seconds. */
static int job_wakers(FILE *out, long n)
{
	static const char *const events[] = { "timer/timer_expire_entry",
					      "timer/hrtimer_expire_entry",
					      "workqueue/workqueue_execute_start",
					      "sched/sched_switch" };
	_cleanup_(file_closep) FILE *file = NULL;
	struct timespec ts = { n, 0 };
	char line[512];

	put("/sys/kernel/tracing/buffer_size_kb", "16000");
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(line, sizeof(line), "/sys/kernel/tracing/events/%s/enable", events[i]);
		put(line, "1");
	}
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	put("/sys/kernel/tracing/tracing_on", "0");
	file = fopen("/sys/kernel/tracing/trace", "re");
	while (file && fgets(line, sizeof(line), file))
		fputs(line, out);
	return 0;
}

static int job_panic(FILE *out, long n)
{
	_cleanup_(fd_closep) int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	return write(fd, "c", 1) == 1 ? 0 : -errno;
}

static int job_oom(FILE *out, long n)
{
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (p == MAP_FAILED)
			return -ENOMEM;
	}
}

static int job_segv(FILE *out, long n)
{
	/* The process makes a real fault, because process 1 ignores a signal that is only sent. */
	volatile uintptr_t nowhere = 8;

	*(volatile char *)nowhere = 0;
	return 0;
}

static int job_spin(FILE *out, long n)
{
	for (volatile uint64_t i = 0;; i = i + 1)
		;
	return 0;
}

static int job_pause(FILE *out, long n)
{
	for (;;)
		pause();
	return 0;
}

static int job_status(FILE *out, long n)
{
	return (int)n;
}

static const struct {
	const char *name;
	int (*run)(FILE *out, long n);
} jobs[] = {
	{ "sleep", job_sleep },
	{ "random", job_random },
	{ "namespaces", job_namespaces },
	{ "lines", job_lines },
	{ "timerfd", job_timerfd },
	{ "userns", job_userns },
	{ "bpf", job_bpf },
	{ "tracepoints", job_tracepoints },
	{ "packet", job_packet },
	{ "interrupts", job_interrupts },
	{ "meminfo", job_meminfo },
	{ "dmesg", job_dmesg },
	{ "wakers", job_wakers },
	{ "panic", job_panic },
	{ "oom", job_oom },
	{ "segv", job_segv },
	{ "spin", job_spin },
	{ "pause", job_pause },
	{ "status", job_status },
};

static int run_one(const char *word, FILE *out)
{
	const char *number = strchr(word, '=');
	size_t n = strcspn(word, "=");

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		if (strlen(jobs[i].name) == n && strncmp(jobs[i].name, word, n) == 0)
			return jobs[i].run(out, number ? atol(number + 1) : 0);
	fprintf(out, "no job %s\n", word);
	return 1;
}

int payload_run(const void *job, size_t size, FILE *out, void *userdata)
{
	_cleanup_(freep) char *words = strndup(job, size);
	char *rest = NULL;

	for (char *word = strtok_r(words, "\n", &rest); word; word = strtok_r(NULL, "\n", &rest)) {
		int rc = run_one(word, out);

		if (rc)
			return rc;
	}
	return 0;
}
