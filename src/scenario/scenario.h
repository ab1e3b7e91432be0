/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A scenario as plain data: path, agents, settings, timeline, expectations. It is
 * one of the two hinges of the program (the other is the record): readers fill
 * it, the testbed and the trial use it, printers print it. A scenario is always
 * valid: scenario_load() refuses all others with file and line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netns/netem.h"
#include "src/scenario/call.h"
#include "src/scenario/outcome.h"
#include "src/scenario/program.h"
#include "src/tcp/packet.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/nsec.h"

/* How many hosts a scenario may have. */
#define SCENARIO_HOSTS_MAX 10

/* A machine: a host, where programs run, or the router between the hosts. Client and server are
 * always there; the hosts that a scenario names come after them. */
enum node_id {
	NODE_CLIENT,
	NODE_SERVER,
	NODE_ROUTER = SCENARIO_HOSTS_MAX,
	_NODE_MAX,
};

/* How many connections a scenario may name to be followed, and how many a trial follows, where one
 * name stands for all that there are. */
#define SCENARIO_CONNECTIONS_MAX 6
#define TRIAL_CONNECTIONS_MAX	 16

/* One end of a followed connection: 2n of connection n connects, and 2n + 1 accepts. */
enum end_id {
	END_CLIENT,
	END_SERVER,
	_END_MAX = 2 * TRIAL_CONNECTIONS_MAX,
};

static inline size_t end_connection(enum end_id end)
{
	return end / 2;
}

static inline enum end_id end_peer(enum end_id end)
{
	return end ^ 1u;
}
/* Whether it is the end that connects. */
static inline bool end_connects(enum end_id end)
{
	return !(end & 1u);
}

enum family {
	FAMILY_IPV4,
	FAMILY_IPV6,
	_FAMILY_MAX,
};

enum path_kind {
	PATH_ROUTED,   /* client - router - server, two subnets */
	PATH_SWITCHED, /* the router bridges, one subnet */
	PATH_DIRECT,   /* one veth pair, no router */
	_PATH_KIND_MAX,
};

/* Between two hosts, of which one comes first: that is the client, unless an event names others. */
enum direction {
	DIRECTION_BOTH,
	DIRECTION_FORWARD,
	DIRECTION_BACKWARD,
	_DIRECTION_MAX,
};

/* What a built-in agent does with its connection, once there is one. */
enum workload {
	WORKLOAD_IDLE,	    /* waits in read, and sends nothing */
	WORKLOAD_REQUEST,   /* sends `size` bytes every `interval`, and waits for as many back */
	WORKLOAD_STREAM,    /* sends `size` bytes every `interval`; interval 0: without a pause */
	WORKLOAD_HEARTBEAT, /* a request every `interval`; gives up after `misses` without answer */
	WORKLOAD_ECHO,	    /* sends back what it reads */
	WORKLOAD_SINK,	    /* reads, and sends nothing */
	WORKLOAD_NO_ACCEPT, /* listens, never accepts */
	WORKLOAD_COMMAND,   /* the user's own program */
	_WORKLOAD_MAX,
};

/* The options of an agent: its workload's parameters and its socket options. Their keys, types
 * and the setsockopt() each stands for are one table, option.c. */
enum option {
	OPTION_WORKLOAD,       /* enum workload */
	OPTION_INTERVAL,       /* nsec */
	OPTION_SIZE,	       /* bytes */
	OPTION_MISSES,	       /* heartbeat: unanswered requests until it gives up */
	OPTION_CONNECTIONS,    /* client: how many, all at once */
	OPTION_AUTOCONNECT,    /* client: connect at the start (1), or when an action says so (0) */
	OPTION_CLOSE_ON_EOF,   /* 1: close when the peer has closed (default), 0: keep open */
	OPTION_PAUSED,	       /* 1: does not read until it is told to */
	OPTION_PORT,	       /* server: where it listens, client: where it connects to */
	OPTION_LOCAL_PORT,     /* client: what it binds its first connection to */
	OPTION_BACKLOG,	       /* of listen() */
	OPTION_DESCRIPTORS,    /* server: how many more it may open once it listens */
	OPTION_KEEPALIVE,      /* SO_KEEPALIVE */
	OPTION_KEEPALIVE_IDLE, /* TCP_KEEPIDLE, nsec, whole seconds */
	OPTION_KEEPALIVE_INTERVAL,
	OPTION_KEEPALIVE_COUNT,
	OPTION_USER_TIMEOUT, /* TCP_USER_TIMEOUT, nsec, whole milliseconds */
	OPTION_SYN_COUNT,    /* TCP_SYNCNT */
	OPTION_LINGER,	     /* SO_LINGER, nsec, whole seconds; 0 resets on close */
	OPTION_REUSE_ADDRESS,
	OPTION_NODELAY,
	OPTION_DEFER_ACCEPT, /* TCP_DEFER_ACCEPT, nsec, whole seconds */
	OPTION_SEND_BUFFER,  /* SO_SNDBUF, bytes as given to setsockopt (the kernel doubles it) */
	OPTION_RECEIVE_BUFFER,
	_OPTION_MAX,
};
#define OPTION_UNSET INT64_MIN /* the kernel's default holds, or the workload's */

struct scenario_agent {
	int64_t option[_OPTION_MAX];	   /* OPTION_UNSET where nothing was said */
	int option_line[_OPTION_MAX];	   /* the line of the file that sets it; 0: none does */
	struct scenario_program *programs; /* for WORKLOAD_COMMAND, in the order in which they
					    * start; owned */
	size_t n_programs;
	enum node_id to; /* the host that it connects to, or for a host that does
			  * not connect, itself */
	int to_line;	 /* of the file; 0: it is not from the file */
};

struct scenario_sysctl {
	char *key;   /* "net.ipv4.tcp_retries2"; owned */
	char *value; /* as given; owned */
	int line;    /* 0: from --set */
};

struct scenario_node {
	struct scenario_sysctl *sysctls; /* in the order of the file, each key once; owned */
	size_t n_sysctls;
};

struct scenario_path {
	enum path_kind kind;
	unsigned int mtu;   /* 0: the kernel's default */
	struct netem netem; /* in each direction, so an RTT has twice the delay */
	bool has_netem;	    /* netem has at least one parameter */
	bool conntrack;	    /* the router tracks connections, as it does with the two below */
	bool masquerade;    /* the router is a NAT: the server sees its address, not the client's */
	enum firewall_untracked untracked; /* what it does with segments of unknown flows */
	int line; /* of the file's latest setting of the path, for errors; 0: --set has it */
};

enum fault_kind {
	FAULT_BLACKHOLE,
	FAULT_UNREACHABLE,
	FAULT_PROHIBIT,
	FAULT_CABLE_PULL,
	FAULT_INTERFACE_DOWN,
	FAULT_ADDRESS_REMOVE,
	FAULT_DROP,
	FAULT_NETEM,
	FAULT_POWER_LOSS,
	FAULT_REBOOT,
	FAULT_CRASH,
	FAULT_FREEZE,
	FAULT_CONNTRACK_FLUSH,
	FAULT_TAKE_OVER,
	_FAULT_KIND_MAX,
};

/* What an agent is told to do by the timeline. */
enum action {
	ACTION_CONNECT, /* from `local_port` */
	ACTION_SEND,	/* `size` bytes at once */
	ACTION_SHUTDOWN,
	ACTION_CLOSE,
	ACTION_PAUSE_READING,
	ACTION_RESUME_READING,
	ACTION_FREE_DESCRIPTORS, /* lifts the limit that OPTION_DESCRIPTORS sets */
	ACTION_EXIT,
	ACTION_START, /* starts the agent again after its end, on a host that was up all the time */
	_ACTION_MAX,
};

enum event_kind {
	EVENT_FAULT,
	EVENT_HEAL, /* ends the latest fault of that kind that holds: on that node and side if it
		     * names them, and in just that direction unless it is both */
	EVENT_ACTION,
};

/* Which packets a drop takes. */
struct drop_match {
	uint8_t flags_mask, flags; /* bits of the TCP header that must be as in `flags` */
	bool payload_only;	   /* only those with data */
	uint64_t count;		   /* how many; 0: all */
};

struct event {
	nsec_t at_nsec; /* since the connection was established (or the agents were up) */
	enum event_kind kind;
	enum fault_kind fault; /* FAULT and HEAL */
	size_t ends;	       /* HEAL: index of the fault's event; set by scenario_check() */
	enum action action;    /* ACTION */
	enum node_id node;     /* where; unused for faults on the path */
	bool has_node;	       /* the event is on a node */
	char program[36];      /* the name of the program there that it is about; empty: all */
	size_t program_index;  /* likewise, set by scenario_check(); SCENARIO_PROGRAMS_MAX: all */
	enum node_id side;     /* interface-down on the router: the end that the link leads to */
	enum node_id pair[2];  /* faults on the path: the hosts it is between, in the order of their
				* numbers: client and server, unless has_pair */
	bool has_pair;	       /* the event names them */
	enum direction direction; /* faults on the path: from pair[0] to pair[1], back, or both */
	struct drop_match drop;	  /* drop */
	struct netem netem;	  /* netem */
	nsec_t downtime_nsec;	  /* reboot */
	bool new_mac;		  /* reboot: comes back with another hardware address */
	bool new_address;	  /* reboot: comes back with another IP address */
	bool no_service;	  /* reboot: comes back with nobody listening */
	bool announce;		  /* take-over: gratuitous ARP, or an unsolicited advertisement */
	uint64_t size;		  /* ACTION_SEND, bytes */
	uint64_t local_port;	  /* ACTION_CONNECT; 0: any */
	bool has_local_port;	  /* false: OPTION_LOCAL_PORT says it */
	int line;		  /* in the file */
};

/* One bound of a detection time: absent, fixed, or what the model predicts. */
struct expect_time {
	bool present;
	bool predicted;	  /* the model has the time */
	nsec_t time_nsec; /* since the first event, unless predicted */
};

/* A call that the program is expected to have made. Times are NSEC_NONE where nothing is said. */
struct expect_call {
	enum agent_call call;
	bool absent;				  /* "!": no such call after the first event */
	int error;				  /* errno, positive; 0: it succeeded */
	bool has_result;			  /* "write 4": the result is expected, too */
	int64_t result;				  /* of a call that succeeded */
	int64_t connection;			  /* number of its connection, from 0; -1: any */
	nsec_t after_nsec, before_nsec;		  /* when it returned, since the first event */
	nsec_t took_after_nsec, took_before_nsec; /* how long it took */
};

/* How much or how many is expected. */
struct expect_range {
	bool present;
	uint64_t least, most; /* bytes, or a count; both included */
};

/* How the socket is expected to look at a moment, as `ss -o` would show it. */
struct expect_sample {
	nsec_t at_nsec; /* since the first event */
	int state;	/* enum tcp_state; TCP_STATE_NONE: any */
	int timer;	/* enum tcp_timer; -1: any */
	struct expect_range send_queue, receive_queue, retransmits, probes, backoff, open;
	nsec_t expires_after_nsec, expires_before_nsec; /* of the timer; NSEC_NONE: any */
	int line;					/* in the file */
};

#define EXPECT_ERRORS_MAX 16
#define EXPECT_WALK_MAX	  64 /* states, and packets */

/* What one endpoint is expected to go through. Of a mask or a list of alternatives any one will do;
 * an empty one means that nothing is expected. */
struct expectation {
	bool present;		       /* the scenario watches this endpoint */
	uint32_t outcomes;	       /* mask of 1 << enum outcome */
	uint32_t mechanisms;	       /* mask of 1 << enum mechanism */
	int errors[EXPECT_ERRORS_MAX]; /* errnos, positive; 0: it is expected to end without one */
	size_t n_errors;
	struct expect_time after, before;
	struct expect_time gone_after, gone_before; /* when nothing is left of the connection */
	bool gone_never;			    /* something is left when the trial ends */
	struct expect_time recovered_after, recovered_before; /* since the first event */
	bool recovered_never;
	int states[EXPECT_WALK_MAX]; /* enum tcp_state: all states after ESTABLISHED. If the last
				      * is TIME_WAIT, that may have ended or not */
	size_t n_states;
	struct packet_pattern *packets; /* in this order; only others may come between them; those
					 * that are absent must not follow the first event; owned */
	char **packet_texts;		/* the same as text; NULL-terminated, owned, may be NULL */
	struct expect_call *calls;	/* in this order, as the packets; owned */
	char **call_texts;		/* the same as text; NULL-terminated, owned, may be NULL */
	struct expect_range read, written;	      /* bytes, on the connection */
	struct expect_range population[_OUTCOME_MAX]; /* of many connections, by outcome */
	struct expect_sample *samples;		      /* owned */
	size_t n_samples;
	int line; /* in the file */
};

/* What was asked for when a scenario was made of its source, so that a guest can make the same. */
struct scenario_recipe {
	bool quick, measure_only;
	nsec_t horizon_nsec; /* 0: the file's */
	char **set;	     /* "KEY=VALUE"; NULL-terminated, owned */
};

/* scenario->follow: the connection that was established last before the first event, or all that
 * are open then. */
#define SCENARIO_FOLLOW_LAST (UINT32_MAX - 1)
#define SCENARIO_FOLLOW_ALL  UINT32_MAX

/* A connection that is followed. Without a name it is the only one, from the client to where that
 * connects. */
struct scenario_connection {
	char *name; /* owned */
	enum node_id from, to;
	uint64_t port;	 /* at `to`; 0: that host's */
	uint32_t number; /* which of those, from 1; SCENARIO_FOLLOW_LAST, SCENARIO_FOLLOW_ALL */
	bool late;	 /* it may be established after the first event */
	int line;	 /* in the file */
};

struct scenario {
	char *file;	   /* where it was read; owned, as all strings here */
	char *source;	   /* the whole text of the file, which a guest parses again */
	char *id;	   /* "E16"; NULL when the file has none */
	char *name;	   /* "power-loss-busy" */
	char *variant;	   /* NULL, or the variant's name */
	char *summary;	   /* one line */
	char *explanation; /* the comment that opens the file, without "# " */
	bool quick;	   /* the quick settings are applied */
	bool has_quick;	   /* the file has quick settings */
	struct scenario_path path;
	char *host_name[SCENARIO_HOSTS_MAX]; /* of those after client and server; else NULL */
	enum node_id n_hosts;		     /* client, server, and those that have a name */
	struct scenario_node node[_NODE_MAX];
	struct scenario_agent agent[SCENARIO_HOSTS_MAX];
	struct event *events; /* ordered by time */
	size_t n_events;
	uint32_t follow; /* which of the client's connections, from 1; 0: the first;
			  * SCENARIO_FOLLOW_LAST, SCENARIO_FOLLOW_ALL */
	struct scenario_connection connections[SCENARIO_CONNECTIONS_MAX];
	enum end_id n_ends;	  /* two of each connection */
	nsec_t horizon_nsec;	  /* from the first event */
	nsec_t until_nsec;	  /* likewise: the trial goes on so long at least, unless it is 0 */
	nsec_t sample_nsec;	  /* between two looks at queues and timers; 0: none */
	nsec_t sample_until_nsec; /* since the first event; NSEC_NEVER: to the end */
	int horizon_line;	  /* in the file; 0: it is not from the file */
	int follow_line;	  /* likewise */
	struct expectation expect[_FAMILY_MAX][2 * SCENARIO_CONNECTIONS_MAX];
	struct scenario_recipe recipe;
};

/* What to load and with which changes. */
struct scenario_request {
	const char *what;	/* a name, a catalogue id, or a path; or one variant of it, behind
				 * a slash: "path-loss/prohibit" */
	const char *variant;	/* the one variant to load of `what`; NULL: as `what` says */
	bool quick;		/* apply the quick settings, where there are some */
	const char *const *set; /* "KEY=VALUE" of --set, applied last, in order */
	size_t n_set;
	nsec_t horizon_nsec; /* 0: the scenario's own */
	bool measure_only;   /* watch the same endpoints, but expect nothing of them */
};

struct scenario_list {
	struct scenario **items; /* one for each variant; owned */
	size_t count;
	size_t n_left_out; /* variants that were asked for, and that --quick leaves out */
};

/* Reads a scenario with all its variants. ERROR_INPUT with "FILE:LINE: ..." for whatever is
 * wrong with it, "--set KEY=VALUE: ..." for a wrong change. Appends to `list`. */
int scenario_load(const struct scenario_request *request, struct scenario_list *list,
		  struct error *err);
/* The same for a text in memory; `file` is what errors call it, request->what is unused. */
int scenario_parse(const char *file, const char *text, size_t size,
		   const struct scenario_request *request, struct scenario_list *list,
		   struct error *err);
void scenario_list_deinit(struct scenario_list *list);
/* Frees all but the first `count`. */
void scenario_list_truncate(struct scenario_list *list, size_t count);
/* Whether a host runs a program of the user's. */
bool scenario_has_programs(const struct scenario *scenario);
/* Refuses what names a program that is not on this machine, or is none. A file that does so is
 * right all the same. */
int scenario_check_programs(const struct scenario *scenario, struct error *err);

/* A file that was read once, to make scenarios of it again and again (source.c). */
struct scenario_source;
/* Finds, reads and checks it as scenario_load() does. */
int scenario_source_load(const char *what, struct scenario_source **ret_source, struct error *err);
/* The same for a text that is known to be right: only the scenarios made of it are checked. */
int scenario_source_parse(const char *file, const char *text, size_t size,
			  struct scenario_source **ret_source, struct error *err);
struct scenario_source *scenario_source_free(struct scenario_source *source);
DEFINE_CLEANUP(struct scenario_source *, scenario_source_free)
const char *scenario_source_file(const struct scenario_source *source);
const char *scenario_source_text(const struct scenario_source *source);
/* How many variants there are; one without a name where the file has none. */
size_t scenario_source_count(const struct scenario_source *source);
const char *scenario_source_variant(const struct scenario_source *source, size_t variant);
/* Which variants `name` stands for: those from *ret_first to before *ret_end; NULL: all. */
int scenario_source_pick(const struct scenario_source *source, const char *name, size_t *ret_first,
			 size_t *ret_end, struct error *err);
/* *ret_scenario is NULL where `quick` leaves the variant out. request->what is unused. */
int scenario_source_make(const struct scenario_source *source, size_t variant,
			 const struct scenario_request *request, struct scenario **ret_scenario,
			 struct error *err);

struct yaml_text;
/* The scenario's file as it is to be measured: a text of the same meaning, but without any
 * expectation, so that it is the same whatever is expected. The caller frees it. */
int scenario_without_expectations(const struct scenario *scenario, struct yaml_text *ret_text,
				  struct error *err);

struct scenario *scenario_free(struct scenario *scenario);
DEFINE_CLEANUP(struct scenario *, scenario_free)

/* A setting, as it is told to a setting_func. */
struct setting_value {
	const char *key;  /* full, "client.net.ipv4.tcp_retries2"; valid during the call */
	const char *text; /* the value as text; valid during the call */
	bool is_number;	  /* the value is one, too */
	double number;	  /* times in seconds, sizes in bytes, booleans 0 or 1 */
};
typedef int (*setting_func)(const struct setting_value *value, void *userdata);
/* Tells every setting that was said, in a fixed order, until `func` returns anything but 0; returns
 * what it returned. */
int scenario_for_each_setting(const struct scenario *scenario, setting_func func, void *userdata);
/* Every key that a setting may have, but for sysctls: "path.delay", "keepalive.idle",
 * "client.keepalive.idle". `each` returns true to stop; so does this then. */
bool scenario_for_each_key(bool (*each)(const char *key, void *userdata), void *userdata);

/* The host that an end of a followed connection is on. */
static inline enum node_id scenario_end_node(const struct scenario *scenario, enum end_id end)
{
	const struct scenario_connection *c = &scenario->connections[end_connection(end)];

	if (end_connects(end))
		return c->from;
	return c->name ? c->to : scenario->agent[NODE_CLIENT].to;
}
/* Value of an agent's option, or `fallback` where it is unset. */
static inline int64_t scenario_option(const struct scenario_agent *agent, enum option option,
				      int64_t fallback)
{
	return agent->option[option] == OPTION_UNSET ? fallback : agent->option[option];
}
/* Whether the router looks at flows at all. */
static inline bool scenario_tracks(const struct scenario *scenario)
{
	const struct scenario_path *path = &scenario->path;

	return path->conntrack || path->masquerade || path->untracked != FIREWALL_PASS;
}
/* Writes "5", "at least 5" or "5 to 7". Returns `buffer`; 64 bytes are enough. */
char *scenario_format_range(const struct expect_range *range, char *buffer, size_t size);
/* Whether `heal` can end such a fault. */
bool scenario_fault_heals(enum fault_kind fault);
/* False for a fault that is over by itself: a process that is dead, a host that has rebooted, flows
 * that are forgotten, or a drop that counts. The others last until they are healed. */
bool scenario_fault_lasts(const struct event *event);
/* "client", "proxy", "router". */
const char *scenario_node_name(const struct scenario *scenario, enum node_id node);
/* The node of a name, or of the first `length` bytes of it; -1: there is none. */
int scenario_find_node(const struct scenario *scenario, const char *name, size_t length);
/* Whether the user's own programs run there, and not the built-in one. */
static inline bool scenario_is_command(const struct scenario_agent *agent)
{
	return agent->n_programs > 0;
}
/* Whether something runs on a host: not on each that has a name. */
static inline bool scenario_has_agent(const struct scenario *scenario, enum node_id host)
{
	return scenario->agent[host].option[OPTION_WORKLOAD] != OPTION_UNSET;
}
/* How many programs run on a host, the built-in one being one. */
static inline size_t scenario_n_programs(const struct scenario *scenario, enum node_id host)
{
	const struct scenario_agent *agent = &scenario->agent[host];

	return agent->n_programs ? agent->n_programs : scenario_has_agent(scenario, host);
}
/* The user's program of that index; NULL: it is the built-in one. */
static inline const struct scenario_program *scenario_program(const struct scenario *scenario,
							      enum node_id host, size_t index)
{
	const struct scenario_agent *agent = &scenario->agent[host];

	return index < agent->n_programs ? &agent->programs[index] : NULL;
}
/* Whether the agent of a host connects by itself; else it listens, or is a command. */
static inline bool scenario_connects(const struct scenario *scenario, enum node_id host)
{
	return scenario->agent[host].to != host;
}
/* "client", or of a connection with a name "front.client". Returns `buffer`. */
#define SCENARIO_END_NAME_SIZE 64
char *scenario_end_name(const struct scenario *scenario, enum end_id end, char *buffer,
			size_t size);
/* The end of that name; -1: there is none. */
int scenario_find_end(const struct scenario *scenario, const char *name);
/* Which of its connections a name stands for, as `follow` says it. */
static inline uint32_t scenario_follows(const struct scenario *scenario, enum end_id end)
{
	const struct scenario_connection *c = &scenario->connections[end_connection(end)];

	return c->name ? c->number : scenario->follow;
}
/* The same of one of all connections that a name stands for, as a trial calls it: "pool-2.client",
 * or without a name "2.client". `rank` counts from 1; 0: the name stands for one. */
char *scenario_ranked_name(const struct scenario *scenario, enum end_id end, size_t rank,
			   char *buffer, size_t size);
/* The scenario's end that a trial's end of that name was asked for by; -1: none. */
int scenario_asked_end(const struct scenario *scenario, const char *name);
/* Whether the scenario's network has the node: a direct path has no router. */
static inline bool scenario_has_node(const struct scenario *scenario, enum node_id node)
{
	return node == NODE_ROUTER ? scenario->path.kind != PATH_DIRECT : node < scenario->n_hosts;
}
/* Value of a sysctl that the scenario sets on a node, or NULL. */
const char *scenario_sysctl(const struct scenario *scenario, enum node_id node, const char *key);
/* The same as a number, as the kernel takes it; `usual` where the scenario does not set it. */
int64_t scenario_sysctl_number(const struct scenario *scenario, enum node_id node, const char *key,
			       int64_t usual);

/* Calls `each` with a text for each sysctl of --set that has no effect in any of the scenarios,
 * since an option of the socket overrides it. */
void scenario_for_each_overridden(const struct scenario_list *list,
				  void (*each)(const char *text, void *userdata), void *userdata);

/* Tells whether `what` is a scenario's name or id, also with a variant, or a file with the key
 * `timeline` or `variants`. */
bool scenario_is(const char *what);

/* Where scenarios are looked for, in order; NULL-terminated: $DEADPEER_SCENARIOS, the source
 * tree the binary was built from, the installed data directory. */
char **scenario_directories(void);
/* Every scenario file found there, sorted by catalogue id; a NULL-terminated list of paths. */
int scenario_find_all(char ***ret_paths, struct error *err);

/* Names, as they stand in files and output: node_name(), node_from_name() and so on. */
DECLARE_NAMES(node, enum node_id)
DECLARE_NAMES(family, enum family)
DECLARE_NAMES(path_kind, enum path_kind)
DECLARE_NAMES(direction, enum direction) /* "both", "client-to-server", ... */
DECLARE_NAMES(workload, enum workload)
DECLARE_NAMES(fault, enum fault_kind)
DECLARE_NAMES(action, enum action)
DECLARE_NAMES(untracked, enum firewall_untracked)
