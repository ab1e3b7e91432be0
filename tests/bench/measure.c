/* SPDX-License-Identifier: GPL-2.0-or-later */
/* measure FILE COMMAND...: runs the command, and writes to FILE how long it took in seconds, how
 * much processor time it and its children used in seconds, and how many MiB of memory its largest
 * process had at most (RSS: what processes share counts in each). Its exit status is the command's.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double to_sec(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now_sec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double start_sec = now_sec();
	struct rusage used;
	int status;
	FILE *file;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: measure FILE COMMAND...\n");
		return 2;
	}
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("measure");
		return 1;
	}
	getrusage(RUSAGE_CHILDREN, &used);
	file = fopen(argv[1], "we");
	if (!file || fprintf(file, "%.4f %.4f %.1f\n", now_sec() - start_sec,
			     to_sec(used.ru_utime) + to_sec(used.ru_stime),
			     (double)used.ru_maxrss / 1024) < 0) {
		perror(argv[1]);
		return 1;
	}
	fclose(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
