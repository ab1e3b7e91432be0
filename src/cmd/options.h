/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Options that several verbs have, each written once. A verb names the field of its struct of
 * options that takes the value: OPTION_JOBS(run, job.jobs).
 */

#include <stdint.h>

#include "src/cmd/arguments.h"

#define OPTION_FAMILY(options, field)                                                              \
	BRACED("family", 'f', "FAMILY", "ipv4 (default) or ipv6",                                  \
	       TO_OTHER(options, field, selection_parse_family), "ipv4 ipv6")
#define OPTION_JOBS(options, field)                                                                \
	BRACED("jobs", 'j', "N", "at most N trials at once", TO_COUNT(options, field, 1, 10000))
#define OPTION_MODULES(options, field)                                                             \
	BRACED("modules", 0, "DIR", "qemu: the modules of a vmlinuz given by its path",            \
	       TO_TEXT(options, field))
#define OPTION_NO_BPF(options, field)                                                              \
	BRACED("no-bpf", 0, NULL, "observe without BPF, as an ordinary user would",                \
	       TO_FLAG(options, field))
#define OPTION_NO_SNAPSHOT(options, field)                                                         \
	BRACED("no-snapshot", 0, NULL, "qemu: boot each guest from the start",                     \
	       TO_FLAG(options, field))
#define OPTION_QUICK(options, field, text) BRACED("quick", 'q', NULL, text, TO_FLAG(options, field))
#define OPTION_SEED(options, field)                                                                \
	BRACED("seed", 0, "N", "what is drawn by chance is drawn from N (default 1)",              \
	       TO_COUNT(options, field, 0, INT64_MAX))
#define OPTION_SET(options, field, text)                                                           \
	BRACED("set", 's', "KEY=VALUE", text, TO_LIST(options, field, ARGUMENT_LIST_MAX))

/* Texts of --help for OPTION_QUICK and OPTION_SET. Verbs that run all variants have another text
 * than verbs that take one scenario. */
#define QUICK_OF_ALL "use the scenarios' quick settings: short timers"
#define QUICK_OF_ONE "with the scenario's quick settings"
#define SET_OF_ALL   "change a setting: client.net.ipv4.tcp_retries2=3, keepalive.idle=5s"
#define SET_OF_ONE   "with a changed setting, as for `run`"
