#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test-cli.sh DEADPEER SOURCE-DIR: the test shows what each verb of the command line prints, its exit status and its
# error lines, and that `shell` leaves nothing behind. With TEST_ROOTLESS=1 deadpeer runs as an ordinary user.
# shellcheck disable=SC2016 # what is in single quotes is for the shells inside
set -u
deadpeer=$(realpath "$1")
source=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 777 "$work"
failures=0

if [ -n "${TEST_ROOTLESS-}" ] && [ "$(id -u)" = 0 ]; then
	run=(setpriv --reuid 65534 --regid 65534 --clear-groups)
else
	run=()
fi

fail()
{
	echo "not ok: $*" >&2
	failures=$((failures + 1))
}

# run_it WANTED-STATUS ARGUMENT...: runs deadpeer, and leaves standard output in $out, standard error in $err.
run_it()
{
	local wanted=$1 status
	shift
	"${run[@]}" "$deadpeer" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
	[ "$status" = "$wanted" ] || fail "deadpeer $*: exit status $status, not $wanted: $err"
}

says() # says TEXT PATTERN WHAT
{
	[[ $1 == *"$2"* ]] || fail "$3: no '$2' in: $1"
}

# one_line WHAT: fails unless standard error is one line of deadpeer.
one_line()
{
	[ "$(wc -l <"$work/err")" = 1 ] || fail "$1: not one line: $err"
	says "$err" "deadpeer: " "$1"
}

is_json_lines()
{
	jq -e . >/dev/null <<<"$1" ||
		fail "$2: not JSON lines"
}

usage_and_errors()
{
	local verb help

	run_it 0 --help
	help=$out
	for verb in run list show predict check doctor shell kernels cache sweep export merge tune report new; do
		says "$help" "  $verb " "--help"
		grep -q "^\.Cm $verb" "$source/doc/deadpeer.1" && grep -q "^\.Ss.*$verb" "$source/doc/deadpeer.1" ||
			fail "the man page does not explain $verb"
		run_it 0 "$verb" --help
		says "$out" "usage: deadpeer $verb" "$verb --help"
		[ -z "$err" ] || fail "$verb --help: $err"
		run_it 0 help "$verb"
		run_it 2 "$verb" --no-such-option
		one_line "$verb --no-such-option"
		says "$err" "unknown option '--no-such-option'" "$verb"
	done
	run_it 0 --version
	run_it 2
	run_it 2 run process-crash process-crash --quick --db "$work/twice.db"
	says "$err" "named twice" "a scenario named twice for a store"
	[ ! -e "$work/twice.db" ] || fail "a refused run has made a store"
	run_it 2 kernels fetch 6.1 --json
	says "$err" "--json goes with list" "kernels fetch --json"
	run_it 2 kernels fetch 6.1 --flavour clod
	says "$err" "--flavour: expected cloud, plain or rt, got 'clod'" "kernels fetch --flavour"
	run_it 2 rum
	one_line "unknown verb"
	says "$err" "did you mean 'run'?" "a misspelt verb"
	run_it 2 power-loss-busy
	says "$err" "'power-loss-busy' is no verb, but a scenario: deadpeer run power-loss-busy" "a scenario as a verb"
	run_it 2 retries2-ladder
	says "$err" "but a study: deadpeer sweep retries2-ladder" "a study as a verb"
	run_it 2 help swep
	says "$err" "did you mean 'sweep'?" "help of a misspelt verb"
	run_it 2 run --quik E16
	says "$err" "unknown option '--quik'; did you mean '--quick'?" "a misspelt option"
	run_it 2 run --no E16
	says "$err" "option '--no' may mean any of --no-bpf, --no-snapshot" "an option cut short"
	run_it 2 run --json=yes E16
	says "$err" "option '--json' takes no value" "a flag with a value"
	run_it 2 run retries2-ladder
	one_line "run of a study"
	says "$err" "is a study, not a scenario: deadpeer sweep retries2-ladder" "run of a study"
	run_it 2 show "$source/scenarios/studies/retries2-ladder.yaml"
	says "$err" "is a study, not a scenario: deadpeer sweep" "show of a study's file"
	local name
	for name in power-loss-busy E16 path-loss/prohibit \
		"$source/scenarios/3-a-host-loses-power/power-loss-busy.yaml"; do
		run_it 2 sweep "$name"
		one_line "sweep of a scenario"
		says "$err" "'$name' is a scenario, not a study: deadpeer run $name" "sweep of a scenario"
	done
	run_it 2 show
	one_line "show without a scenario"
	run_it 2 show power-loss-buzy
	one_line "show of none"
	says "$err" "did you mean 'power-loss-busy'" "show"
	run_it 2 show E16 --set
	says "$err" "needs a value" "--set"
	run_it 2 show E16 --set client.net.ipv4.tcp_retries2
	one_line "--set without ="
	run_it 2 show E16 --family ipv5
	says "$err" "--family: expected ipv4 or ipv6, got 'ipv5'" "--family"
	run_it 2 show E16 E10
	one_line "show of two"
	run_it 2 list E16
	run_it 2 doctor E16
	run_it 2 check
	run_it 2 shell
	run_it 2 shell path-loss
	says "$err" "choose one with --variant: silent-drop" "shell"
	run_it 2 shell path-loss --variant nosuch
	one_line "--variant"
	run_it 2 shell power-loss-busy --variant nosuch
	says "$err" "has no variants" "--variant"
}

# option_values: a wrong value of each kind of option is refused.
option_values()
{
	local verb option value

	for option in --jobs --phase --repeat --seed; do # counts, within bounds
		for value in x 7x -1 99999999999999999999; do
			run_it 2 run nosuch "$option=$value"
			one_line "$option=$value"
			says "$err" "$option: expected a whole number from " "$option=$value"
			says "$err" "got '$value'" "$option=$value"
		done
	done
	run_it 2 run nosuch --jobs 10001
	says "$err" "--jobs: expected a whole number from 1 to 10000, got '10001'" "--jobs"
	run_it 2 sweep nosuch --jobs 0
	says "$err" "--jobs: expected a whole number from 1 to 10000, got '0'" "sweep --jobs"
	run_it 2 sweep nosuch --max-trials 0
	says "$err" "--max-trials: expected a whole number from 1 to 100000000" "--max-trials"
	for verb in run show shell; do
		run_it 2 "$verb" nosuch --family ipv5
		says "$err" "--family: expected ipv4" "$verb --family"
		run_it 2 "$verb" nosuch --set=
		says "$err" "$verb: option '--set' needs a value, got an empty one" "$verb --set="
		# shellcheck disable=SC2046 # The words are 257 options.
		run_it 2 "$verb" nosuch $(printf -- '-s horizon=5s %.0s' {1..257})
		says "$err" "--set: more than 256 of them" "$verb --set"
	done
	run_it 2 run nosuch --engine host --engine none
	says "$err" "--engine: expected one of host, qemu, got 'none'" "--engine"
	run_it 2 run nosuch --engine qmu
	says "$err" "got 'qmu'; did you mean 'qemu'?" "a misspelt engine"
	run_it 2 run nosuch --horizon 0s
	says "$err" "--horizon: a horizon of 0 leaves no time" "--horizon"
	run_it 2 sweep nosuch -k 6.1 -k 6.12 -k 6.1
	says "$err" "--kernel 6.1: is there already" "--kernel"
	# shellcheck disable=SC2046 # The words are 65 options.
	run_it 2 sweep nosuch $(printf -- '-k %s ' {1..65})
	says "$err" "--kernel: more than 64 of them" "--kernel"
	run_it 2 sweep nosuch --shard 5/4
	says "$err" "--shard 5/4: write K/N" "--shard"
	run_it 2 run nosuch -Z
	says "$err" "run: unknown option '-Z'" "-Z"
	run_it 2 run nosuch -qZa
	says "$err" "run: unknown option '-Z'" "-Z in a cluster"
	run_it 2 run nosuch --family
	says "$err" "run: option '--family' needs a value" "--family"
	# The first option that is wrong decides, and --help counts from where it stands.
	run_it 2 run --jobs x --help
	run_it 0 run --help --jobs x
	# Behind "--" stand operands.
	run_it 2 show -- --help
	says "$err" "there is no scenario '--help'" "show -- --help"
	run_it 0 show E16 --quick -f ipv6 -s client.net.ipv4.tcp_retries2=4 -s horizon=700s
	[[ $out =~ client.net.ipv4.tcp_retries2\ +4$'\n' ]] || fail "show with two changes: $out"
	says "$out" "fd00:1::2/64" "show -f ipv6"
}

predict()
{
	run_it 2 predict
	one_line "predict without a scenario"
	run_it 2 predict E16 --hz 99
	one_line "predict with too few ticks"
	# Where there is no kernel at all, the machine lacks one; else the name is wrong.
	"${run[@]}" "$deadpeer" kernels list 2>/dev/null | grep -q . && status=2 || status=3
	run_it "$status" predict E16 --kernel nonesuch
	one_line "predict of no kernel"
	# Nothing is sent in the moment of the fault: whether that would be answered is left open.
	run_it 0 predict power-loss-busy --phase 5 --hz 250 -k 6.12 -s client.net.ipv4.tcp_retries2=4 \
		-s client.interval=300ms --json
	jq -e '.endpoints.client | .mechanism == "retransmission" and .unpredicted == null
		and ([.steps[] | select(.step == "retransmission")] | length) == 4
		and .predicted_s.earliest <= .steps[-1].t_s and .steps[-1].t_s <= .predicted_s.latest
		and .predicted_s.latest - .predicted_s.earliest < 0.008' <<<"$out" >/dev/null ||
		fail "predict --json: $out"
	run_it 0 predict power-loss-busy -s client.workload=idle
	says "$out" "client: no prediction: nothing is in flight and keepalive is off" "predict of what has no timer"
}

list_and_show()
{
	local file name

	run_it 0 list
	for file in "$source"/scenarios/[0-9]*/*.yaml; do
		name=$(basename "$file" .yaml)
		says "$out" " $name " "list"
	done
	run_it 0 list --json
	is_json_lines "$out" "list --json"
	for file in "$source"/scenarios/[0-9]*/*.yaml; do
		run_it 0 show "$file"
		says "$out" "10.1.0.2/24" "show $file"
		run_it 0 show "$(basename "$file" .yaml)" --quick --family ipv6
		says "$out" "fd00:1::2/64" "show $file --family ipv6"
	done
	run_it 0 show E16 --set client.net.ipv4.tcp_retries2=4
	[[ $out =~ client.net.ipv4.tcp_retries2\ +4$'\n' ]] || fail "show --set: $out"
	run_it 0 show E16 --set path=direct
	[[ $out != *to-client* ]] || fail "show of a direct path has a router: $out"

	mkdir "$work/some"
	cp "$source/scenarios/2-a-process-dies/process-crash.yaml" "$work/some/"
	echo "nonsense: 1" >"$work/some/bad.yaml"
	chmod -R a+rX "$work/some"
	DEADPEER_SCENARIOS=$work/some run_it 2 list
	one_line "list of a bad file"
	says "$err" "$work/some/bad.yaml:1:" "list"
	says "$out" "process-crash" "list beside a bad file"

	mkdir "$work/some/my-own-cases"
	sed 's/^id:.*/id: X1/; s/^name:.*/name: mine/' "$work/some/process-crash.yaml" \
		>"$work/some/my-own-cases/mine.yaml"
	rm "$work/some/bad.yaml"
	chmod -R a+rX "$work/some"
	DEADPEER_SCENARIOS=$work/some run_it 0 list
	says "$out" $'\nMy own cases\nX1 ' "list of a new folder"
	says "$out" $'\nOthers\nE10 ' "list of a file in no folder"
	DEADPEER_SCENARIOS=$work/some run_it 0 check mine
	DEADPEER_SCENARIOS=$work/some run_it 0 check x1
}

check_files()
{
	local corpus="$source/tests/corpus/scenario" files

	run_it 0 check "$source"/scenarios/[0-9]*/*.yaml
	says "$out" " scenarios, " "check"
	says "$out" " trials: ok" "check"
	run_it 2 check "$corpus"/*.yaml
	files=("$corpus"/*.yaml)
	[ "$(wc -l <"$work/err")" = ${#files[@]} ] ||
		fail "check: not one line for each wrong file"
	run_it 2 check "$source/scenarios/2-a-process-dies/process-crash.yaml" "$work/none.yaml"
	one_line "check of a file that is not there"
	says "$out" "1 scenario, 1 trial: ok" "check"
}

doctor()
{
	run_it 0 doctor --json
	is_json_lines "$out" "doctor --json"
	says "$out" '"check":"netem"' "doctor"
	run_it 0 doctor
	says "$out" "The host engine can run everything" "doctor"
	says "$out" "The qemu engine can run " "doctor"
	# Without namespaces doctor says what is missing, and exits with 3.
	if [ "$(id -u)" = 0 ]; then
		unshare -rn sh -c 'echo 0 >/proc/sys/user/max_net_namespaces &&
			exec "$1" doctor' - "$deadpeer" >"$work/out" 2>&1
		[ $? = 3 ] || fail "doctor without namespaces: $(cat "$work/out")"
		says "$(cat "$work/out")" "user.max_net_namespaces" "doctor"
	fi
}

# survivors: prints the processes of this test's shells, which have inherited the marker. Only processes and mounts
# keep namespaces alive. The numbers of namespaces tell nothing, because the kernel reuses them at once.
survivors()
{
	env -u DEADPEER_TEST grep -lsaF "DEADPEER_TEST=$marker" /proc/[0-9]*/environ
}

nothing_left() # nothing_left WHAT
{
	for _ in $(seq 50); do
		[ -z "$(survivors)" ] && break
		sleep 0.1
	done
	[ -z "$(survivors)" ] || fail "$1: processes are left: $(survivors)"
	[ "$(ls -a /run)" = "$run_before" ] || fail "$1: /run has changed"
	[ "$(ls -a /run/netns 2>&1)" = "$netns_before" ] || fail "$1: /run/netns has changed"
	[ "$(grep -c nsfs /proc/self/mountinfo)" = "$mounts_before" ] || fail "$1: a mount is left"
}

shell()
{
	local who init pid status

	marker=8$$.25
	run_before=$(ls -a /run)
	netns_before=$(ls -a /run/netns 2>&1)
	mounts_before=$(grep -c nsfs /proc/self/mountinfo)
	export DEADPEER_TEST=$marker
	run_it 7 shell process-crash -- sh -c "ip netns list | sort | tr '\n' ' '
		ip netns exec client ip -4 -br address show eth0
		ip netns exec server ss -Htn
		ip netns exec router true || echo no router
		echo \$DEADPEER_SCENARIO \$DEADPEER_CLIENT \$DEADPEER_SERVER
		setsid -f sleep $marker
		exit 7"
	says "$out" "client router server " "ip netns list"
	says "$out" "10.1.0.2/24" "ip netns exec client"
	says "$out" "ESTAB" "ip netns exec server"
	says "$out" "process-crash 10.1.0.2 10.2.0.2" "environment"
	[[ $out != *"no router"* ]] || fail "the router has no name"
	says "$err" "no result" "shell that ends early"
	nothing_left "shell"

	# The table goes to standard error, because standard output belongs to the command.
	# The result does not wait for TIME_WAIT, which nobody looks at any more.
	run_it 0 shell process-crash --quick -- sleep 2
	says "$err" "fin-received" "shell"
	[ -z "$out" ] || fail "shell: standard output is not the command's alone: $out"
	run_it 2 shell process-crash -- /no/such/program
	one_line "shell with a program that is not there"
	run_it 143 shell process-crash -- sh -c 'kill -TERM $$'

	# With --hold the timeline begins when deadpeer gets SIGUSR1.
	run_it 0 shell process-crash --quick --hold -- sh -c 'sleep 1; ip netns exec client ss -Htn
		kill -USR1 $DEADPEER_PID; sleep 2'
	says "$out" "ESTAB" "shell --hold"
	says "$err" "fin-received" "shell --hold"

	# A node without power has no name, and after the reboot the name stands for the new node.
	run_it 0 shell reboot-new-server -- sh -c 'stat -L -c %i /run/netns/server
		sleep 2; ip netns exec server true 2>/dev/null && echo named
		sleep 2; stat -L -c %i /run/netns/server'
	[ "$(wc -l <<<"$out")" = 2 ] || fail "shell: a node without power has a name: $out"
	[ "$(sort -u <<<"$out" | wc -l)" = 2 ] || fail "shell: the name does not follow: $out"

	# Whichever process is killed, all processes end.
	for who in outside init inside; do
		rm -f "$work/started"
		"${run[@]}" "$deadpeer" shell power-loss-busy --quick -- sh -c "
			setsid -f ip netns exec client sleep $marker
			echo >'$work/started'; sleep $marker" 2>/dev/null &
		pid=$!
		for _ in $(seq 100); do
			[ -s "$work/started" ] && break
			sleep 0.1
		done
		init=$(pgrep -P "$pid")
		case $who in
		outside) kill -KILL "$pid" ;;
		init) kill -KILL "$init" ;;
		inside) kill -KILL "$(pgrep -P "$init" | head -n 1)" ;; # The other process is orphaned.
		esac
		wait $pid 2>/dev/null
		nothing_left "SIGKILL $who"
	done
	"${run[@]}" "$deadpeer" shell power-loss-busy --quick -- sleep $marker 2>"$work/err" &
	pid=$!
	sleep 1
	kill -TERM $pid
	wait $pid
	status=$?
	[ $status = 130 ] || fail "shell after SIGTERM: exit status $status"
	err=$(cat "$work/err")
	one_line "shell after SIGTERM"
	nothing_left "SIGTERM"
	unset DEADPEER_TEST
}

# Named namespaces of the machine's own are hidden in the shell and untouched by it.
shell_beside_names()
{
	[ "$(id -u)" = 0 ] && [ ${#run[@]} = 0 ] || return
	unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs none /run && ip netns add other &&
		"$1" shell process-crash -- sh -c "ip netns list | wc -l" && ip netns list' \
		- "$deadpeer" >"$work/out" 2>/dev/null
	[ "$(tr -d ' \n' <"$work/out")" = 3other ] ||
		fail "shell beside named namespaces: $(cat "$work/out")"
}

# shell_on_terminal: the shell owns the terminal, and Ctrl-C ends only its foreground job.
shell_on_terminal()
{
	local status

	command -v script >/dev/null || return
	{ sleep 2; echo 'sleep 60; echo status=$?'; sleep 1; printf '\003'; sleep 0.5
		echo 'echo still here'; sleep 0.5; echo 'exit 5'; sleep 1; } |
		SHELL=/bin/sh script -qec "${run[*]} $deadpeer shell power-loss-busy --quick" \
			/dev/null >"$work/out" 2>&1
	status=$?
	out=$(cat "$work/out")
	[ $status = 5 ] || fail "shell on a terminal: exit status $status: $out"
	says "$out" "power-loss server" "banner"
	says "$out" "(deadpeer power-loss-busy)" "prompt"
	says "$out" $'\nstill here' "Ctrl-C in the shell"
}

complete_in_bash()
{
	local result

	result=$(PATH=$(dirname "$deadpeer"):$PATH bash --norc -c '
		. "$1"
		t() {
			COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
			_deadpeer
			echo "${COMPREPLY[*]}"
		}
		t deadpeer s; t deadpeer run --quic; t deadpeer run --family ""
		t deadpeer show --family = ipv6; t deadpeer show power-loss-busy-; t deadpeer check ""
		t deadpeer shell E16 -- x; t deadpeer run --set client.keepalive.i
		t deadpeer nosuch ""; t deadpeer show E16; t deadpeer new s; t deadpeer kernels fe
		t deadpeer sweep retries2' - "$source/completions/deadpeer")
	[ "$result" = "show shell sweep
--quick
ipv4 ipv6 both
ipv6
power-loss-busy-rtt


client.keepalive.idle= client.keepalive.interval=

E16
scenario study
fetch
retries2-ladder" ] || fail "completion: $result"
}

usage_and_errors
option_values
predict
list_and_show
check_files
complete_in_bash
"${run[@]}" "$deadpeer" doctor >"$work/out" 2>&1 || {
	echo "skipped: $(tail -1 "$work/out")" >&2
	[ "${TESTS_MUST_RUN-}" = 1 ] && exit 1
	[ $failures = 0 ] && exit 77
	exit 1
}
doctor
shell
shell_beside_names
shell_on_terminal
[ $failures = 0 ]
