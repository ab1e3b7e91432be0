/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/text/document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "src/text/yaml-reader.h"

struct document *document_free(struct document *document)
{
	if (!document)
		return NULL;
	document_node_free(document->root);
	free(document->comment);
	free(document->file);
	free(document->source);
	free(document);
	return NULL;
}

/* The lines at the top that begin with '#', without that and one blank. */
static char *opening_comment(const char *text, size_t size)
{
	char *comment = calloc(1, size + 2), *out = comment;
	const char *p = text, *end = text + size;

	if (!comment)
		return NULL;
	while (p < end && *p == '#') {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t n;

		if (!stop)
			stop = end;
		for (p++; p < stop && *p == ' ' && p[-1] == '#'; p++)
			;
		n = (size_t)(stop - p);
		if (n && p[n - 1] == '\r')
			n--;
		if (n < 4 || memcmp(p, "SPDX", 4)) {
			if (out != comment)
				*out++ = '\n';
			memcpy(out, p, n);
			out += n;
		}
		p = stop < end ? stop + 1 : end;
	}
	*out = '\0';
	for (out = comment; *out; out++)
		if ((unsigned char)*out < ' ' && *out != '\n')
			*out = ' ';
	return comment;
}

int document_parse(const char *file, const char *text, size_t size, struct document **ret_document,
		   struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	int rc;

	if (size > DOCUMENT_MAX_SIZE)
		return error_input(err, "%s:1: larger than %d MiB; a scenario is a small text file",
				   file, DOCUMENT_MAX_SIZE >> 20);
	document = calloc(1, sizeof(*document));
	if (!document)
		return error_errno(err, -ENOMEM, "%s", file);
	document->file = strdup(file);
	document->source = strndup(text, size);
	document->comment = opening_comment(text, size);
	if (!document->file || !document->comment)
		return error_errno(err, -ENOMEM, "%s", file);
	rc = yaml_read(document->file, text, size, &document->root, err);
	if (rc < 0)
		return rc;
	*ret_document = take_ptr(document);
	return 0;
}

/* Reads up to one byte more than is allowed, so that document_parse() sees that it is too much. */
static int read_all(int fd, char *buffer, size_t *ret_size)
{
	size_t size = 0;
	ssize_t n;

	do {
		n = read(fd, buffer + size, DOCUMENT_MAX_SIZE + 1 - size);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			size += (size_t)n;
	} while (n != 0 && size <= DOCUMENT_MAX_SIZE);
	*ret_size = size;
	return 0;
}

int document_read(const char *path, struct document **ret_document, struct error *err)
{
	_cleanup_(freep) char *buffer = NULL;
	_cleanup_(fd_closep) int fd = -1;
	struct stat st;
	size_t size = 0;
	int rc;

	/* Only the open must not block: a FIFO without a writer reads as empty afterwards. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || fcntl(fd, F_SETFL, 0) < 0)
		return error_input(err, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_input(err, "%s: is a directory, not a scenario file", path);
	buffer = malloc(DOCUMENT_MAX_SIZE + 1);
	if (!buffer)
		return error_errno(err, -ENOMEM, "%s", path);
	rc = read_all(fd, buffer, &size);
	if (rc < 0)
		return error_input(err, "%s: %s", path, strerror(-rc));
	return document_parse(path, buffer, size, ret_document, err);
}
