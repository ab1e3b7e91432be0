/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's side of test-inside: unpacks the tree and runs the program in it. */
#include "tests/qemu/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "src/guest/init.h"
#include "src/util/cleanup.h"
#include "src/util/nsec.h"

/* Prints why the guest could not be set up. Its status is then 1. */
static int complain(FILE *out, const char *what)
{
	fprintf(out, "%s: %s\n", what, strerror(errno));
	return -1;
}

static int put_file(const struct inside_file *file, const char *path, const char *data)
{
	_cleanup_(fd_closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode & 07777);

	for (uint64_t at = 0; fd >= 0 && at < file->size;) {
		ssize_t n = write(fd, data + at, file->size - at);

		if (n < 0)
			return -1;
		at += (uint64_t)n;
	}
	return fd < 0 ? -1 : fchmod(fd, file->mode & 07777);
}

/* Makes a file, folder or link of the tree, unless the first file system has it already. */
static int put(const struct inside_file *file, const char *path, const char *data)
{
	char target[4096] = "";
	int rc;

	if (S_ISDIR(file->mode)) {
		rc = mkdir(path, file->mode & 07777);
	} else if (S_ISLNK(file->mode)) {
		memcpy(target, data, file->size < sizeof(target) ? file->size : 0);
		rc = symlink(target, path);
	} else {
		rc = put_file(file, path, data);
	}
	return rc < 0 && errno != EEXIST ? -1 : 0;
}

static int put_all(const char *data, uint64_t size, FILE *out)
{
	for (const char *end = data + size; data < end;) {
		struct inside_file file;
		const char *path = data + sizeof(file);

		memcpy(&file, data, sizeof(file));
		if (put(&file, path, path + file.path_size) < 0)
			return complain(out, path);
		data = path + file.path_size + file.size;
	}
	return 0;
}

static _Noreturn void become(const char *program, int output)
{
	char *const argv[] = { (char *)program, NULL };
	static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
						   "HOME=/root", "TERM=dumb", "LC_ALL=C", NULL };
	int input = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		_exit(125);
	execve(program, argv, (char **)environment);
	dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
	_exit(126);
}

/* Waits for all children that have ended. Returns true if `pid` is among them. */
static bool reap(pid_t pid, int *ret_status)
{
	bool found = false;
	int status;

	for (pid_t dead; (dead = waitpid(-1, &status, WNOHANG)) > 0;)
		if (dead == pid) {
			*ret_status = status;
			found = true;
		}
	return found;
}

/* Hands on what the program has printed. */
static void hand_on(int fd, FILE *out)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)n, out);
	fflush(out);
}

static int follow(pid_t pid, int output, int signals, nsec_t end_nsec, FILE *out)
{
	struct pollfd fds[] = { { output, POLLIN, 0 }, { signals, POLLIN, 0 } };
	struct signalfd_siginfo info;
	int status = 0;

	for (;;) {
		nsec_t left_nsec = end_nsec - nsec_now();

		if (left_nsec <= 0) {
			fprintf(out, "timed out\n");
			return INSIDE_TIMED_OUT;
		}
		if (poll(fds, 2, (int)(left_nsec / NSEC_PER_MSEC) + 1) < 0 && errno != EINTR)
			return complain(out, "poll");
		if (fds[0].revents & POLLIN)
			hand_on(output, out);
		else if (fds[0].revents)
			fds[0].fd = -1; /* all writers have closed it */
		if (fds[1].revents && read(signals, &info, sizeof(info)) < 0)
			return complain(out, "signalfd");
		if (reap(pid, &status))
			break;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Makes the folders that any machine has, with their modes. */
static void make_places(void)
{
	static const char *const places[] = { "/var", "/var/tmp", "/dev/shm",
					      "/mnt", "/root",	  "/run/netns" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		mkdir(places[i], 0755);
	chmod("/var/tmp", 01777);
	chmod("/dev/shm", 01777);
	if (symlink("/proc/self/fd", "/dev/fd") < 0 && errno != EEXIST)
		perror("/dev/fd");
}

static int run_program(const struct inside_job *job, FILE *out)
{
	nsec_t end_nsec = nsec_now() + (nsec_t)job->timeout_sec * NSEC_PER_SEC;
	_cleanup_(fd_closep) int signals = -1;
	int fds[2], status;
	char program[sizeof(job->program)];
	sigset_t child;
	pid_t pid;

	/* A child does not inherit the window, which holds the job, so the job is copied. */
	memcpy(program, job->program, sizeof(program));
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return complain(out, "pipe");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid < 0)
		return complain(out, "fork");
	if (pid == 0)
		become(program, fds[1]);
	close(fds[1]);
	status = follow(pid, fds[0], signals, end_nsec, out);
	/* Ends every process but this one. */
	kill(-1, SIGKILL);
	hand_on(fds[0], out);
	close(fds[0]);
	return status;
}

int inside_run(const void *data, size_t size, FILE *out, void *userdata)
{
	const struct inside_job *job = data;
	int status;

	umask(022);
	make_places();
	if (put_all((const char *)(job + 1), job->size, out) < 0)
		return 1;
	guest_init_progress();
	status = run_program(job, out);
	fputc('\n', out);
	return status < 0 ? 1 : status;
}
