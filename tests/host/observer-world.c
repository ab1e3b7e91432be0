/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/host/observer-world.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "netns/packetfilter.h"
#include "netns/sockdiag.h"

#define PORT 8000

static void on_end(void *userdata)
{
	loop_quit(userdata);
}

void lab_init(struct lab *lab)
{
	struct error err = { 0 };

	must(loop_new(&lab->loop, &err));
	must(loop_timer_new(lab->loop, on_end, lab->loop, &lab->timer, &err));
	must(observer_new(lab->loop, false, &lab->observer[BEST], &err));
	must(observer_new(lab->loop, true, &lab->observer[DERIVED], &err));
}

void lab_deinit(struct lab *lab)
{
	for (int o = 0; o < OBSERVERS; o++)
		observer_free(lab->observer[o]);
	loop_timer_free(lab->timer);
	loop_free(lab->loop);
}

void lab_run(struct lab *lab, nsec_t span_nsec)
{
	struct error err = { 0 };

	for (int turn = 0; turn < 2; turn++) {
		loop_timer_set(lab->timer, nsec_now() + span_nsec);
		must(loop_run(lab->loop, &err));
		span_nsec = NSEC_PER_MSEC; /* for what was ready when the time was up */
	}
}

void log_append(struct log *log, const struct observation *observation)
{
	struct observation *items = realloc(log->items, (log->count + 1) * sizeof(*items));

	ck_assert_ptr_nonnull(items);
	items[log->count++] = *observation;
	log->items = items;
}

static void on_observation(const struct observation *observation, void *userdata)
{
	struct log *log = userdata;

	if (log->tracepoints_only && observation->derived &&
	    observation->kind != OBSERVATION_DESTROY)
		return;
	log_append(log, observation);
}

static socklen_t address_of(int family, int node, struct sockaddr_storage *address)
{
	static const char *const text[][NODES] = { { "10.0.0.1", "10.0.0.2" },
						   { "fd00::1", "fd00::2" } };
	struct ip ip = fixture_ip(text[family == AF_INET6][node]);
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_port = htons(PORT);
		v4->sin_addr = ip.v4;
		return sizeof(*v4);
	}
	v6->sin6_port = htons(PORT);
	v6->sin6_addr = ip.v6;
	return sizeof(*v6);
}

static void listen_on(struct world *world)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(world->family, SERVER, &address);
	struct error err = { 0 };

	must(netns_socket(world->pair.ns[SERVER], world->family, SOCK_STREAM | SOCK_NONBLOCK, 0,
			  &world->listener, &err));
	ck_assert_int_eq(bind(world->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(world->listener, 100), 0);
}

void world_init(struct world *world, struct lab *lab, int family)
{
	struct error err = { 0 };

	*world = (struct world){ lab, family, .listener = -1, .client = -1, .server = -1 };
	pair_init(&world->pair);
	listen_on(world);
	for (int o = 0; o < OBSERVERS; o++) {
		for (int n = 0; n < NODES; n++) {
			struct observer_watch_spec spec = { .ns = world->pair.ns[n],
							    .family = family,
							    .ifindex = world->pair.ifindex[n],
							    .interface = "eth0" };

			world->log[o][n].tracepoints_only =
				!observer_derived_reason(lab->observer[o]);
			must(observer_watch(lab->observer[o], &spec, on_observation,
					    &world->log[o][n], &world->watch[o][n], &err));
		}
	}
}

void world_close(int *fd)
{
	*fd = fd_close(*fd);
}

void world_deinit(struct world *world)
{
	for (int o = 0; o < OBSERVERS; o++) {
		for (int n = 0; n < NODES; n++) {
			observer_watch_free(world->watch[o][n]);
			free(world->log[o][n].items);
		}
	}
	world_close(&world->client);
	world_close(&world->server);
	world_close(&world->listener);
	pair_deinit(&world->pair);
}

void world_socket(struct world *world)
{
	struct error err = { 0 };

	must(netns_socket(world->pair.ns[CLIENT], world->family, SOCK_STREAM | SOCK_NONBLOCK, 0,
			  &world->client, &err));
}

int world_connect(struct world *world)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(world->family, SERVER, &address);

	return connect(world->client, (struct sockaddr *)&address, size) < 0 ? -errno : 0;
}

void world_establish(struct world *world)
{
	if (world->client < 0)
		world_socket(world);
	ck_assert_int_eq(world_connect(world), -EINPROGRESS);
	for (int i = 0; i < 100 && world->server < 0; i++) {
		lab_run(world->lab, 2 * NSEC_PER_MSEC);
		world->server = accept4(world->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	}
	ck_assert_int_ge(world->server, 0);
	lab_run(world->lab, 5 * NSEC_PER_MSEC);
}

void world_cut_node(struct world *world, int node)
{
	_cleanup_(packetfilter_freep) struct packetfilter *filter = NULL;
	struct packetfilter_rule rule = { .interface = "eth0", .family = world->family };
	struct error err = { 0 };
	unsigned int handle;

	must(packetfilter_new(world->pair.ns[node], &filter, &err));
	must(packetfilter_drop(filter, &rule, &handle, &err));
}

void world_cut(struct world *world)
{
	for (int n = 0; n < NODES; n++)
		world_cut_node(world, n);
}

const char *log_walk(const struct log *log)
{
	static char text[4][512];
	static int turn;
	char *walk = text[turn++ % 4];
	size_t n = 0;

	walk[0] = '\0';
	for (size_t i = 0; i < log->count && n < sizeof(text[0]); i++) {
		const struct observation *o = &log->items[i];

		if (o->kind == OBSERVATION_STATE)
			n += (size_t)snprintf(walk + n, sizeof(text[0]) - n, "%s%s>%s",
					      n ? " " : "", tcp_state_name(o->state.from),
					      tcp_state_name(o->state.to));
	}
	return walk;
}

size_t log_count(const struct log *log, enum observation_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < log->count; i++)
		n += log->items[i].kind == kind;
	return n;
}

const struct observation *log_end(const struct log *log)
{
	const struct observation *end = NULL;

	for (size_t i = 0; i < log->count; i++) {
		const struct observation *o = &log->items[i];

		if (o->kind == OBSERVATION_STATE && o->state.to == TCP_STATE_CLOSE)
			end = o;
	}
	return end;
}
