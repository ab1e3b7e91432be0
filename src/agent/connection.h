/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One connection of a built-in agent: it reads and writes what the workload wants,
 * and reports what its calls returned. It knows the agent as the owner of what all
 * connections share, and a workload as a table of functions.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "src/agent/channel.h"
#include "src/agent/socket.h"
#include "src/util/loop.h"

#define CONNECTION_BUFFER_SIZE 65536 /* bytes that are read or written at once */

struct connection;
struct workload_functions;

/* The built-in agent, as its connections see it. */
struct builtin {
	const struct agent_child *child; /* not owned */
	const struct agent_spec *spec;	 /* not owned */
	struct loop *loop;		 /* owned */
	int listen_fd;			 /* -1 on a client */
	struct loop_io *listen_io;	 /* NULL while not accepting */
	struct connection *first, *last; /* open connections, oldest first */
	uint32_t n_connections;		 /* ever made or accepted */
	bool paused;			 /* nothing is read */
	char *read_buffer;		 /* CONNECTION_BUFFER_SIZE bytes; owned */
	struct rlimit many;		 /* the highest limit on descriptors that is allowed */
	const struct workload_functions *workload;
	/* A connection was closed: there is a descriptor to accept with again. */
	void (*closed)(struct builtin *builtin);
	nsec_t interval_nsec; /* between two messages of the workload; 0: no pause */
	uint64_t size;	      /* of a message, in bytes */
	uint64_t misses;      /* so many unanswered heartbeats end a connection */
	bool close_on_eof;    /* a connection is closed when the peer's FIN is read */
};

struct connection {
	struct builtin *builtin;
	struct connection *previous, *next; /* in the list of open connections */
	uint32_t number;		    /* which of those that were made or accepted, from 0 */
	int fd;				    /* owned; -1: closed */
	struct loop_io *io;		    /* NULL before connect(); owned */
	struct loop_timer *due;		    /* the workload's next point in time, or NULL; owned */
	nsec_t due_nsec;		    /* when that is */
	nsec_t connect_nsec;		    /* when connect() was called */
	bool connecting;		    /* connect() has not given its result */
	bool at_eof;			    /* the peer's FIN was read */
	bool shut;			    /* shutdown() was called */
	bool told_read, told_write; /* the first read or write was reported; later ones are not */
	uint64_t bytes_read, bytes_written; /* so far */
	uint64_t to_write;		    /* bytes that wait to be written, not counting `echo` */
	uint64_t awaited;		    /* bytes of answers that are still to come */
	char *echo;			    /* bytes to send back, or NULL; owned */
	size_t echo_start, echo_end;	    /* which bytes of `echo` wait to be written */
	struct agent_socket_name name;
};

/* What a workload does in the course of a connection; where a function is NULL, nothing. */
struct workload_functions {
	void (*start)(struct connection *connection); /* established */
	void (*received)(struct connection *connection, const char *data, size_t size);
	uint64_t (*writable)(struct connection *connection); /* how many bytes more to write */
	bool (*due)(struct connection *connection);	     /* false: the connection is gone */
	bool echoes;	  /* connections need a buffer to send back from */
	bool accepts_not; /* a listener with this workload never accepts */
};

/* Makes a connection from that port; 0: from any. */
void connection_connect(struct builtin *builtin, uint16_t local_port);
/* Takes over the socket of an accepted connection. */
void connection_accepted(struct builtin *builtin, int fd, nsec_t start_nsec, nsec_t time_nsec);
/* Reads and writes as much as the socket lets it; the connection may be gone afterwards. */
void connection_run(struct connection *connection);
/* Sends so many bytes because the timeline says so; the connection may be gone afterwards. */
void connection_send(struct connection *connection, uint64_t size);
/* These return false when the connection is gone. */
bool connection_write(struct connection *connection);
bool connection_heartbeat_lost(struct connection *connection);
void connection_shutdown(struct connection *connection);
void connection_close(struct connection *connection);

/* A report on a connection by its number, where there may be no struct connection. */
void connection_report_by_number(const struct builtin *builtin, uint32_t connection,
				 enum agent_call call, nsec_t start_nsec, int error,
				 const char *detail);
