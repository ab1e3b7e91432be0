# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by lib.bash. The three known causes for which a run may say other than it should though deadpeer and
# the kernel do what they should. A test that may meet one names it; then, and for no other reason, it runs
# again, twice at most. In virtual time there are none: a guest's clock waits for its work.
#
#  late          Other tests and builds keep the processors busy, and a process gets its turn too late: an event
#                of the timeline, of which the engine then says so (src/engine/host.c), or an agent that
#                reports, or a packet. Signs: what the engine says, or failures that all name a time that
#                does not lie where it is expected.
#  missed-event  The kernel does not call a BPF program for a tracepoint while another one runs on the same
#                processor (src/observer/observer.h); nothing counts these events. The record then has the
#                clock sock_diag, though this user may use BPF, or a retransmission without its reason.
#  segmentation  How much of a bulk send goes out as one depends on the RTT that was measured by then
#                (tcp_tso_autosize()), which a busy machine makes long. A small first piece has no PSH
#                (tcp_sendmsg_locked(): forced_push()). Sign: ">[.]" comes where ">[P.]" should come first.
#
# C tests: flakes.h.

# The last failure of a user without BPF is a remark on all of them.
without_remark='map(select(startswith("without the tracepoints") | not))'

# The condition of each cause on a record, in jq.
declare -A flake_sign=(
	[late]='(.failures | any(contains("too busy for real time"))) or (.failures | '"$without_remark"' |
		length > 0 and all(test("(after|before|within) .*, got [0-9.]+ ?(us|ms|s|min|h)")))'
	[segmentation]='.failures | '"$without_remark"' |
		length > 0 and all(contains("expected packet >[P.] before any >[.], got the other order"))'
	[missed-event]='.clock == "sock_diag" or ([.endpoints[].retransmissions[]] | any(.reason == null))'
)

# The condition of any of the causes, for this user and kernel.
flake_condition() {
	local cause condition=false
	for cause; do
		[ "${TESTS_IN_GUEST-}" = 1 ] && continue
		# Without BPF every record has the clock sock_diag.
		[ "$cause" = missed-event ] && { [ "${TEST_ROOTLESS-}" = 1 ] || [ "$(id -u)" != 0 ]; } && continue
		condition="$condition or (${flake_sign[$cause]})"
	done
	echo "$condition"
}

# flake FILE CAUSE...: whether there are records in FILE that did not pass, and all show one of the causes.
# It prints them.
flake() {
	jq -es "map(select(.verdict != \"pass\")) | length > 0 and all($(flake_condition "${@:2}"))" "$1" \
		>/dev/null 2>&1 || return
	jq -r 'select(.verdict != "pass") | "again: \(.scenario) \(.variant // "") \(.family): \(.failures | join("; "))"' "$1"
}

# shows FILE CAUSE...: whether a record in FILE, whatever its verdict, shows one of the causes.
shows() {
	jq -es "any($(flake_condition "${@:2}"))" "$1" >/dev/null 2>&1
}
