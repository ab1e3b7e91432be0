/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/observer/tracepoints.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "netns/netns.h"
#include "observer.skel.h"
#include "src/observer/bpf/observer-event.h"
#include "src/util/tick.h"

/* So often a call of BPF's is made before it counts as failed. */
#define TRIES 3

#define TYPES_PATH                                                                                 \
	"/sys/kernel/btf/vmlinux" /* there where the kernel has CONFIG_DEBUG_INFO_BTF              \
				   */

struct tracepoints {
	struct observer_bpf_skel *skel; /* the programs; owned */
	struct ring_buffer *ring;	/* owned */
	tracepoints_func func;
	void *userdata;	   /* of `func`; not owned */
	uint32_t hz;	   /* jiffies a second of the running kernel; 0: unknown */
	unsigned int left; /* events that this drain may still hand out */
	uint64_t lost;	   /* the programs' count of lost events at the last check_lost() */
};

static const enum observation_kind kinds[] = {
	[OBSERVER_EVENT_STATE] = OBSERVATION_STATE,
	[OBSERVER_EVENT_RETRANSMIT] = OBSERVATION_RETRANSMIT,
	[OBSERVER_EVENT_RESET_SENT] = OBSERVATION_RESET_SENT,
	[OBSERVER_EVENT_RESET_RECEIVED] = OBSERVATION_RESET_RECEIVED,
};
static_assert(ARRAY_SIZE(kinds) == _OBSERVER_EVENT_MAX, "every event is an observation");

static const enum retransmit_reason reasons[] = {
	[OBSERVER_REASON_RTO] = RETRANSMIT_RTO,
	[OBSERVER_REASON_LOSS_PROBE] = RETRANSMIT_LOSS_PROBE,
	[OBSERVER_REASON_FAST] = RETRANSMIT_FAST,
	[OBSERVER_REASON_UNKNOWN] = RETRANSMIT_UNKNOWN,
};
static_assert(ARRAY_SIZE(reasons) == _OBSERVER_REASON_MAX, "every reason has a name");

static struct socket_options options_of(const struct tracepoints *bpf,
					const struct observer_event *e)
{
	nsec_t tick_nsec = bpf->hz ? NSEC_PER_SEC / bpf->hz : 0;
	nsec_t idle_nsec = e->keepalive_idle_jiffies * tick_nsec;
	nsec_t interval_nsec = e->keepalive_interval_jiffies * tick_nsec;

	return (struct socket_options){
		.present = bpf->hz,
		.keepalive = e->keepalive,
		.keepalive_idle_nsec = idle_nsec ? idle_nsec : NSEC_NONE,
		.linger_nsec = NSEC_NONE,
		.send_buffer = -1,
		.receive_buffer = -1,
		.keepalive_interval_nsec = interval_nsec ? interval_nsec : NSEC_NONE,
		.keepalive_count = e->keepalive_probes ? (int)e->keepalive_probes : -1,
		.user_timeout_nsec =
			e->user_timeout_msec ? e->user_timeout_msec * NSEC_PER_MSEC : NSEC_NONE,
		.nodelay = e->nodelay,
	};
}

static void set_state(const struct tracepoints *bpf, struct observation *o,
		      const struct observer_event *e)
{
	o->state.from = e->from;
	o->state.to = e->to;
	o->state.facts = (struct socket_facts){
		.present = true,
		.dead = e->dead,
		.keepalive = e->keepalive,
		.retransmits = e->retransmits,
		.probes = e->probes,
		.user_timeout_msec = e->user_timeout_msec,
		.unacknowledged = e->unacknowledged,
		.unsent = e->unsent,
		.error = e->error,
		.soft_error = e->soft_error,
		.options = options_of(bpf, e),
	};
}

/* Takes the timeout from icsk_rto only if the retransmission was caused by it: for other causes
 * icsk_rto is not the time that was waited. */
static void set_retransmit(const struct tracepoints *bpf, struct observation *o,
			   const struct observer_event *e)
{
	o->retransmit.reason =
		e->reason < ARRAY_SIZE(reasons) ? reasons[e->reason] : RETRANSMIT_UNKNOWN;
	o->retransmit.rto_nsec = NSEC_NONE;
	if (o->retransmit.reason == RETRANSMIT_RTO && bpf->hz)
		o->retransmit.rto_nsec = e->rto_jiffies * NSEC_PER_SEC / bpf->hz;
}

static struct ip address_of(int family, const uint8_t bytes[16])
{
	struct ip ip = { .family = family, .prefix = ip_full_prefix(family) };

	if (family != AF_INET && family != AF_INET6)
		return (struct ip){ 0 };
	memcpy(&ip.v6, bytes, ip.prefix / 8);
	return ip_unmap(ip);
}

static int on_record(void *userdata, void *data, size_t size)
{
	struct tracepoints *bpf = userdata;
	const struct observer_event *e = data;
	struct observation o = { 0 };

	if (size < sizeof(*e) || e->kind >= ARRAY_SIZE(kinds))
		return 0;
	o.kind = kinds[e->kind];
	o.time_nsec = (nsec_t)e->time_nsec;
	o.socket = e->socket;
	o.local_port = e->local_port;
	o.peer_port = e->peer_port;
	o.local = address_of(e->family, e->local);
	o.peer = address_of(e->family, e->peer);
	if (o.kind == OBSERVATION_STATE)
		set_state(bpf, &o, e);
	else if (o.kind == OBSERVATION_RETRANSMIT)
		set_retransmit(bpf, &o, e);
	bpf->func(e->netns, &o, bpf->userdata);
	return --bpf->left ? 0 : -EAGAIN; /* a negative value ends the drain after this record */
}

static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	return 0;
}

static bool has_types(void)
{
	return access(TYPES_PATH, F_OK) == 0 || errno != ENOENT;
}

/* Whoever may not use BPF, or has a kernel without it, gets along without. Any other failure is
 * none of these. */
static int unavailable(struct error *err, int rc, const char *what)
{
	if (rc == -EPERM || rc == -EACCES)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "BPF is not permitted (needs CAP_BPF and CAP_PERFMON)");
	if (rc != -ENOSYS && access("/sys/kernel", F_OK) < 0)
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "/sys, where the kernel tells its types, is not mounted");
	if (rc == -ENOSYS || !has_types())
		return error_set(err, ERROR_CAPABILITY, rc == -ENOSYS ? rc : -ENOENT,
				 "the kernel has no %s",
				 rc == -ENOSYS ? "BPF" : "BTF (" TYPES_PATH ")");
	return error_set(err, ERROR_FAILED, rc, "BPF programs: %s: %s; --no-bpf does without them",
			 what, strerror(-rc));
}

/* Makes the forks of this process cheaper, which copy the page table entries of its memory. The
 * ring is left out of forks; /proc/self/maps tells where it is, because libbpf maps it twice and
 * does not say where. The 10 MB into which libbpf read the kernel's types are given back. */
static void spare_forks(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "anon_inode:bpf-map") && sscanf(line, "%lx-%lx", &from, &to) == 2)
			madvise((void *)from, to - from, MADV_DONTFORK);
	if (maps)
		fclose(maps);
	malloc_trim(0);
}

static int load_once(struct tracepoints *bpf, size_t ring_size, struct error *err)
{
	int rc;

	bpf->skel = observer_bpf_skel__open();
	if (!bpf->skel)
		return unavailable(err, -errno, "open");
	rc = bpf_map__set_max_entries(bpf->skel->maps.events, (uint32_t)ring_size);
	if (rc < 0)
		return unavailable(err, rc, "size of the ring buffer");
	bpf->skel->rodata->by_inode = !netns_has_cookies();
	rc = observer_bpf_skel__load(bpf->skel);
	if (rc < 0)
		return unavailable(err, rc, "load");
	if (!bpf->skel
		     ->bss) /* libbpf takes a probe that fails for a kernel without mappable maps */
		return unavailable(err, -EOPNOTSUPP, "map of the count of lost events");
	rc = observer_bpf_skel__attach(bpf->skel);
	if (rc < 0)
		return unavailable(err, rc, "attach");
	bpf->ring = ring_buffer__new(bpf_map__fd(bpf->skel->maps.events), on_record, bpf, NULL);
	if (!bpf->ring)
		return unavailable(err, -errno, "ring buffer");
	return 0;
}

static int load(struct tracepoints *bpf, size_t ring_size, struct error *err)
{
	int rc = -1;

	for (int tries = TRIES; rc < 0 && tries--;) {
		observer_bpf_skel__destroy(bpf->skel);
		bpf->skel = NULL;
		rc = load_once(bpf, ring_size, err);
	}
	if (rc >= 0)
		spare_forks();
	return rc;
}

int tracepoints_new(size_t ring_size, tracepoints_func func, void *userdata,
		    struct tracepoints **ret_bpf, struct error *err)
{
	_cleanup_(tracepoints_freep) struct tracepoints *bpf = calloc(1, sizeof(*bpf));
	libbpf_print_fn_t printed;
	int rc;

	if (!bpf)
		return error_errno(err, -ENOMEM, "BPF");
	bpf->func = func;
	bpf->userdata = userdata;
	bpf->hz = tick_hz();
	printed = libbpf_set_print(quiet);
	rc = load(bpf, ring_size, err);
	libbpf_set_print(printed);
	if (rc < 0)
		return rc;
	*ret_bpf = take_ptr(bpf);
	return 0;
}

struct tracepoints *tracepoints_free(struct tracepoints *bpf)
{
	if (!bpf)
		return NULL;
	ring_buffer__free(bpf->ring);
	observer_bpf_skel__destroy(bpf->skel);
	free(bpf);
	return NULL;
}

int tracepoints_fd(const struct tracepoints *bpf)
{
	return bpf_map__fd(bpf->skel->maps.events);
}

/* Tells how many events of one namespace were lost, and sets that count in `watched` to zero. An
 * event that is lost between these two steps is in no count that is told; the count that is told
 * fails the trial anyway. */
static void tell_lost(struct tracepoints *bpf, uint64_t netns)
{
	int fd = bpf_map__fd(bpf->skel->maps.watched);
	struct observation o = { .kind = OBSERVATION_LOST, .time_nsec = nsec_now() };
	uint64_t zero = 0;

	int rc = -1;

	for (int tries = TRIES; rc < 0 && rc != -ENOENT && tries--;)
		rc = bpf_map_lookup_elem(fd, &netns, &o.lost);
	if (rc == -ENOENT)
		return;
	if (rc < 0)
		o.lost = 1; /* some events were lost, perhaps here */
	if (!o.lost)
		return;
	bpf_map_update_elem(fd, &netns, &zero, BPF_EXIST);
	bpf->func(netns, &o, bpf->userdata);
}

/* Finds the next watched namespace, or the first after NULL. -ENOENT: there is none. */
static int next_watched(struct tracepoints *bpf, const uint64_t *after, uint64_t *ret_next)
{
	int rc = -1;

	for (int tries = TRIES; rc < 0 && rc != -ENOENT && tries--;)
		rc = bpf_map_get_next_key(bpf_map__fd(bpf->skel->maps.watched), after, ret_next);
	return rc;
}

/* Returns a negative errno where events were lost and it is not known whose they are. */
static int check_lost(struct tracepoints *bpf)
{
	uint64_t lost = __atomic_load_n(&bpf->skel->bss->lost, __ATOMIC_RELAXED);
	uint64_t netns, next;
	int rc;

	if (lost == bpf->lost)
		return 0;
	bpf->lost = lost;
	for (rc = next_watched(bpf, NULL, &next); rc == 0;) {
		netns = next;
		rc = next_watched(bpf, &netns, &next);
		tell_lost(bpf, netns);
	}
	return rc == -ENOENT ? 0 : rc;
}

int tracepoints_drain(struct tracepoints *bpf, unsigned int max)
{
	bpf->left = max;
	ring_buffer__consume(bpf->ring);
	return check_lost(bpf);
}

int tracepoints_watch(struct tracepoints *bpf, uint64_t netns, struct error *err)
{
	uint64_t lost = 0;
	int rc = -1;

	for (int tries = TRIES; rc < 0 && tries--;)
		rc = bpf_map_update_elem(bpf_map__fd(bpf->skel->maps.watched), &netns, &lost,
					 BPF_ANY);
	return rc < 0 ? error_errno(err, rc, "watch a namespace") : 0;
}

void tracepoints_unwatch(struct tracepoints *bpf, uint64_t netns)
{
	bpf_map_delete_elem(bpf_map__fd(bpf->skel->maps.watched), &netns);
}
