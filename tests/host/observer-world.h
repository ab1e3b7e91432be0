/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The tests of the observer have two nodes with a real TCP connection between them.
 * Two observers watch both nodes at once: BEST uses whatever this machine allows,
 * and DERIVED works without BPF.
 */

#include "src/observer/observer.h"
#include "src/tcp/tracker.h"
#include "tests/netns/fixture.h"

enum { CLIENT, SERVER, NODES };
enum { BEST, DERIVED, OBSERVERS };

struct log {
	struct observation *items; /* in the order of their arrival; owned */
	size_t count;
	/* The log leaves out what the observer derives, because the other observer derives it too.
	 */
	bool tracepoints_only;
};

/* A lab is the loop and both observers, which any number of worlds share. */
struct lab {
	struct loop *loop;
	struct loop_timer *timer; /* ends lab_run() */
	struct observer *observer[OBSERVERS];
};

struct world {
	struct lab *lab;
	int family;
	struct pair pair;
	struct observer_watch *watch[OBSERVERS][NODES];
	struct log log[OBSERVERS][NODES];
	int listener, client, server; /* sockets; -1 once closed */
};

void lab_init(struct lab *lab);
void lab_deinit(struct lab *lab);
/* Runs the loop for `span_nsec`, and then handles the events that are ready. */
void lab_run(struct lab *lab, nsec_t span_nsec);

/* Makes a pair of nodes with a listener on port 8000 of the server, and then the watches. */
void world_init(struct world *world, struct lab *lab, int family);
void world_deinit(struct world *world);
/* Makes the client's socket, which does not block and is not connected yet. */
void world_socket(struct world *world);
/* Connects the client's socket to the server. Returns 0 or a negative errno. */
int world_connect(struct world *world);
/* Calls world_socket(), lets a whole handshake happen, and accepts the connection. */
void world_establish(struct world *world);
/* Drops each TCP segment that comes to either node from now on, so that neither node notices. */
void world_cut(struct world *world);
/* Drops each TCP segment that comes to `node` from now on. */
void world_cut_node(struct world *world, int node);
void world_close(int *fd);

void log_append(struct log *log, const struct observation *observation);
/* Returns the changes of state as "CLOSE>SYN_SENT SYN_SENT>ESTABLISHED ...". The text is in static
 * storage, and is valid until the fourth call from now. */
const char *log_walk(const struct log *log);
size_t log_count(const struct log *log, enum observation_kind kind);
/* Returns the last change of state to CLOSE, or NULL. */
const struct observation *log_end(const struct log *log);
