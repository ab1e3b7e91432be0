/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation. Up to the snapshot point a guest depends on its kernel
 * and this program only; there it writes to a port that stops the machine
 * before the next instruction, so that a guest restored from there and one
 * that has just booted go on in one and the same state. After it come the job
 * and the seed, read from the window. A job may stop once more when it is ready.
 * There is no other input from outside until the end.
 */
#include "src/guest/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "src/guest/machine.h"
#include "src/guest/window.h"
#include "src/kernel/initramfs.h"
#include "src/util/cleanup.h"
#include "src/util/nsec.h"

#define START_STEP_NSEC (128 * NSEC_PER_SEC)

static const struct {
	const char *type, *where;
	bool required; /* without it the guest fails */
} mounts[] = {
	{ "proc", "/proc", true },
	{ "sysfs", "/sys", true },
	{ "devtmpfs", "/dev", true },
	{ "tmpfs", "/tmp", true },
	{ "tmpfs", "/run", true },
	{ "devpts", "/dev/pts", false },
	{ "tmpfs", "/dev/shm", false },
	{ "tmpfs", "/var/tmp", false },
	{ "tracefs", "/sys/kernel/tracing", false },
	{ "bpf", "/sys/fs/bpf", false },
};

/* These settings keep an idle guest asleep ("idle"), make a small machine behave like an ordinary
 * one, and make an accident end the guest. A setting that the kernel does not have is left out.
 * Only the two socket buffers are settings of a namespace. They get the values that a kernel with
 * 4 GiB of memory chooses. */
static const struct {
	const char *path, *value;
} sysctls[] = {
	{ "vm/compaction_proactiveness", "0" },	  /* idle: kcompactd twice a second */
	{ "vm/stat_interval", "86400" },	  /* idle: per-CPU counters every second */
	{ "vm/dirty_writeback_centisecs", "0" },  /* idle: there is no disk */
	{ "kernel/hung_task_timeout_secs", "0" }, /* idle: khungtaskd; trials wait for hours */
	{ "net/ipv4/neigh/default/interval_probe_time_ms", "86400000" }, /* idle */
	{ "net/ipv6/neigh/default/interval_probe_time_ms", "86400000" }, /* idle */
	/* The neighbour tables are shared by all namespaces: they have to hold many trials. */
	{ "net/ipv4/neigh/default/gc_thresh3", "1048576" },
	{ "net/ipv4/neigh/default/gc_thresh2", "1048576" },
	{ "net/ipv4/neigh/default/gc_thresh1", "1048576" },
	{ "net/ipv6/neigh/default/gc_thresh3", "1048576" },
	{ "net/ipv6/neigh/default/gc_thresh2", "1048576" },
	{ "net/ipv6/neigh/default/gc_thresh1", "1048576" },
	/* The kernel sizes these by the memory that it finds, and all namespaces share them too. */
	{ "net/ipv4/tcp_max_orphans", "262144" },
	{ "net/ipv4/tcp_mem", "1048576 1048576 1048576" },
	{ "net/ipv4/tcp_rmem", "4096 131072 6291456" },
	{ "net/ipv4/tcp_wmem", "4096 16384 4194304" },
	{ "user/max_net_namespaces", "1048576" },
	{ "user/max_pid_namespaces", "1048576" },
	{ "user/max_user_namespaces", "1048576" },
	{ "user/max_mnt_namespaces", "1048576" },
	{ "user/max_uts_namespaces", "1048576" },
	{ "user/max_ipc_namespaces", "1048576" },
	{ "user/max_time_namespaces", "1048576" },
	{ "user/max_cgroup_namespaces", "1048576" },
	{ "kernel/pid_max", "4194304" },
	{ "kernel/threads-max", "1048576" },
	{ "fs/nr_open", "1048576" },
	{ "fs/file-max", "16777216" },
	{ "vm/max_map_count", "1048576" },
	{ "vm/overcommit_memory", "1" },      /* forks of a process that fills the guest */
	{ "kernel/randomize_va_space", "0" }, /* addresses that do not depend on chance */
	{ "vm/panic_on_oom", "2" },	      /* a killed agent would look like a result */
	{ "kernel/panic_on_oops", "1" },      /* so would a broken kernel */
};

static struct guest_window *window;
static const struct machine *machine;

/* Debian's cloud kernels have no /dev/port. */
static void put_port(unsigned port)
{
#if defined(__x86_64__)
	if (ioperm(port, 1, 1) < 0)
		return;
	outb(1, (unsigned short)port);
	ioperm(port, 1, 0); /* otherwise each switch of processes would copy the bitmap */
#else
	(void)port;
#endif
}

static _Noreturn void leave(void)
{
	if (machine)
		put_port(machine->exit_port);
	for (;;)
		reboot(RB_POWER_OFF);
}

/* Ends the guest with a reason: in the window if it is there, and on the console. */
__attribute__((format(printf, 1, 2))) static _Noreturn void fail(const char *format, ...)
{
	char text[sizeof(window->failure)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (window) {
		memcpy(window->failure, text, sizeof(text));
		atomic_store(&window->state, GUEST_STATE_FAILED);
	}
	fprintf(stderr, "deadpeer: %s\n", text);
	leave();
}

/* A folder in which the image has files stays as it is. */
static bool is_taken(const char *folder)
{
	return rmdir(folder) < 0 && errno == ENOTEMPTY;
}

static void mount_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (!strcmp(mounts[i].type, "tmpfs") && is_taken(mounts[i].where))
			continue;
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL) < 0 &&
		    errno != EBUSY && mounts[i].required)
			fail("mount %s: %s", mounts[i].where, strerror(errno));
	}
}

/* Others know these names, which udev makes elsewhere. */
static void link_all(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST)
			fail("%s: %s", links[i][1], strerror(errno));
}

/* A file of /proc/sys takes a value in one write or not at all. */
static void set_sysctls(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		_cleanup_(fd_closep) int fd = -1;
		char path[128];

		snprintf(path, sizeof(path), "/proc/sys/%s", sysctls[i].path);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (write(fd, sysctls[i].value, strlen(sysctls[i].value)) < 0)
			fprintf(stderr, "deadpeer: sysctl %s: %s\n", sysctls[i].path,
				strerror(errno));
	}
}

static int is_module(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Whether the name of a module's file, "017-nf_conntrack.ko", begins with `name` behind its number.
 */
static bool is_called(const char *file, const char *name)
{
	const char *dash = strchr(file, '-');

	return dash && !strncmp(dash + 1, name, strlen(name));
}

/* Whether a module is connection tracking, or depends on it. Its collector, which runs each minute,
 * is a third of what an idle guest does. */
static bool is_tracking(const char *file)
{
	static const char *const names[] = { "nf_conntrack",  "nf_nat",	 "nft_ct",
					     "nft_chain_nat", "nft_nat", "nft_masq",
					     "nft_redir" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is_called(file, names[i]))
			return true;
	return false;
}

static void insert_module(const char *file, const char *path)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Idle: the collector walks the whole table (nf_conntrack_core.c: gc_worker()). */
	const char *parameters = is_called(file, "nf_conntrack.") ? "hashsize=512" : "";

	if (fd < 0 || (syscall(SYS_finit_module, fd, parameters, 0) < 0 && errno != EEXIST))
		fail("module %s: %s", file, strerror(errno));
}

/* Inserts the modules in the order of their names, and removes their files. */
static void insert_modules(bool untracked)
{
	struct dirent **entries;
	int n = scandir(INITRAMFS_MODULES, &entries, is_module, alphasort);

	for (int i = 0; i < n; i++) {
		const char *file = entries[i]->d_name;
		char path[512];

		snprintf(path, sizeof(path), INITRAMFS_MODULES "/%s", file);
		if (!untracked || !is_tracking(file))
			insert_module(file, path);
		unlink(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void raise_limits(void)
{
	const struct rlimit files = { 1048576, 1048576 };
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_NPROC, &none);
	setrlimit(RLIMIT_MEMLOCK, &none);
	setrlimit(RLIMIT_SIGPENDING, &none);
}

static void lo_up(void)
{
	_cleanup_(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail("lo: %s", strerror(errno));
}

/* Makes the kernel's random numbers follow from `seed` alone. The kernel has to count as seeded
 * during boot too: otherwise work that waits for it wakes the guest every two seconds. */
static void seed_random(uint64_t seed)
{
	_cleanup_(fd_closep) int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	/* struct rand_pool_info, whose buffer has no size of its own */
	struct {
		int bits, bytes;
		uint64_t data[4];
	} pool = { 256,
		   sizeof(pool.data),
		   { seed, ~seed, seed * UINT64_C(0x9e3779b97f4a7c15), 0x64656164 } };

	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
		fail("/dev/urandom: %s", strerror(errno));
}

/* Reads what the kernel's command line says after `key`, which ends in "="; "" if it does not have
 * the key. */
static void read_argument(const char *key, char *value, size_t size)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/cmdline", "re");
	char line[4096] = "";
	const char *at;

	*value = '\0';
	if (!file || !fgets(line, sizeof(line), file) || !(at = strstr(line, key)))
		return;
	at += strlen(key);
	snprintf(value, size, "%.*s", (int)strcspn(at, " \n"), at);
}

static void map_window(void)
{
	_cleanup_(fd_closep) int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	unsigned long long address;
	char value[32];
	void *memory;

	read_argument("deadpeer.window=", value, sizeof(value));
	address = strtoull(value, NULL, 0);
	if (!address)
		fail("no deadpeer.window= in the kernel's command line");
	if (fd < 0)
		fail("/dev/mem: %s (does the kernel have CONFIG_DEVMEM?)", strerror(errno));
	memory = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      (off_t)address);
	if (memory == MAP_FAILED)
		fail("/dev/mem: %s (window at 0x%llx)", strerror(errno), address);
	/* Children do not need the window, and a fork should not copy its page tables. */
	madvise(memory, GUEST_WINDOW_SIZE, MADV_DONTFORK);
	window = memory;
}

/* Stops the machine until the host has it go on, here or in a copy. */
static void stop(enum guest_state state)
{
	atomic_store(&window->state, state);
	put_port(machine->stop_port);
	if (window->magic != GUEST_WINDOW_MAGIC || window->version != GUEST_WINDOW_VERSION)
		fail("no job in the window");
	atomic_store(&window->state, GUEST_STATE_RUNNING);
}

/* A boot takes a different time with each build, and a tick or two more or less each time. Waiting
 * costs nothing in virtual time, so each job starts at a fixed time of the guest. */
static void wait_for_start(void)
{
	nsec_t start_nsec = (nsec_now() / START_STEP_NSEC + 1) * START_STEP_NSEC;
	const struct timespec at = { .tv_sec = start_nsec / NSEC_PER_SEC };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

void guest_init_ready(const void **ret_job, size_t *ret_size)
{
	stop(GUEST_STATE_WAITING);
	seed_random(window->seed);
	*ret_job = (char *)window + GUEST_WINDOW_JOB;
	*ret_size = window->job_size;
}

static ssize_t write_output(void *cookie, const char *data, size_t size)
{
	uint64_t used = atomic_load(&window->output_used);

	if (size > window->output_size - used)
		fail("more output than a guest may have, %llu bytes",
		     (unsigned long long)window->output_size);
	memcpy((char *)window + window->output_offset + used, data, size);
	atomic_store(&window->output_used, used + size);
	return (ssize_t)size;
}

uint64_t guest_init_room(void)
{
	return window->output_size - atomic_load(&window->output_used);
}

void guest_init_progress(void)
{
	if (window)
		atomic_fetch_add(&window->progress, 1);
}

/* A kernel's first connection fills a table of 256 KiB with random numbers (__inet_hash_connect()
 * in net/ipv4/inet_hashtables.c). That takes 48 ms of the guest's time, so a connection is made
 * before any trial. */
static void connect_once(void)
{
	const struct sockaddr_in nobody = { .sin_family = AF_INET,
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					    .sin_port = htons(9) };
	_cleanup_(fd_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || (connect(fd, (const struct sockaddr *)&nobody, sizeof(nobody)) < 0 &&
		       errno != ECONNREFUSED))
		fail("connect: %s", strerror(errno));
}

static void do_job(guest_run_func run, void *userdata)
{
	FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = write_output });
	static char buffer[65536];

	if (!out)
		fail("out of memory");
	setvbuf(out, buffer, _IOLBF, sizeof(buffer));
	window->status = run((char *)window + GUEST_WINDOW_JOB, window->job_size, out, userdata);
	if (fclose(out) != 0)
		fail("output: %s", strerror(errno));
	atomic_store(&window->state, GUEST_STATE_ENDED);
}

int guest_init_wanted(void)
{
	return getpid() == 1 && access(INITRAMFS_MODULES, F_OK) == 0;
}

_Noreturn void guest_init_main(guest_prepare_func prepare, guest_run_func run, void *userdata)
{
	struct error err = { 0 };
	char what[128];

	mkdir("/var", 0755);
	mount_all();
	link_all();
	if (machine_find(&machine, &err) < 0)
		fail("%s", err.text);
	map_window();
	read_argument("deadpeer.untracked=", what, sizeof(what));
	insert_modules(*what);
	set_sysctls();
	raise_limits();
	lo_up();
	seed_random(0);
	read_argument("deadpeer.prepare=", what, sizeof(what));
	if (prepare && prepare(what, userdata, &err) < 0)
		fail("%s", err.text);
	stop(GUEST_STATE_READY);
	wait_for_start();
	seed_random(window->seed);
	connect_once();
	do_job(run, userdata);
	if (window->counted)
		stop(GUEST_STATE_ENDED);
	leave();
}
