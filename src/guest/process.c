/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/nsec.h"

/* The library that makes QEMU's threads take turns (qemu-turns.c), as the bytes of its file. */
static const unsigned char turns[] = {
#include "qemu-turns.inc"
};

/* Makes a file of the library, which can be loaded as /proc/self/fd/N. */
static int make_turns(int *ret_fd, struct error *err)
{
	_cleanup_(fd_closep) int fd = memfd_create("deadpeer-turns", MFD_CLOEXEC);

	if (fd < 0 || write(fd, turns, sizeof(turns)) != sizeof(turns))
		return error_errno(err, -errno, "memfd_create");
	*ret_fd = take_fd(&fd);
	return 0;
}

static void inherit(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

/* The library goes in front of what LD_PRELOAD has already. */
static void preload(int fd)
{
	const char *others = getenv("LD_PRELOAD");
	char text[4096];

	snprintf(text, sizeof(text), "/proc/self/fd/%d%s%s", fd, others ? ":" : "",
		 others ? others : "");
	setenv("LD_PRELOAD", text, 1);
	inherit(fd);
}

static _Noreturn void child(const char *program, char **argv, const struct machine_run *run,
			    int turns_fd, int console, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0)
		_exit(127);
	/* A Ctrl-C is for this program, which ends QEMU itself. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(console, STDOUT_FILENO);
	dup2(console, STDERR_FILENO);
	inherit(run->memory_fd);
	inherit(run->window_fd);
	inherit(run->load_fd);
	inherit(run->save_fd);
	inherit(run->monitor_fd);
	preload(turns_fd);
	execv(program, argv);
	_exit(127);
}

static int start(struct guest_process *process, const struct guest_image *image,
		 const struct machine_run *run, struct error *err)
{
	_cleanup_(strings_freep) char **argv = machine_arguments(image, run);
	_cleanup_(fd_closep) int turns_fd = -1;
	pid_t parent = getpid();
	int console[2];
	int rc = make_turns(&turns_fd, err);

	if (rc < 0)
		return rc;
	if (!argv)
		return error_errno(err, -ENOMEM, "%s", image->qemu.path);
	if (pipe2(console, O_CLOEXEC) < 0)
		return error_errno(err, -errno, "pipe");
	process->console_fd = console[0];
	fcntl(console[0], F_SETFL, O_NONBLOCK);
	process->pid = fork();
	if (process->pid == 0)
		child(image->qemu.path, argv, run, turns_fd, console[1], parent);
	fd_close(console[1]);
	if (process->pid < 0)
		return error_errno(err, -errno, "fork");
	process->pid_fd = pidfd_open(process->pid, 0);
	return process->pid_fd < 0 ? error_errno(err, -errno, "pidfd_open") : 0;
}

int guest_process_start(struct guest_process *process, const struct guest_image *image,
			const struct machine_run *run, struct error *err)
{
	struct machine_run filled = *run;
	int monitor[2], rc;

	*process = GUEST_PROCESS_NONE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor) < 0)
		return error_errno(err, -errno, "socketpair");
	process->monitor_fd = monitor[0];
	filled.monitor_fd = monitor[1];
	rc = start(process, image, &filled, err);
	fd_close(monitor[1]);
	if (rc < 0) {
		guest_process_kill(process);
		guest_process_end(process);
	}
	return rc;
}

void guest_process_kill(const struct guest_process *process)
{
	if (process->pid > 0)
		kill(process->pid, SIGKILL);
}

int guest_process_end(struct guest_process *process)
{
	int status = 0;

	while (process->pid > 0 && waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	fd_close(process->pid_fd);
	fd_close(process->console_fd);
	fd_close(process->monitor_fd);
	*process = GUEST_PROCESS_NONE;
	return status;
}

int64_t guest_process_cpu_nsec(const struct guest_process *process)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(process->pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return 0;
	return nsec_from_timespec(&ts);
}

static char thread_state(const char *pid_folder, const char *thread)
{
	_cleanup_(file_closep) FILE *file = NULL;
	char path[512], line[256] = "";
	const char *end;

	snprintf(path, sizeof(path), "%s/%s/stat", pid_folder, thread);
	file = fopen(path, "re");
	end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	return end && end[1] ? end[2] : 'X';
}

bool guest_process_is_asleep(const struct guest_process *process)
{
	struct dirent *entry;
	bool asleep = true;
	char folder[64];
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%d/task", (int)process->pid);
	dir = opendir(folder);
	while (dir && asleep && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			asleep = !strchr("RD", thread_state(folder, entry->d_name));
	if (dir)
		closedir(dir);
	return asleep;
}
