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

/* The lines at the top that begin with '#', without that and one blank, and without SPDX lines. */
static char *opening_comment(const char *text, size_t size)
{
	char *comment = calloc(1, size + 2), *out = comment;
	const char *p = text, *end = text + size;

	while (comment && p < end && *p == '#') {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;

		p += stop - p > 1 && p[1] == ' ' ? 2 : 1;
		if (stop > p && stop[-1] == '\r')
			stop--;
		if (stop - p < 4 || memcmp(p, "SPDX", 4)) {
			if (out != comment)
				*out++ = '\n';
			out = mempcpy(out, p, (size_t)(stop - p));
		}
		p = newline ? newline + 1 : end;
	}
	for (char *c = comment; c && *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n')
			*c = ' ';
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
	if (!document->file || !document->source || !document->comment)
		return error_errno(err, -ENOMEM, "%s", file);
	rc = yaml_read(document->file, text, size, &document->root, err);
	if (rc < 0)
		return rc;
	*ret_document = take_ptr(document);
	return 0;
}

int document_read(const char *path, struct document **ret_document, struct error *err)
{
	_cleanup_(freep) char *buffer = NULL;
	_cleanup_(file_closep) FILE *file = NULL;
	/* Only the open must not block: a FIFO without a writer reads as empty afterwards. */
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t size;

	if (fd < 0 || fstat(fd, &st) < 0 || fcntl(fd, F_SETFL, 0) < 0)
		return error_input(err, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_input(err, "%s: is a directory, not a scenario file", path);
	buffer = malloc(DOCUMENT_MAX_SIZE + 1);
	file = fdopen(fd, "r");
	if (!buffer || !file)
		return error_errno(err, -ENOMEM, "%s", path);
	take_fd(&fd);
	/* One byte more than is allowed shows document_parse() that the file is too large. */
	size = fread(buffer, 1, DOCUMENT_MAX_SIZE + 1, file);
	if (ferror(file))
		return error_input(err, "%s: %s", path, strerror(errno));
	return document_parse(path, buffer, size, ret_document, err);
}
