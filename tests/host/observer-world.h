/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * For the observer's tests: two nodes with a real TCP connection between them, seen
 * by two observers at once, one as good as this machine allows and one without BPF.
 */

#include "src/observer/observer.h"
#include "src/tcp/tracker.h"
#include "tests/netns/fixture.h"

enum { CLIENT, SERVER, NODES };
enum { BEST, DERIVED, OBSERVERS };

struct log {
	struct observation *items; /* in the order they came; owned */
	size_t count;
	bool tracepoints_only; /* what the other observer derives is not wanted twice */
};

/* The loop and both observers; shared by any number of worlds. */
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
/* Lets the loop run for that long, and take what there is then. */
void lab_run(struct lab *lab, nsec_t span_nsec);

/* A pair with a listener on port 8000 of the server, then the watches. */
void world_init(struct world *world, struct lab *lab, int family);
void world_deinit(struct world *world);
/* Makes the client's socket, not blocking, not yet connected. */
void world_socket(struct world *world);
/* connect(): 0 or a negative errno. */
int world_connect(struct world *world);
/* world_socket(), a whole handshake, accept(). */
void world_establish(struct world *world);
/* From now on no TCP segment reaches either node, and neither can tell. */
void world_cut(struct world *world);
/* The same for what one of them would receive. */
void world_cut_node(struct world *world, int node);
void world_close(int *fd);

void log_append(struct log *log, const struct observation *observation);
/* "CLOSE>SYN_SENT SYN_SENT>ESTABLISHED ..."; static storage, valid until the fourth call. */
const char *log_walk(const struct log *log);
size_t log_count(const struct log *log, enum observation_kind kind);
/* The last STATE to CLOSE, or NULL. */
const struct observation *log_end(const struct log *log);
