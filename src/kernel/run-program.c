/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/run-program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "src/util/cleanup.h"
#include "src/util/format.h"

enum {
	STREAM_OUTPUT,
	STREAM_ERRORS,
	_STREAM_MAX,
};

static bool may_execute(const char *path, uid_t user)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_mode & (st.st_uid == user ? S_IXUSR : S_IXOTH);
}

/* Whether a user may execute what is at an absolute path, and enter the folders on the way. */
static bool may_reach(const char *path, uid_t user)
{
	_cleanup_(freep) char *copy = strdup(path);
	bool may = copy && may_execute(path, user);

	for (char *slash = may ? strchr(copy + 1, '/') : NULL; may && slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		may = may_execute(copy, user);
		*slash = '/';
	}
	return may;
}

static bool is_found(const char *path, uid_t user)
{
	return access(path, X_OK) == 0 && (!user || user == geteuid() || may_reach(path, user));
}

char *run_program_find(const char *name)
{
	return run_program_find_as(name, geteuid());
}

char *run_program_find_as(const char *name, uid_t user)
{
	const char *path = getenv("PATH");
	char *found;

	if (strchr(name, '/'))
		return access(name, X_OK) < 0 ? NULL : strdup(name);
	/* Without $PATH, the folders of programs for root are searched too. */
	for (const char *p = path ? path : "/usr/bin:/bin:/usr/sbin:/sbin"; *p;) {
		size_t n = strcspn(p, ":");

		found = format_new("%.*s/%s", (int)n, p, name);
		if (n && found && is_found(found, user))
			return found;
		free(found);
		p += n + (p[n] == ':');
	}
	return NULL;
}

static _Noreturn void child(const struct command *command, const char *program, int output,
			    int errors, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0)
		_exit(127);
	if (command->folder && chdir(command->folder) < 0)
		_exit(127);
	dup2(null, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	setenv("LC_ALL", "C", 1);
	execv(program, (char *const *)command->argv);
	_exit(127);
}

/* Copies what the program has written into `file`. Returns false when it has closed its end. */
static bool drain(int fd, FILE *file)
{
	char buffer[4096];
	ssize_t n = read(fd, buffer, sizeof(buffer));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	fwrite(buffer, 1, (size_t)n, file);
	return n > 0;
}

static void collect(const struct command *command, const int fds[], FILE *const files[])
{
	struct pollfd polls[_STREAM_MAX];
	size_t open_count = _STREAM_MAX;

	for (size_t i = 0; i < _STREAM_MAX; i++)
		polls[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	while (open_count) {
		if (poll(polls, _STREAM_MAX, command->tick ? 250 : -1) < 0 && errno != EINTR)
			return;
		if (command->tick)
			command->tick(command->tick_data);
		for (size_t i = 0; i < _STREAM_MAX; i++) {
			if (polls[i].fd < 0 || !polls[i].revents || drain(fds[i], files[i]))
				continue;
			polls[i].fd = -1;
			open_count--;
		}
	}
}

static int start(const struct command *command, const char *program, int fds[], pid_t *ret_pid,
		 struct error *err)
{
	pid_t parent = getpid(), pid;
	int output[2], errors[2];

	if (pipe2(output, O_CLOEXEC) < 0)
		return error_errno(err, -errno, "pipe");
	if (pipe2(errors, O_CLOEXEC) < 0) {
		int rc = error_errno(err, -errno, "pipe");

		fd_close(output[0]);
		fd_close(output[1]);
		return rc;
	}
	pid = fork();
	if (pid == 0)
		child(command, program, output[1], errors[1], parent);
	fds[STREAM_OUTPUT] = output[0];
	fds[STREAM_ERRORS] = errors[0];
	fd_close(output[1]);
	fd_close(errors[1]);
	*ret_pid = pid;
	return pid < 0 ? error_errno(err, -errno, "fork") : 0;
}

int run_program(const struct command *command, struct run_program_result *ret, struct error *err)
{
	_cleanup_(freep) char *program = run_program_find(command->argv[0]);
	struct run_program_result result = { 0 };
	int fds[_STREAM_MAX] = { -1, -1 }, rc;
	FILE *files[_STREAM_MAX];
	size_t size;
	pid_t pid = -1;

	if (!program)
		return error_set(err, ERROR_CAPABILITY, -ENOENT, "%s: no such program",
				 command->argv[0]);
	files[STREAM_OUTPUT] = open_memstream(&result.output, &size);
	files[STREAM_ERRORS] = open_memstream(&result.errors, &size);
	rc = files[STREAM_OUTPUT] && files[STREAM_ERRORS]
		     ? start(command, program, fds, &pid, err)
		     : error_errno(err, -ENOMEM, "%s", program);
	if (rc >= 0) {
		collect(command, fds, files);
		while (waitpid(pid, &result.status, 0) < 0 && errno == EINTR)
			;
	}
	for (size_t i = 0; i < _STREAM_MAX; i++) {
		fd_close(fds[i]);
		if (files[i])
			fclose(files[i]);
	}
	if (rc < 0) {
		run_program_result_deinit(&result);
		return rc;
	}
	*ret = result;
	return 0;
}

void run_program_result_deinit(struct run_program_result *result)
{
	free(result->output);
	free(result->errors);
	*result = (struct run_program_result){ 0 };
}
