/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * QEMU's monitor protocol (QMP): JSON objects, one a line, over a socket. QEMU executes the
 * commands in their order, also if they come before the answer to an earlier one. Nobody waits for
 * the answer to a command that succeeds, but for the number of instructions (query-replay); beside
 * that, only errors and events are told.
 */

#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/loop.h"

enum qmp_kind {
	QMP_GREETING, /* the monitor is there */
	QMP_ERROR,    /* a command failed, or the answer is that a migration did; text: why */
	QMP_EVENT,    /* text: its name; status: the "status" in its data, or "" */
	QMP_ICOUNT,   /* the answer to query-replay; icount: instructions that were executed */
};

/* The texts are valid during the call only. */
struct qmp_message {
	enum qmp_kind kind;
	const char *text;
	const char *status;
	int64_t icount;
};

typedef void (*qmp_func)(void *userdata, const struct qmp_message *message);

struct qmp;

/* Takes over `fd`. `func` is called from the loop. */
int qmp_new(struct loop *loop, int fd, qmp_func func, void *userdata, struct qmp **ret_qmp,
	    struct error *err);
struct qmp *qmp_free(struct qmp *qmp);
DEFINE_CLEANUP(struct qmp *, qmp_free)

/* Sends one command, a JSON object. If QEMU is gone, nothing happens. */
void qmp_send(struct qmp *qmp, const char *text);
/* Sends the command that hands over a descriptor, which later commands can refer to by `name`. */
void qmp_send_fd(struct qmp *qmp, const char *name, int fd);
