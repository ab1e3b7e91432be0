/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/netns/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NOBODY 65534

static bool rootless;

bool fixture_is_rootless(void)
{
	return rootless;
}

static int write_file(const char *path, const char *text)
{
	_cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Root becomes the user nobody; another user stays the same. */
static int drop_user(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	/* Without this /proc/self would belong to root. */
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int map_root(unsigned int uid, unsigned int gid)
{
	char line[64];
	int rc;

	rc = write_file("/proc/self/setgroups", "deny");
	if (rc < 0)
		return rc;
	snprintf(line, sizeof(line), "0 %u 1", uid);
	rc = write_file("/proc/self/uid_map", line);
	if (rc < 0)
		return rc;
	snprintf(line, sizeof(line), "0 %u 1", gid);
	return write_file("/proc/self/gid_map", line);
}

int fixture_become_rootless(bool with_net)
{
	unsigned int uid, gid;
	int rc;

	rc = drop_user();
	if (rc < 0)
		return rc;
	uid = geteuid();
	gid = getegid();
	if (unshare(CLONE_NEWUSER | (with_net ? CLONE_NEWNET : 0)) < 0)
		return -errno;
	return map_root(uid, gid);
}

static int skip(const char *why)
{
	const char *must_run = getenv("TESTS_MUST_RUN");

	fprintf(stderr, "not possible here: %s\n", why);
	return must_run && strcmp(must_run, "1") == 0 ? EXIT_FAILURE : 77;
}

static int run_suite(const char *name, void (*add_tests)(TCase *tc))
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int fixture_main(const char *name, void (*add_tests)(TCase *tc))
{
	_cleanup_(netns_freep) struct netns *ns = NULL;
	const char *wanted = getenv("FIXTURE_ROOTLESS");
	struct error err = { 0 };
	int rc;

	/* A second suite of the same program finds the user namespace that the first has entered.
	 */
	if (!rootless && wanted && strcmp(wanted, "1") == 0) {
		rc = fixture_become_rootless(true);
		if (rc < 0)
			return skip(strerror(-rc));
		rootless = true;
	}
	rc = netns_new(&ns, &err);
	if (rc < 0)
		return skip(err.text);
	return run_suite(name, add_tests);
}

struct ip fixture_ip(const char *text)
{
	struct error err = { 0 };
	struct ip ip = { 0 };

	must(ip_parse(text, &ip, &err));
	return ip;
}

static void set_up_node(struct pair *pair, int i)
{
	struct ip v4 = fixture_ip(i == 0 ? "10.0.0.1/24" : "10.0.0.2/24");
	struct ip v6 = fixture_ip(i == 0 ? "fd00::1/64" : "fd00::2/64");
	struct link_state state = { 0 };
	struct error err = { 0 };

	must(link_get(pair->nl[i], "eth0", &state, &err));
	pair->ifindex[i] = state.ifindex;
	link_put_up(pair->nl[i], "lo", true);
	link_put_up(pair->nl[i], "eth0", true);
	route_put_address(pair->nl[i], state.ifindex, &v4);
	route_put_address(pair->nl[i], state.ifindex, &v6);
	must(nl_commit(pair->nl[i], &err));
}

static void wait_for_node(struct pair *pair, int i)
{
	struct ip v6 = fixture_ip(i == 0 ? "fd00::1" : "fd00::2");
	struct error err = { 0 };

	must(link_wait(pair->nl[i], "eth0", 5 * NSEC_PER_SEC, &err));
	must(route_wait_address(pair->nl[i], &v6, 5 * NSEC_PER_SEC, &err));
}

void pair_init(struct pair *pair)
{
	struct error err = { 0 };
	struct link_end a = { .name = "eth0" }, b = { .name = "eth0" };

	for (int i = 0; i < 2; i++) {
		must(netns_new(&pair->ns[i], &err));
		must(nl_new(pair->ns[i], NETLINK_ROUTE, &pair->nl[i], &err));
	}
	a.ns = pair->ns[0];
	b.ns = pair->ns[1];
	link_put_veth(pair->nl[0], &a, &b, 0);
	must(nl_commit(pair->nl[0], &err));
	for (int i = 0; i < 2; i++)
		set_up_node(pair, i);
	for (int i = 0; i < 2; i++)
		wait_for_node(pair, i);
}

void pair_deinit(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		pair->nl[i] = nl_free(pair->nl[i]);
		pair->ns[i] = netns_free(pair->ns[i]);
	}
}

static void __attribute__((noreturn)) child(const struct netns *ns, const char *command, int out)
{
	if (ns && setns(ns->fd, CLONE_NEWNET) < 0)
		_exit(126);
	dup2(out, STDOUT_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static char *read_all(int fd)
{
	_cleanup_(file_closep) FILE *in = fdopen(fd, "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_ptr_nonnull(in);
	if (getdelim(&text, &size, '\0', in) >= 0)
		return text;
	free(text);
	return strdup("");
}

char *fixture_run(const struct netns *ns, const char *command)
{
	int fds[2], status;
	char *text;
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		child(ns, command, fds[1]);
	close(fds[1]);
	text = read_all(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %d: %s", command,
		      status, text);
	return text;
}

struct json_object *fixture_json(const struct netns *ns, const char *command)
{
	_cleanup_(freep) char *text = fixture_run(ns, command);
	struct json_object *json = json_tokener_parse(text);

	ck_assert_msg(json != NULL, "%s: not JSON: %s", command, text);
	return json;
}

const char *fixture_at(struct json_object *json, const char *pointer)
{
	struct json_object *at;

	return json_pointer_get(json, pointer, &at) == 0 ? json_object_get_string(at) : "";
}
