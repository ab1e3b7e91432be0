/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces: where the thread is, what lives in them, what is said when there may be none. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/netns/fixture.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static ino_t current_ns(void)
{
	struct stat st;

	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

static ino_t ns_inode(const struct netns *ns)
{
	struct stat st;

	ck_assert_int_eq(fstat(ns->fd, &st), 0);
	return st.st_ino;
}

START_TEST(new_leaves_caller_where_it_was)
{
	_cleanup_(netns_freep) struct netns *a = NULL;
	_cleanup_(netns_freep) struct netns *b = NULL;
	ino_t home = current_ns();
	struct error err = { 0 };

	must(netns_new(&a, &err));
	must(netns_new(&b, &err));
	ck_assert_uint_eq(current_ns(), home);
	ck_assert_uint_ne(ns_inode(a), home);
	ck_assert_uint_ne(ns_inode(a), ns_inode(b));
	ck_assert_uint_ne(a->cookie, b->cookie);
	must(netns_enter(a, &err));
	ck_assert_uint_eq(current_ns(), ns_inode(a));
	netns_leave(a);
	ck_assert_uint_eq(current_ns(), home);
	ck_assert_ptr_null(netns_free(NULL));
}
END_TEST

START_TEST(socket_belongs_to_its_namespace)
{
	_cleanup_(netns_freep) struct netns *ns = NULL;
	_cleanup_(fd_closep) int fd = -1;
	struct error err = { 0 };
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	must(netns_new(&ns, &err));
	must(netns_socket(ns, AF_INET6, SOCK_STREAM, 0, &fd, &err));
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size), 0);
	ck_assert_uint_eq(cookie, ns->cookie);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(netns_socket(ns, AF_INET, SOCK_STREAM, 250, &fd, &err), -EPROTONOSUPPORT);
}
END_TEST

/* Each test runs in a process of its own, so that other tests keep the privileges that this one
 * gives up. */
START_TEST(no_privilege_is_named)
{
	struct netns *ns = NULL;
	struct error err = { 0 };

	if (!fixture_is_rootless() && geteuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	else
		ck_assert_int_eq(unshare(CLONE_NEWUSER), 0);
	ck_assert_int_eq(netns_new(&ns, &err), -EPERM);
	ck_assert_int_eq(err.kind, ERROR_CAPABILITY);
	ck_assert_ptr_nonnull(strstr(err.text, "CAP_SYS_ADMIN"));
	ck_assert_ptr_null(ns);
}
END_TEST

/* In a user namespace without a network namespace of its own there is no way back from another one.
 */
START_TEST(no_way_back_is_named)
{
	ino_t home = current_ns();
	struct netns *ns = NULL;
	struct error err = { 0 };

	if (fixture_is_rootless())
		return;
	ck_assert_int_eq(fixture_become_rootless(false), 0);
	ck_assert_int_eq(netns_new(&ns, &err), -EPERM);
	ck_assert_int_eq(err.kind, ERROR_CAPABILITY);
	ck_assert_ptr_nonnull(strstr(err.text, "unshare user and network namespace together"));
	ck_assert_uint_eq(current_ns(), home);
}
END_TEST

START_TEST(limit_is_named)
{
	struct netns *ns = NULL;
	struct error err = { 0 };
	FILE *f;

	if (!fixture_is_rootless())
		ck_assert_int_eq(fixture_become_rootless(true), 0);
	f = fopen("/proc/sys/user/max_net_namespaces", "w");
	ck_assert_ptr_nonnull(f);
	fputs("0", f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(netns_new(&ns, &err), -ENOSPC);
	ck_assert_int_eq(err.kind, ERROR_CAPABILITY);
	ck_assert_ptr_nonnull(strstr(err.text, "max_net_namespaces"));
}
END_TEST

static void put_mtu(struct nl *nl, const char *name, unsigned int mtu)
{
	struct nlmsghdr *nlh = nl_request(nl, RTM_SETLINK, 0, "link '%s': set MTU", name);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
}

/* There are more requests than one send may carry; the second time one in the middle is wrong. */
START_TEST(batch_may_be_of_any_length)
{
	_cleanup_(netns_freep) struct netns *ns = NULL;
	_cleanup_(nl_freep) struct nl *nl = NULL;
	struct link_state state = { 0 };
	struct error err = { 0 };

	must(netns_new(&ns, &err));
	must(nl_new(ns, NETLINK_ROUTE, &nl, &err));
	link_put_bridge(nl, "br7", 0);
	for (unsigned int i = 0; i < 300; i++)
		put_mtu(nl, "br7", 1000 + i);
	must(nl_commit(nl, &err));
	must(link_get(nl, "br7", &state, &err));
	ck_assert_uint_eq(state.mtu, 1299);
	for (int i = 0; i < 300; i++)
		link_put_up(nl, i == 200 ? "missing" : "br7", i % 2);
	ck_assert_int_eq(nl_commit(nl, &err), -ENODEV);
	ck_assert_str_eq(err.text, "link 'missing': set down: No such device");
	link_put_up(nl, "br7", true);
	must(nl_commit(nl, &err));
	must(nl_commit(nl, &err));
}
END_TEST

START_TEST(kernel_text_is_in_the_error)
{
	_cleanup_(netns_freep) struct netns *ns = NULL;
	_cleanup_(nl_freep) struct nl *nl = NULL;
	struct error err = { 0 };

	must(netns_new(&ns, &err));
	must(nl_new(ns, NETLINK_ROUTE, &nl, &err));
	put_mtu(nl, "lo", 20);
	link_put_up(nl, "missing", true);
	link_put_bridge(nl, "br0", 0);
	put_mtu(nl, "br0", 20);
	ck_assert_int_eq(nl_commit(nl, &err), -ENODEV);
	put_mtu(nl, "br0", 20);
	put_mtu(nl, "br0", 1400);
	ck_assert_int_eq(nl_commit(nl, &err), -EINVAL);
	ck_assert_str_eq(err.text, "link 'br0': set MTU: Invalid argument (kernel: mtu less than "
				   "device minimum)");
}
END_TEST

START_TEST(unknown_protocol_is_a_capability)
{
	_cleanup_(netns_freep) struct netns *ns = NULL;
	struct error err = { 0 };
	struct nl *nl = NULL;

	must(netns_new(&ns, &err));
	ck_assert_int_eq(nl_new(ns, 31, &nl, &err), -EPROTONOSUPPORT);
	ck_assert_int_eq(err.kind, ERROR_CAPABILITY);
	ck_assert_ptr_null(nl);
	ck_assert_ptr_null(nl_free(NULL));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, new_leaves_caller_where_it_was);
	tcase_add_test(tc, socket_belongs_to_its_namespace);
	tcase_add_test(tc, no_privilege_is_named);
	tcase_add_test(tc, no_way_back_is_named);
	tcase_add_test(tc, batch_may_be_of_any_length);
	tcase_add_test(tc, kernel_text_is_in_the_error);
	tcase_add_test(tc, unknown_protocol_is_a_capability);
	tcase_add_test(
		tc,
		limit_is_named); /* It is the last, because the user namespace keeps the limit. */
}

int main(void)
{
	return fixture_main("netns", add_tests);
}
