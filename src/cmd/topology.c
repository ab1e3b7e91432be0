/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <string.h>

#include "src/cmd/topology.h"
#include "src/testbed/plan.h"

#define LINES 3 /* a box has a line each for its name, its interfaces and their addresses */
#define WIRE  8 /* length of a cable, characters */

struct box {
	char line[LINES][2 * INET6_ADDRSTRLEN + 16];
	bool right; /* the text is aligned to the right side, where the cable is */
	size_t width;
};

static const char *format_address(const struct ip *ip, char *buffer, size_t size)
{
	size_t n;

	if (!ip->family)
		return "";
	ip_format(buffer, size, ip);
	n = strlen(buffer);
	snprintf(buffer + n, size - n, "/%u", ip->prefix);
	return buffer;
}

static void measure(struct box *box)
{
	for (int i = 0; i < LINES; i++)
		if (strlen(box->line[i]) > box->width)
			box->width = strlen(box->line[i]);
}

static void fill_endpoint(struct box *box, enum node_id node, const struct testbed_plan_end *end)
{
	char address[INET6_ADDRSTRLEN + 8];

	box->right = node == NODE_CLIENT;
	snprintf(box->line[0], sizeof(box->line[0]), "%s", node_name(node));
	snprintf(box->line[1], sizeof(box->line[1]), "%s", end->name);
	snprintf(box->line[2], sizeof(box->line[2]), "%s",
		 format_address(&end->address, address, sizeof(address)));
}

/* Fills the router's box, whose two interfaces stand at its two sides. The name of a bridge stands
 * between them. */
static void fill_router(struct box *box, enum path_kind kind, const struct testbed_plan_end port[])
{
	char left[INET6_ADDRSTRLEN + 8], right[INET6_ADDRSTRLEN + 8];
	int width = (int)strlen(port[0].name);

	format_address(&port[0].address, left, sizeof(left));
	format_address(&port[1].address, right, sizeof(right));
	snprintf(box->line[0], sizeof(box->line[0]), "%s", node_name(NODE_ROUTER));
	if (kind == PATH_SWITCHED) {
		snprintf(box->line[1], sizeof(box->line[1]), "%s - %s - %s", port[0].name,
			 TESTBED_BRIDGE, port[1].name);
		return;
	}
	if ((int)strlen(left) > width)
		width = (int)strlen(left);
	snprintf(box->line[1], sizeof(box->line[1]), "%-*s   %*s", width, port[0].name, width,
		 port[1].name);
	snprintf(box->line[2], sizeof(box->line[2]), "%-*s   %*s", width, left, width, right);
}

static void print_repeated(char c, size_t n, FILE *out)
{
	while (n--)
		fputc(c, out);
}

static void print_edge(const struct box *boxes, size_t n, FILE *out)
{
	fputs("  ", out);
	for (size_t i = 0; i < n; i++) {
		fputc('+', out);
		print_repeated('-', boxes[i].width + 2, out);
		fputc('+', out);
		print_repeated(' ', i + 1 < n ? WIRE : 0, out);
	}
	fputc('\n', out);
}

static void print_line(const struct box *boxes, size_t n, int line, FILE *out)
{
	fputs("  ", out);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, boxes[i].right ? "| %*s |" : "| %-*s |", (int)boxes[i].width,
			boxes[i].line[line]);
		print_repeated(line == 1 ? '-' : ' ', i + 1 < n ? WIRE : 0, out);
	}
	fputc('\n', out);
}

/* The hosts that a scenario names hang on the router like the two in the picture. */
static void print_others(const struct scenario *s, const struct testbed_plan *plan, FILE *out)
{
	char near[INET6_ADDRSTRLEN + 8], far[INET6_ADDRSTRLEN + 8];

	for (enum node_id n = NODE_SERVER + 1; n < s->n_hosts; n++) {
		format_address(&plan->port[n].address, near, sizeof(near));
		fprintf(out, "  %s, %s %s - %s%s%s, %s\n", scenario_node_name(s, n),
			plan->node[n].name,
			format_address(&plan->node[n].address, far, sizeof(far)),
			plan->port[n].name, *near ? " " : "", near, node_name(NODE_ROUTER));
	}
}

int topology_draw(const struct scenario *s, enum family family, FILE *out, struct error *err)
{
	struct testbed_plan plan;
	enum path_kind kind = s->path.kind;
	struct box boxes[3] = { 0 };
	size_t n = 0;
	int rc = testbed_plan(s, family, &plan, err);

	if (rc < 0)
		return rc;
	fill_endpoint(&boxes[n++], NODE_CLIENT, &plan.node[NODE_CLIENT]);
	if (kind != PATH_DIRECT)
		fill_router(&boxes[n++], kind, plan.port);
	fill_endpoint(&boxes[n++], NODE_SERVER, &plan.node[NODE_SERVER]);
	for (size_t i = 0; i < n; i++)
		measure(&boxes[i]);
	print_edge(boxes, n, out);
	for (int i = 0; i < LINES; i++)
		print_line(boxes, n, i, out);
	print_edge(boxes, n, out);
	print_others(s, &plan, out);
	return 0;
}
