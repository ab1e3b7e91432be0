/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/trial/ready.h"
#include "src/util/array.h"
#include "src/util/utf8.h"

#define LINE_SIZE 4096 /* bytes; a longer line is cut into such pieces */

static void note_line(struct trial_program *program)
{
	struct trial *trial = program->host->trial;
	struct program_output *output = &program->output;
	struct record *record = trial->record;
	struct record_output *o;
	size_t size = output->used;

	output->used = 0;
	if (!record || record->n_output == RECORD_OUTPUT_MAX)
		return;
	o = array_append(&record->output, &record->n_output, sizeof(*o));
	if (o)
		*o = (struct record_output){
			.time_nsec = output->time_nsec,
			.host = strdup(scenario_node_name(trial->spec.scenario, program->host->id)),
			.program = (unsigned int)program->index,
			.line = utf8_clean(output->line, size),
		};
	trial->lost += !o || !o->host || !o->line;
}

static void take_lines(struct trial_program *program, const char *bytes, size_t size)
{
	struct program_output *output = &program->output;

	if (!output->line && !(output->line = malloc(LINE_SIZE))) {
		program->host->trial->lost++;
		return;
	}
	for (size_t i = 0; i < size; i++) {
		if (!output->used)
			output->time_nsec = nsec_now();
		if (bytes[i] == '\n' || output->used == LINE_SIZE)
			note_line(program);
		if (bytes[i] != '\n' && bytes[i] != '\r')
			output->line[output->used++] = bytes[i];
	}
}

/* The file of a host's only program has the host's name, those of several the programs' too. What
 * does not fit into the name of a file is replaced, and a number tells such names apart. No host
 * has a dot in its name. */
static char *log_path(const struct trial_program *program)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	const struct trial *trial = program->host->trial;
	const struct scenario_program *said = ready_said(program);
	char ending[64] = ".log";

	if (program->host->n_programs > 1 && said) {
		size_t n = strspn(said->name, plain);

		snprintf(ending, sizeof(ending), said->name[n] ? ".%.*s.%zu.log" : ".%.*s.log",
			 (int)n, said->name, program->index + 1);
	}
	return trial_file(trial, program->host->id, trial->spec.logs_dir, ending);
}

/* Opens a file to write, and nothing that is there in its place: a FIFO would wait for a reader. */
static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || ftruncate(fd, 0) < 0) {
		close(fd);
		return -EEXIST;
	}
	return fd;
}

static void open_log(struct trial_program *program)
{
	struct program_output *output = &program->output;

	output->fd = -1;
	output->path = log_path(program);
	if (output->path)
		output->fd = open_file(output->path);
	if (output->fd < 0)
		output->error = output->path ? output->fd : -ENOMEM;
}

static void take_log(struct trial_program *program, const char *bytes, size_t size)
{
	struct program_output *output = &program->output;

	if (!output->path && !output->error)
		open_log(program);
	while (size && !output->error) {
		ssize_t n = write(output->fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			output->error = n < 0 ? -errno : -EIO;
			return;
		}
		bytes += n;
		size -= (size_t)n;
	}
}

void output_take(const char *bytes, size_t size, void *userdata)
{
	struct trial_program *program = userdata;
	struct trial *trial = program->host->trial;

	if (trial->phase == PHASE_OVER)
		return;
	take_lines(program, bytes, size);
	if (trial->spec.logs_dir)
		take_log(program, bytes, size);
}

static int finish(struct trial_program *program, struct error *err)
{
	struct program_output *output = &program->output;

	if (output->used)
		note_line(program);
	if (output->error)
		return error_errno(err, output->error, "%s", output->path ? output->path : "log");
	return 0;
}

int output_finish(struct trial *trial, struct error *err)
{
	int rc = 0;

	for (enum node_id id = 0; id < trial->spec.scenario->n_hosts; id++)
		for (size_t i = 0; rc >= 0 && i < trial->host[id].n_programs; i++)
			rc = finish(&trial->host[id].program[i], err);
	return rc;
}

void output_deinit(struct trial_program *program)
{
	struct program_output *output = &program->output;

	if (output->path)
		fd_close(output->fd);
	free(output->path);
	free(output->line);
	*output = (struct program_output){ 0 };
}
