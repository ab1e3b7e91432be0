/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests treat agents as processes: how commands run, that agents leave no process behind, and
 * what agents cost. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/host/agent-fixture.h"

static struct fixture f;

static void setup(void)
{
	fixture_setup(&f);
}

static void teardown(void)
{
	fixture_teardown(&f);
}

static void start_command(char **command)
{
	struct side *client = &f.side[NODE_CLIENT];

	static struct scenario_program program;

	program.run = command;
	client->spec.program = &program;
	fixture_start(&f, NODE_CLIENT);
}

static void start_shell(const char *script)
{
	static char *command[] = { (char *)"sh", (char *)"-c", NULL, NULL };

	command[2] = (char *)script;
	start_command(command);
}

/* Runs the loop until the output of the client's agent has `text`. */
static void await_output(const char *text)
{
	struct agent *agent = f.side[NODE_CLIENT].agent;

	for (int i = 0; i < 1000 && !strstr(agent_output(agent), text); i++)
		fixture_run_for(&f, 10 * NSEC_PER_MSEC);
	ck_assert_msg(strstr(agent_output(agent), text), "output: %s", agent_output(agent));
}

START_TEST(command_output_and_status)
{
	char *command[] = { (char *)"sh",
			    (char *)"-c",
			    (char *)"echo $0 $1 $DEADPEER_NODE $DEADPEER_SERVER $DEADPEER_CLIENT "
				    "$DEADPEER_PORT $DEADPEER_FAMILY; printf '\\001\\000' >&2; "
				    "cat; exit 3",
			    (char *)"<{server}:{port}>",
			    (char *)"{client}/{family}/{other}",
			    NULL };

	start_command(command);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXEC)->error, 0);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT)->result, 3 << 8);
	ck_assert_str_eq(agent_output(f.side[NODE_CLIENT].agent),
			 "<10.77.0.2:5000> 10.77.0.1/ipv4/{other} client 10.77.0.2 10.77.0.1 5000 "
			 "ipv4\n\001\xef\xbf\xbd");
	for (int i = 0; i < 200 && agent_running(f.side[NODE_CLIENT].agent); i++)
		fixture_run_for(&f, 10 * NSEC_PER_MSEC);
	ck_assert_uint_eq(fixture_count(&f, NODE_CLIENT, AGENT_CALL_EXIT), 1);
	ck_assert(!agent_running(f.side[NODE_CLIENT].agent));
	ck_assert_int_eq(agent_act(f.side[NODE_CLIENT].agent, ACTION_SEND, 1, NULL), -EINVAL);
}
END_TEST

START_TEST(command_last_output_is_kept)
{
	const char *output;

	start_shell("i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done; kill -9 $$");
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT)->result, SIGKILL);
	output = agent_output(f.side[NODE_CLIENT].agent);
	ck_assert_uint_eq(strlen(output), 16384);
	ck_assert_str_eq(output + strlen(output) - 10, "line 8999\n");
}
END_TEST

/* A command that writes without end does not hold up the loop, and 16 KiB of its output are kept.
 */
START_TEST(command_floods)
{
	start_shell("yes & sleep 0.2; exit 0");
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT);
	fixture_run_for(&f, 50 * NSEC_PER_MSEC);
	agent_kill(f.side[NODE_CLIENT].agent);
	ck_assert_uint_eq(strlen(agent_output(f.side[NODE_CLIENT].agent)), 16384);
}
END_TEST

START_TEST(command_that_cannot_start)
{
	char *missing[] = { (char *)"/proc/nonexistent/program", NULL };
	char *not_executable[] = { (char *)"/etc/passwd", NULL };
	char folder[] = "/tmp/deadpeer-test-XXXXXX";
	char *no_program[] = { (char *)"./program", NULL };
	int fd;

	start_command(missing);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXEC)->error, ENOENT);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT)->result, 127 << 8);
	start_command(not_executable);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXEC)->error, EACCES);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT);
	/* No shell gets what the kernel does not execute. Of /tmp a command sees nothing but its
	 * own working folder. */
	ck_assert(mkdtemp(folder) && chmod(folder, 0755) == 0 && chdir(folder) == 0);
	fd = open("program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ck_assert_int_eq(write(fd, "true\n", 5), 5);
	ck_assert_int_eq(close(fd), 0);
	start_command(no_program);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXEC)->error, ENOEXEC);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT);
	unlink("program");
	rmdir(folder);
}
END_TEST

/* A grandchild that leaves its parent and its session is still in the PID namespace, and dies with
 * the agent. */
START_TEST(grandchildren_die)
{
	pid_t pids[16], pid;
	size_t count;

	start_shell("sleep 1000 & (setsid sleep 1000 &) ; (trap '' TERM HUP; sleep 1000) & "
		    "echo ready; wait");
	await_output("ready");
	pid = agent_pid(f.side[NODE_CLIENT].agent);
	count = process_descendants(pid, pids, ARRAY_SIZE(pids));
	for (int i = 0; i < 500 && count < 4; i++) {
		fixture_run_for(&f, 10 * NSEC_PER_MSEC);
		count = process_descendants(pid, pids, ARRAY_SIZE(pids));
	}
	ck_assert_uint_ge(count, 4);
	agent_kill(f.side[NODE_CLIENT].agent);
	agent_kill(f.side[NODE_CLIENT].agent);
	ck_assert(kill(pid, 0) < 0 && errno == ESRCH);
	for (size_t i = 0; i < count; i++)
		ck_assert(kill(pids[i], 0) < 0 && errno == ESRCH);
	ck_assert_str_eq(agent_output(f.side[NODE_CLIENT].agent), "ready\n");
}
END_TEST

/* After the command has ended, its background processes go on until the agent is killed. */
START_TEST(daemon_outlives_command)
{
	start_shell("sleep 1000 & exit 0");
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT)->result, 0);
	fixture_run_for(&f, 50 * NSEC_PER_MSEC);
	ck_assert(agent_running(f.side[NODE_CLIENT].agent));
	agent_kill(f.side[NODE_CLIENT].agent);
	ck_assert(!agent_running(f.side[NODE_CLIENT].agent));
}
END_TEST

START_TEST(command_freezes_with_all_below)
{
	struct agent *agent;
	size_t used;

	start_shell("sh -c 'while :; do echo x; sleep 0.01; done' & setsid sh -c "
		    "'while :; do echo y; sleep 0.01; done' & wait");
	await_output("x");
	await_output("y");
	agent = f.side[NODE_CLIENT].agent;
	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(agent_freeze(agent, true, NULL), 0);
		fixture_run_for(&f, 50 * NSEC_PER_MSEC);
		used = strlen(agent_output(agent));
		fixture_run_for(&f, 100 * NSEC_PER_MSEC);
		ck_assert_uint_eq(strlen(agent_output(agent)), used);
		ck_assert_int_ge(agent_freeze(agent, false, NULL), 0);
		for (int j = 0; j < 500 && strlen(agent_output(agent)) == used; j++)
			fixture_run_for(&f, 10 * NSEC_PER_MSEC);
		ck_assert_uint_gt(strlen(agent_output(agent)), used);
	}
	ck_assert_int_ge(agent_freeze(agent, true, NULL), 0);
	agent_kill(agent);
	ck_assert_int_lt(agent_freeze(agent, false, NULL), 0);
}
END_TEST

/* A command has a /proc and a network of its own, and the host's mounts stay as they were. */
START_TEST(command_sees_its_own_namespaces)
{
	char before[65536], after[65536];
	size_t n, m;
	FILE *file;

	file = fopen("/proc/self/mountinfo", "re");
	n = fread(before, 1, sizeof(before), file);
	fclose(file);
	start_shell("tr '\\0' ' ' </proc/1/cmdline; ls -1 /sys/class/net; echo pid $$ "
		    "$(readlink /proc/self); ls /proc/self/fd | tr '\\n' ,; echo done");
	await_output("done");
	file = fopen("/proc/self/mountinfo", "re");
	m = fread(after, 1, sizeof(after), file);
	fclose(file);
	ck_assert(n == m && !memcmp(before, after, n));
	ck_assert_msg(strstr(agent_output(f.side[NODE_CLIENT].agent), "eth0\nlo\n"), "%s",
		      agent_output(f.side[NODE_CLIENT].agent));
	ck_assert_msg(strstr(agent_output(f.side[NODE_CLIENT].agent), "0,1,2,3,done"), "%s",
		      agent_output(f.side[NODE_CLIENT].agent));
}
END_TEST

static size_t count_fds(pid_t pid, const char *forbidden)
{
	char path[64], target[256];
	size_t count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		ck_assert_msg(!forbidden || !strstr(target, forbidden), "inherited: %s", target);
		count++;
	}
	closedir(dir);
	return count;
}

static bool is_called(pid_t pid, const char *name)
{
	char path[64], comm[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(comm, sizeof(comm), file));
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	return strcmp(comm, name) == 0;
}

START_TEST(nothing_is_inherited)
{
	_cleanup_(fd_closep) int marker = open("/etc/passwd", O_RDONLY);

	f.stand_by = _i;
	ck_assert_int_ge(marker, 0);
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_ECHO);
	for (enum node_id i = 0; i < FIXTURE_SIDES; i++) {
		pid_t pid = agent_pid(f.side[i].agent);

		ck_assert_uint_le(count_fds(pid, "passwd"), 8);
		count_fds(pid, "net:");
		count_fds(pid, "pidfd");
	}
}
END_TEST

START_TEST(named_after_its_node)
{
	f.stand_by = _i;
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_ECHO);
	ck_assert(is_called(agent_pid(f.side[NODE_CLIENT].agent), "deadpeer-client"));
	ck_assert(is_called(agent_pid(f.side[NODE_SERVER].agent), "deadpeer-server"));
}
END_TEST

/* An agent that executes a command does not use a process that stands by. */
START_TEST(command_takes_no_standby)
{
	pid_t pids[16];

	f.stand_by = true;
	start_shell("exec sleep 1000");
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXEC)->error, 0);
	ck_assert_uint_eq(process_descendants(getpid(), pids, ARRAY_SIZE(pids)), 2);
}
END_TEST

/* agent_start() fails if the process that stands by has died. */
START_TEST(standby_that_died)
{
	struct side *client = &f.side[NODE_CLIENT];
	struct agent *standby;
	struct error err = { 0 };
	siginfo_t info;

	ck_assert_int_ge(agent_stand_by(client->ns, &standby, &err), 0);
	ck_assert_int_eq(kill(agent_pid(standby), SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, agent_pid(standby), &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_lt(
		agent_start(f.loop, &client->spec, standby, NULL, NULL, &client->agent, &err), 0);
	ck_assert_str_eq(err.text, "agent on node 'client': send: Broken pipe");
	ck_assert_ptr_null(client->agent);
}
END_TEST

/* The built-in agents of one place share a processor, and those of the next place have another. A
 * command may use all processors. */
START_TEST(processors)
{
	cpu_set_t all, place[2][FIXTURE_SIDES], command;
	int count;

	f.stand_by = _i;
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	count = CPU_COUNT(&all);
	for (unsigned int p = 0; p < 2; p++) {
		f.side[NODE_SERVER].spec.place = f.side[NODE_CLIENT].spec.place = p;
		fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_ECHO);
		for (enum node_id i = 0; i < FIXTURE_SIDES; i++) {
			struct agent **agent = &f.side[i].agent;

			ck_assert_int_eq(
				sched_getaffinity(agent_pid(*agent), sizeof(all), &place[p][i]), 0);
			ck_assert_int_eq(CPU_COUNT(&place[p][i]), 1);
			*agent = agent_free(*agent);
		}
		ck_assert(CPU_EQUAL(&place[p][NODE_CLIENT], &place[p][NODE_SERVER]));
	}
	ck_assert_int_eq(CPU_EQUAL(&place[0][NODE_CLIENT], &place[1][NODE_CLIENT]), count == 1);
	start_shell("sleep 1000");
	ck_assert_int_eq(
		sched_getaffinity(agent_pid(f.side[NODE_CLIENT].agent), sizeof(all), &command), 0);
	ck_assert(CPU_EQUAL(&command, &all));
}
END_TEST

START_TEST(no_descriptor_leaks_and_cost)
{
	static char *const script = (char *)"sleep 1000";
	size_t before = count_fds(getpid(), NULL);
	enum { CYCLES = 100 };
	nsec_t start_nsec = nsec_now(), killing_nsec = 0;

	for (int i = 0; i < CYCLES; i++) {
		fixture_start(&f, NODE_SERVER);
		fixture_await(&f, NODE_SERVER, AGENT_CALL_LISTEN);
		killing_nsec -= nsec_now();
		agent_kill(f.side[NODE_SERVER].agent);
		killing_nsec += nsec_now();
	}
	printf("built-in agent: start, listen and kill: %.0f us (kill: %.0f)\n",
	       nsec_to_sec(nsec_now() - start_nsec) * 1e6 / CYCLES,
	       nsec_to_sec(killing_nsec) * 1e6 / CYCLES);
	start_nsec = nsec_now();
	for (int i = 0; i < CYCLES; i++) {
		start_shell(script);
		fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXEC);
		agent_kill(f.side[NODE_CLIENT].agent);
	}
	printf("command: start, exec and kill: %.0f us\n",
	       nsec_to_sec(nsec_now() - start_nsec) * 1e6 / CYCLES);
	f.side[NODE_SERVER].agent = agent_free(f.side[NODE_SERVER].agent);
	f.side[NODE_CLIENT].agent = agent_free(f.side[NODE_CLIENT].agent);
	ck_assert_uint_eq(count_fds(getpid(), NULL), before);
}
END_TEST

static void await_death(const pid_t *pids, size_t count)
{
	bool alive = true;

	for (int i = 0; i < 500 && alive; i++) {
		usleep(10000);
		alive = false;
		for (size_t j = 0; j < count; j++)
			alive |= process_alive(pids[j]);
	}
	ck_assert(!alive);
}

/* Agents die, even frozen ones, when their parent is killed and cannot clean up. */
START_TEST(agents_die_with_their_parent)
{
	pid_t pids[32], helper;
	size_t count = 0;
	struct agent *standby;
	int ready[2];
	char byte;

	f.stand_by = _i;
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	helper = fork();
	if (helper == 0) {
		fixture_start(&f, NODE_SERVER);
		fixture_await(&f, NODE_SERVER, AGENT_CALL_LISTEN);
		start_shell("sleep 1000 & (setsid sleep 1000 &) ; echo ready; wait");
		await_output("ready");
		if (agent_stand_by(f.side[NODE_CLIENT].ns, &standby, NULL) < 0 ||
		    agent_freeze(f.side[NODE_SERVER].agent, true, NULL) < 0 ||
		    agent_freeze(f.side[NODE_CLIENT].agent, true, NULL) < 0)
			_exit(1);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	count = process_descendants(helper, pids, ARRAY_SIZE(pids));
	ck_assert_uint_ge(count, 5);
	ck_assert_int_eq(kill(helper, SIGKILL), 0);
	waitpid(helper, NULL, 0);
	await_death(pids, count);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

static void free_agent(struct agent *agent, const struct agent_report *report, void *userdata)
{
	struct agent **place = userdata;

	*place = agent_free(*place);
}

START_TEST(freed_in_its_callback)
{
	struct side *server = &f.side[NODE_SERVER];

	for (int i = 0; i < 2; i++) {
		/* The first report is LISTEN, or for a command EXEC, which EXIT follows at once. */
		struct scenario_program program = { .run = (char *[]){ (char *)"true", NULL } };

		server->options.option[OPTION_WORKLOAD] = WORKLOAD_ECHO;
		server->spec.program = i ? &program : NULL;
		ck_assert_int_ge(agent_start(f.loop, &server->spec, NULL, free_agent,
					     &server->agent, &server->agent, NULL),
				 0);
		for (int j = 0; j < 100 && server->agent; j++)
			fixture_run_for(&f, 10 * NSEC_PER_MSEC);
		ck_assert_ptr_null(server->agent);
	}
}
END_TEST

int main(void)
{
	TCase *test_case = tcase_create("agent-process");
	Suite *suite = suite_create("agent-process");
	SRunner *runner = srunner_create(suite);
	int failed;

	fixture_require();
	tcase_set_timeout(test_case, 60);
	tcase_add_checked_fixture(test_case, setup, teardown);
	tcase_add_test(test_case, command_output_and_status);
	tcase_add_test(test_case, command_last_output_is_kept);
	tcase_add_test(test_case, command_floods);
	tcase_add_test(test_case, command_that_cannot_start);
	tcase_add_test(test_case, grandchildren_die);
	tcase_add_test(test_case, daemon_outlives_command);
	tcase_add_test(test_case, command_freezes_with_all_below);
	tcase_add_test(test_case, command_sees_its_own_namespaces);
	tcase_add_loop_test(test_case, nothing_is_inherited, 0, 2);
	tcase_add_loop_test(test_case, named_after_its_node, 0, 2);
	tcase_add_test(test_case, command_takes_no_standby);
	tcase_add_test(test_case, standby_that_died);
	tcase_add_loop_test(test_case, processors, 0, 2);
	tcase_add_test(test_case, no_descriptor_leaks_and_cost);
	tcase_add_loop_test(test_case, agents_die_with_their_parent, 0, 2);
	tcase_add_test(test_case, freed_in_its_callback);
	suite_add_tcase(suite, test_case);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
