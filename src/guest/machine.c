/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/machine.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>

#include "src/guest/window.h"
#include "src/util/array.h"

static const struct machine machines[] = {
	{
		.name = "x86_64",
		.program = "qemu-system-x86_64",
		.package = "qemu-system-x86",
		/* The window does not fit below max-ram-below-4g, so it starts at 4 GiB, and the
		 * firmware's tables stay in the guest's own memory. */
		.type = "pc,max-ram-below-4g=%uM",
		/* No rdrand: the kernel's random numbers come from the job's seed alone. */
		.cpu = "qemu64,-svm",
		.console = "ttyS0",
		/* mem= hides the window from the kernel; swiotlb= because memory above 4 GiB makes
		 * it set 64 MiB aside; HPET and the calibration of the TSC know nothing of skipped
		 * time. */
		.arguments =
			"mem=4G swiotlb=noforce tsc=reliable tsc_early_khz=1000000 hpet=disable "
			"lpj=1000000",
		.window_address = UINT64_C(1) << 32,
		.stop_port = 0x505,
		.exit_port = 0x501,
		.devices = { "-device", "pvpanic,ioport=0x505", "-device",
			     "isa-debug-exit,iobase=0x501,iosize=1" },
	},
};

/* Kernel arguments for every machine, and what each is for. */
static const char *const kernel_arguments[] = {
	"quiet",		      /* the console is for what goes wrong */
	"panic=-1",		      /* a panic ends QEMU (with -no-reboot) */
	"mitigations=off",	      /* a guest runs no hostile code, and boots faster */
	"nokaslr",		      /* one layout for every boot */
	"norandmaps",		      /* for the first process too */
	"transparent_hugepage=never", /* idle, and forks have less to scan */
	"thash_entries=1024",	      /* speed: each question for a socket walks the whole table */
	"mce=off",		      /* idle: no polling for hardware errors */
	"nowatchdog",		      /* idle: no soft-lockup checks */
	"psi=0",		      /* idle: no averages every 2 s */
	"cgroup_disable=memory",      /* idle: no statistics; less memory a page */
	"init_on_alloc=0",	      /* speed: do not clear what will be overwritten */
	/* boot: a test of a random generator and names for events as text, which are not used */
	"initcall_blacklist=jent_mod_init,trace_eval_init",
	"cryptomgr.notests",  /* boot: no self-tests */
	"lsm=",		      /* boot, and no policy between trials and the kernel */
	"audit=0",	      /* boot; the console stays quiet */
	"numa=off",	      /* the kernel must not take the window as memory */
	"random.trust_cpu=0", /* the seed alone decides the random numbers */
};

int machine_find(const struct machine **ret, struct error *err)
{
	struct utsname name;

	uname(&name);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (strcmp(machines[i].name, name.machine) == 0) {
			*ret = &machines[i];
			return 0;
		}
	return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP,
			 "no guest machine for this architecture, %s", name.machine);
}

/* A command line in the making. */
struct builder {
	char **argv; /* NULL-terminated; owned */
	size_t count;
	bool failed; /* there was no memory for a word */
};

static void add_text(struct builder *b, const char *text)
{
	if (strings_append(&b->argv, &b->count, text) < 0)
		b->failed = true;
}

__attribute__((format(printf, 2, 3))) static void add(struct builder *b, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	add_text(b, text);
}

#define ADD(b, ...)                                                                                \
	do {                                                                                       \
		const char *words[] = { __VA_ARGS__ };                                             \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(words); i_++)                                  \
			add_text((b), words[i_]);                                                  \
	} while (0)

static void add_clock(struct builder *b)
{
	/* Time is instructions executed, 2 ns each, and idle time is skipped. At 8 ns a hundred
	 * timers that share a bucket of the wheel took 10 ms to expire, and an event 8 ms. At 1 ns
	 * a boot takes twice as long, because some of its loops wait by the clock. */
	ADD(b, "-accel", "tcg", "-icount", "shift=1,sleep=off", "-rtc", "base=2026-01-01,clock=vm",
	    "-smp", "1", "-seed", "1");
}

static void add_memory(struct builder *b, unsigned memory_mib, const struct machine_run *run)
{
	const unsigned window_mib = GUEST_WINDOW_SIZE >> 20;

	add(b, "-m");
	add(b, "%uM", memory_mib + window_mib);
	add(b, "-object");
	if (run->memory_fd >= 0)
		add(b, "memory-backend-file,id=memory,mem-path=/proc/self/fd/%d,size=%uM,share=%s",
		    run->memory_fd, memory_mib, run->memory_shared ? "on" : "off");
	else
		add(b, "memory-backend-ram,id=memory,size=%uM", memory_mib);
	add(b, "-object");
	add(b, "memory-backend-file,id=window,mem-path=/proc/self/fd/%d,size=%uM,share=on",
	    run->window_fd, window_mib);
	ADD(b, "-numa", "node,nodeid=0,memdev=memory,cpus=0", "-numa",
	    "node,nodeid=1,memdev=window");
}

static void add_kernel(struct builder *b, const struct guest_image *image)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		b->failed = true;
		return;
	}
	fprintf(out, "console=%s deadpeer.window=0x%llx ", image->qemu.machine->console,
		(unsigned long long)image->qemu.machine->window_address);
	fprintf(out, image->qemu.machine->arguments, image->memory_mib);
	if (image->prepare)
		fprintf(out, " deadpeer.prepare=%s", image->prepare);
	if (image->untracked)
		fprintf(out, " deadpeer.untracked=1");
	for (size_t i = 0; i < ARRAY_SIZE(kernel_arguments); i++)
		fprintf(out, " %s", kernel_arguments[i]);
	if (fclose(out) != 0)
		b->failed = true;
	else
		ADD(b, "-kernel", image->kernel, "-initrd", image->initrd, "-append", text);
}

char **machine_arguments(const struct guest_image *image, const struct machine_run *run)
{
	const struct machine *machine = image->qemu.machine;
	struct builder b = { 0 };

	ADD(&b, machine->program, "-nodefaults", "-no-user-config", "-nographic", "-no-reboot");
	ADD(&b, "-name", "deadpeer,debug-threads=on"); /* for src/guest/qemu-turns.c */
	add(&b, "-M");
	add(&b, machine->type, image->memory_mib);
	ADD(&b, "-cpu", machine->cpu);
	add_clock(&b);
	add_memory(&b, image->memory_mib, run);
	ADD(&b, "-serial", "stdio", "-action", "panic=pause");
	for (size_t i = 0; i < ARRAY_SIZE(machine->devices) && machine->devices[i]; i++)
		add_text(&b, machine->devices[i]);
	add(&b, "-chardev");
	add(&b, "socket,id=monitor,fd=%d", run->monitor_fd);
	ADD(&b, "-mon", "chardev=monitor,mode=control");
	add_kernel(&b, image);
	ADD(&b, "-S");
	if (run->incoming)
		ADD(&b, "-incoming", "defer");
	return b.failed ? strings_free(b.argv) : b.argv;
}
