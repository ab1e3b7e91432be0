/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * QEMU's monitor protocol: JSON objects, one a line, over a socket.
 */

#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/loop.h"

enum qmp_kind {
	QMP_GREETING, /* the monitor is there */
	QMP_RETURN,   /* the last command is done (or under way) */
	QMP_ERROR,    /* the last command failed; text: why */
	QMP_EVENT,    /* text: its name; status: the "status" in its data, or "" */
	QMP_CLOSED,   /* QEMU is gone; once, the last */
};

struct qmp_message {
	enum qmp_kind kind;
	const char *text;
	const char *status;
};

typedef void (*qmp_func)(void *userdata, const struct qmp_message *message);

struct qmp;

/* Takes over `fd`. `func` is called from the loop. */
int qmp_new(struct loop *loop, int fd, qmp_func func, void *userdata, struct qmp **ret_qmp,
	    struct error *err);
struct qmp *qmp_free(struct qmp *qmp);
DEFINE_CLEANUP(struct qmp *, qmp_free)

/* Sends one command, a JSON object. If QEMU is gone, QMP_CLOSED tells so later. */
void qmp_send(struct qmp *qmp, const char *text);
/* Sends the command that hands over a descriptor, which later commands can refer to by `name`. */
void qmp_send_fd(struct qmp *qmp, const char *name, int fd);
