/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/study/sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/text/suggest.h"
#include "src/util/cleanup.h"

/* Sysctls that this machine may not show, because its kernel is older or a namespace hides them.
 * They are from net/ipv4/sysctl_net_ipv4.c, up to Linux 6.18. */
static const char *const known[] = {
	"tcp_backlog_ack_defer",
	"tcp_comp_sack_rtt_percent",
	"tcp_migrate_req",
	"tcp_pingpong_thresh",
	"tcp_plb_enabled",
	"tcp_rcvbuf_low_rtt",
	"tcp_reflect_tos",
	"tcp_rto_max_ms",
	"tcp_rto_min_us",
	"tcp_shrink_window",
	"tcp_syn_linear_timeouts",
	"tcp_syncookies",
	"tcp_tw_reuse_delay",
	"tcp_fin_timeout",
	"tcp_keepalive_intvl",
	"tcp_keepalive_probes",
	"tcp_keepalive_time",
	"tcp_orphan_retries",
	"tcp_retries1",
	"tcp_retries2",
	"tcp_syn_retries",
	"tcp_synack_retries",
	"tcp_thin_linear_timeouts",
	"tcp_tw_reuse",
	"tcp_rmem",
	"tcp_wmem",
	"ip_forward",
	"ip_local_port_range",
	"tcp_abort_on_overflow",
	"tcp_early_retrans",
	"tcp_frto",
	"tcp_max_syn_backlog",
	"tcp_mtu_probing",
	"tcp_recovery",
	"tcp_sack",
	"tcp_timestamps",
};

/* Returns the name behind "[NODE.][sysctl.]net.ipv4." if it has no more parts, else NULL. Names
 * with more parts belong to interfaces or modules, and exist only while these do. */
static const char *plain_name(const char *key)
{
	const char *found = strstr(key, "net.ipv4.");

	if (!found || (found != key && found[-1] != '.'))
		return NULL;
	found += strlen("net.ipv4.");
	return strchr(found, '.') ? NULL : found;
}

int study_check_sysctl(const char *key, struct error *err)
{
	const char *name = plain_name(key);
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE], path[256];
	struct dirent *entry;
	DIR *dir;

	if (!name)
		return 0;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	if (access(path, F_OK) == 0)
		return 0;
	suggestion_init(&suggestion, name);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!strcmp(known[i], name))
			return 0;
		suggestion_offer(&suggestion, known[i]);
	}
	dir = opendir("/proc/sys/net/ipv4");
	while (dir && (entry = readdir(dir)))
		suggestion_offer(&suggestion, entry->d_name);
	if (dir)
		closedir(dir);
	return error_input(err, "there is no sysctl net.ipv4.%s%s", name,
			   suggestion_text(&suggestion, buffer, sizeof(buffer)));
}
