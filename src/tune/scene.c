/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tune/scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/util/cleanup.h"

#define SETTLE (1 * NSEC_PER_SEC)  /* until a busy connection has its RTO */
#define MARGIN (30 * NSEC_PER_SEC) /* after which a trial is not waited for any more */
#define HOUR   (3600 * NSEC_PER_SEC)
#define A_WHILE                                                                                    \
	(30 * NSEC_PER_SEC) /* in which a busy connection sends as much as an idle one in an hour  \
			     */

static long long msec(nsec_t time_nsec)
{
	return (long long)(time_nsec / NSEC_PER_MSEC);
}

static void put_ends(FILE *out, const struct tune_goal *goal, const struct tune_settings *s,
		     enum tune_workload workload)
{
	fprintf(out, "path: routed\n");
	if (goal->rtt_nsec > 0)
		fprintf(out, "path.delay: %lldus\n", (long long)(goal->rtt_nsec / 2000));
	fprintf(out,
		"client:\n  workload: %s\n"
		"  keepalive: {enabled: true, idle: %us, interval: %us, count: %u}\n",
		workload == TUNE_IDLE ? "idle" : "request", s->idle, s->interval, s->count);
	if (workload == TUNE_BUSY)
		fprintf(out, "  interval: %lldms\n  size: 100\n", msec(tune_interval(goal)));
	if (s->user_timeout_nsec)
		fprintf(out, "  user_timeout: %lldms\n", msec(s->user_timeout_nsec));
	if (s->retries2)
		fprintf(out, "  sysctl: {net.ipv4.tcp_retries2: %u}\n", s->retries2);
	fprintf(out, "server: {workload: %s}\n", workload == TUNE_IDLE ? "sink" : "echo");
}

/* Loss strikes ARP and neighbour discovery too, which is another phenomenon; more tries keep it
 * out. */
static void put_patient_neighbours(FILE *out)
{
	static const char *const hosts[] = { "client", "server", "router", "router" };
	static const char *const links[] = { "eth0", "eth0", "to-client", "to-server" };

	for (int i = 0; i < 4; i++)
		for (int v6 = 0; v6 < 2; v6++)
			fprintf(out,
				"%s.net.ipv%d.neigh.%s.mcast_solicit: 50\n"
				"%s.net.ipv%d.neigh.%s.ucast_solicit: 50\n",
				hosts[i], v6 ? 6 : 4, links[i], hosts[i], v6 ? 6 : 4, links[i]);
}

static void put_events(FILE *out, const struct tune_goal *goal, enum tune_scene scene,
		       enum tune_workload workload, nsec_t at_nsec)
{
	nsec_t over_nsec = at_nsec + goal->survive_nsec;

	switch (scene) {
	case TUNE_LOST:
		fprintf(out,
			"timeline: [{at: %lldms, fault: power-loss, node: server}]\n"
			"horizon: %lldms\n",
			msec(at_nsec), msec(2 * goal->detect_nsec + MARGIN));
		break;
	case TUNE_OUTAGE:
		fprintf(out,
			"timeline:\n  - {at: %lldms, fault: blackhole}\n"
			"  - {at: %lldms, heal: blackhole}\nhorizon: %lldms\n",
			msec(at_nsec), msec(over_nsec),
			msec(2 * goal->survive_nsec + goal->detect_nsec + MARGIN));
		/* Data that gets through again says that all is well; silence does not. */
		if (workload == TUNE_IDLE)
			fprintf(out, "until: %lldms\n",
				msec(goal->survive_nsec + goal->detect_nsec));
		break;
	case TUNE_LOSSY:
		put_patient_neighbours(out);
		fprintf(out,
			"timeline: [{at: %lldms, fault: netem, loss: %.6g%%}]\nhorizon: %lldms\n",
			msec(at_nsec), goal->loss * 100,
			msec(workload == TUNE_IDLE ? HOUR : A_WHILE));
		break;
	case _TUNE_SCENE_MAX:
		break;
	}
}

/* The worst moment for a peer to go is right after something came: keepalive's timer was armed just
 * then. The worst for an outage of an idle connection is right before the first probe. */
static nsec_t moment(const struct tune_settings *s, enum tune_scene scene,
		     enum tune_workload workload)
{
	if (workload == TUNE_BUSY)
		return SETTLE;
	return scene == TUNE_OUTAGE ? s->idle * NSEC_PER_SEC - TUNE_EARLY : TUNE_EARLY;
}

int tune_scene_make(const struct tune_goal *goal, const struct tune_settings *settings,
		    enum tune_scene scene, enum tune_workload workload, nsec_t offset_nsec,
		    struct scenario_list *list, struct error *err)
{
	static const char *const names[] = { "lost", "outage", "lossy" };
	const struct scenario_request request = { 0 };
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return error_errno(err, -ENOMEM, "tune");
	fprintf(out, "name: tune-%s-%s\nsummary: Settings against their goal\n", names[scene],
		tune_workload_name(workload));
	put_ends(out, goal, settings, workload);
	put_events(out, goal, scene, workload, moment(settings, scene, workload) + offset_nsec);
	fprintf(out, "expect: {client: {}}\n");
	if (fclose(out) != 0)
		return error_errno(err, -ENOMEM, "tune");
	return scenario_parse("tune.yaml", text, size, &request, list, err);
}
