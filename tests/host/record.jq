# The function record tells whether a record has every field, which is null if it does not apply.
def number_or_null: type == "number" or . == null;
def string_or_null: type == "string" or . == null;
def has_only($names): (keys == ($names | sort));
# "connection" and "follow" are left out where nothing is followed, "options" where no BPF told of the end, and
# "possible_s" unless microseconds decide what is predicted.
def has_only_and_maybe($names; $others): (keys - $others == ($names | sort));
def endpoint:
  has_only_and_maybe(["outcome", "error", "mechanism", "detection_s", "gone_s", "gone_predicted_s", "gone_unpredicted",
    "recovered_s", "predicted_s", "unpredicted", "states",
    "retransmissions", "resets", "calls", "bytes", "samples", "population", "tcp_info", "command"]; ["connection", "options",
    "possible_s"])
  and ([.outcome, .error, .mechanism] | all(string_or_null))
  and (.detection_s | has_only(["kernel", "application", "wire"]) and all(number_or_null))
  and ([.gone_s, .recovered_s] | all(number_or_null))
  and (.predicted_s == null or (.predicted_s | has_only(["earliest", "latest"]) and all(number_or_null)))
  and ((.predicted_s == null) == (.unpredicted | type == "string"))
  and ((.gone_predicted_s == null) == (.gone_unpredicted | type == "string"))
  and (.states | all(has_only(["t_s", "from", "to"]) and (.t_s | type == "number")))
  and (.retransmissions | all(has_only(["t_s", "rto_s", "reason"])
    and (.rto_s | number_or_null) and (.reason | string_or_null)))
  and (.resets | type == "array")
  and (.calls | all(has_only(["t_s", "entered_s", "process", "connection", "call", "result", "error"])))
  and (.bytes == null or (.bytes | has_only(["read", "written"])))
  and (.tcp_info == null or (.tcp_info | type == "object"))
  and (.command == null or (.command | type == "object"));
def record:
  has_only_and_maybe(["schema", "scenario", "id", "variant", "engine", "kernel", "qemu", "family", "seed", "repeat", "phase", "lateness_s",
    "settings", "faults", "endpoints", "span_s", "clock", "lost", "trace", "verdict", "failures", "inconclusive"]; ["follow"])
  and .schema == 2 and .engine == "host" and .qemu == null and (.kernel | type == "string")
  and (.family == "ipv4" or .family == "ipv6")
  and (.settings | type == "object" and length > 0)
  and (.faults | length > 0 and all(has_only(["t_s", "took_s", "event"])) and .[0].t_s == 0)
  and (.endpoints | has_only(["client", "server"]) and all(endpoint))
  and (.clock == "tracepoint" or .clock == "sock_diag")
  and (.verdict == "pass" or .verdict == "fail" or .verdict == "inconclusive");
def median: sort | .[length / 2 | floor];
