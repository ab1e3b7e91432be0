/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <json-c/json.h>

struct qmp {
	struct loop *loop;
	struct loop_io *io;
	int fd;
	qmp_func func;
	void *userdata;
	json_tokener *tokener;
};

static const char *get_string(json_object *object, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

static void handle(struct qmp *qmp, json_object *object)
{
	struct qmp_message message = { .text = "", .status = "" };
	json_object *part;

	if (json_object_object_get_ex(object, "QMP", &part)) {
		message.kind = QMP_GREETING;
	} else if (json_object_object_get_ex(object, "error", &part)) {
		message.kind = QMP_ERROR;
		message.text = get_string(part, "desc");
	} else if (json_object_object_get_ex(object, "event", &part)) {
		message.kind = QMP_EVENT;
		message.text = json_object_get_string(part);
		if (json_object_object_get_ex(object, "data", &part))
			message.status = get_string(part, "status");
	} else {
		message.kind = QMP_RETURN;
	}
	qmp->func(qmp->userdata, &message);
}

static void closed(struct qmp *qmp)
{
	qmp->io = loop_io_free(qmp->io);
	qmp->func(qmp->userdata, &(struct qmp_message){ .kind = QMP_CLOSED, .text = "" });
}

/* Each call reads once, and does not use `qmp` after QMP_CLOSED, because the function that is told
 * may free it then. */
static void ready(void *userdata, uint32_t events)
{
	struct qmp *qmp = userdata;
	char buffer[4096];
	ssize_t n = recv(qmp->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	size_t at = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		closed(qmp);
		return;
	}
	while (at < (size_t)n) {
		json_object *object =
			json_tokener_parse_ex(qmp->tokener, buffer + at, (int)((size_t)n - at));
		enum json_tokener_error error = json_tokener_get_error(qmp->tokener);

		at += json_tokener_get_parse_end(qmp->tokener);
		if (object) {
			handle(qmp, object);
			json_object_put(object);
		} else if (error != json_tokener_continue) {
			closed(qmp);
			return;
		}
	}
}

int qmp_new(struct loop *loop, int fd, qmp_func func, void *userdata, struct qmp **ret_qmp,
	    struct error *err)
{
	_cleanup_(qmp_freep) struct qmp *qmp = calloc(1, sizeof(*qmp));
	int rc;

	if (!qmp) {
		fd_close(fd);
		return error_errno(err, -ENOMEM, "monitor");
	}
	*qmp = (struct qmp){ .loop = loop, .fd = fd, .func = func, .userdata = userdata };
	qmp->tokener = json_tokener_new();
	if (!qmp->tokener)
		return error_errno(err, -ENOMEM, "monitor");
	rc = loop_io_new(loop, fd, EPOLLIN, ready, qmp, &qmp->io, err);
	if (rc >= 0)
		*ret_qmp = take_ptr(qmp);
	return rc;
}

struct qmp *qmp_free(struct qmp *qmp)
{
	if (!qmp)
		return NULL;
	loop_io_free(qmp->io);
	if (qmp->tokener)
		json_tokener_free(qmp->tokener);
	fd_close(qmp->fd);
	free(qmp);
	return NULL;
}

static void send_text(struct qmp *qmp, const char *text, size_t size, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec part = { (char *)text, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *header = &control.align;

		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	/* The socket holds far more than the few commands that are ever under way. */
	(void)!sendmsg(qmp->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void qmp_send(struct qmp *qmp, const char *text)
{
	send_text(qmp, text, strlen(text), -1);
}

void qmp_send_fd(struct qmp *qmp, const char *name, int fd)
{
	char text[128];
	int n = snprintf(text, sizeof(text),
			 "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"%s\"}}", name);

	send_text(qmp, text, (size_t)n, fd);
}
