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
	struct loop_io *io; /* NULL: QEMU has closed the socket; owned */
	int fd;		    /* the socket; owned */
	qmp_func func;	    /* gets the messages, with `userdata` */
	void *userdata;
	json_tokener *tokener; /* holds what has come of the next message; owned */
};

static const char *get_string(json_object *object, const char *key)
{
	json_object *value;

	return json_object_is_type(object, json_type_object) &&
			       json_object_object_get_ex(object, key, &value)
		       ? json_object_get_string(value)
		       : "";
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
	} else if (json_object_object_get_ex(object, "return", &part) &&
		   !strcmp(get_string(part, "status"), "failed")) {
		message.kind = QMP_ERROR;
		message.text = get_string(part, "error-desc");
	} else if (json_object_object_get_ex(object, "return", &part) &&
		   json_object_is_type(part, json_type_object) &&
		   json_object_object_get_ex(part, "icount", &part)) {
		message.kind = QMP_ICOUNT;
		message.icount = json_object_get_int64(part);
	} else {
		return;
	}
	qmp->func(qmp->userdata, &message);
}

/* Returns false if what came is not JSON. */
static bool parse(struct qmp *qmp, const char *text, size_t size)
{
	for (size_t at = 0; at < size; at += json_tokener_get_parse_end(qmp->tokener)) {
		json_object *object =
			json_tokener_parse_ex(qmp->tokener, text + at, (int)(size - at));

		if (object)
			handle(qmp, object);
		else if (json_tokener_get_error(qmp->tokener) != json_tokener_continue)
			return false;
		json_object_put(object);
	}
	return true;
}

/* Reads once. What comes after the end of QEMU, or after an error, is not looked at: the end of
 * QEMU's process tells more. */
static void ready(void *userdata, uint32_t events)
{
	struct qmp *qmp = userdata;
	char buffer[4096];
	ssize_t n = recv(qmp->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !parse(qmp, buffer, (size_t)n))
		qmp->io = loop_io_free(qmp->io);
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
	*qmp = (struct qmp){ .fd = fd, .func = func, .userdata = userdata };
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

/* The socket has room for far more than the few commands that are ever under way. */
void qmp_send(struct qmp *qmp, const char *text)
{
	(void)!send(qmp->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void qmp_send_fd(struct qmp *qmp, const char *name, int fd)
{
	char text[128];
	int n = snprintf(text, sizeof(text),
			 "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"%s\"}}", name);
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { 0 };
	struct iovec part = { text, (size_t)n };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	(void)!sendmsg(qmp->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}
