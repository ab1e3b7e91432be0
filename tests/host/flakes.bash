# SPDX-License-Identifier: GPL-2.0-or-later
# lib.bash sources this file, which has the three known causes for which a run may fail although deadpeer and the
# kernel do what they should. A test that may meet a cause names it. If the records show that cause, and for no
# other reason, the run is repeated, twice at most. In virtual time no cause applies, because a guest's clock waits
# for the guest's work.
#
#  late          Other tests and builds keep the processors busy, and a process gets its turn too late: an event
#                of the timeline, of which the engine then says so (src/engine/host.c), or an agent that
#                reports, or a packet, or deadpeer itself, whose looks at a socket then lie too far apart. Signs:
#                what the engine and the record say, or failures that all name a time that does not lie where it
#                is expected.
#  missed-event  The kernel does not call a BPF program for a tracepoint while another one runs on the same
#                processor (src/observer/observer.h); nothing counts these events. The record then has the
#                clock sock_diag, though this user may use BPF, or a retransmission without its reason.
#  segmentation  How much of a bulk send goes out as one depends on the RTT that was measured by then
#                (tcp_tso_autosize()), which a busy machine makes long. A small first piece has no PSH
#                (tcp_sendmsg_locked(): forced_push()). Sign: ">[.]" comes where ">[P.]" should come first.
#
# C tests use flakes.h.

# For a user without BPF the last entry of .failures is a remark on the other entries. This jq filter removes it.
without_remark='map(select(startswith("without the tracepoints") | not))'

# For each cause, the condition in jq that a record with this cause meets.
declare -A flake_sign=(
	[late]='(.inconclusive | any(contains("too busy for real time") or contains("after a look that still saw it"))) or
		(.failures | '"$without_remark"' |
		length > 0 and all(test("(after|before|within) .*, got [0-9.]+ ?(us|ms|s|min|h)")))'
	[segmentation]='.failures | '"$without_remark"' |
		length > 0 and all(contains("expected packet >[P.] before any >[.], got the other order"))'
	[missed-event]='.clock == "sock_diag" or ([.endpoints[].retransmissions[]] | any(.reason == null))'
)

# flake_condition CAUSE...: prints the condition that a record with any of the causes meets, for this user and kernel.
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
	jq -r 'select(.verdict != "pass") | "again: \(.scenario) \(.variant // "") \(.family): \(.failures + .inconclusive | join("; "))"' "$1"
}

# shows FILE CAUSE...: whether a record in FILE, whatever its verdict, shows one of the causes.
shows() {
	jq -es "any($(flake_condition "${@:2}"))" "$1" >/dev/null 2>&1
}
