/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tune/dialect.h"

#include <inttypes.h>
#include <string.h>

#include "src/util/array.h"

/* What is proposed, as its parts are printed. */
static const struct tune_settings *chosen(const struct tune_result *r)
{
	return &r->frontier[r->chosen].settings;
}

static int64_t timeout_ms(const struct tune_result *r)
{
	return chosen(r)->user_timeout_nsec / NSEC_PER_MSEC;
}

/* Says in a comment what stands in for TCP_USER_TIMEOUT, if it is proposed at all. */
static void put_no_user_timeout(const struct tune_result *r, const char *comment, FILE *out)
{
	if (!timeout_ms(r))
		return;
	fprintf(out, "%s TCP_USER_TIMEOUT (%" PRId64 " ms) cannot be set here. ", comment,
		timeout_ms(r));
	if (r->by_retries2.settings.retries2)
		fprintf(out, "tcp_retries2 = %u of the machine stands in for it.\n",
			r->by_retries2.settings.retries2);
	else
		fprintf(out,
			"No value of tcp_retries2 stands in\n%s for it: while data is in flight "
			"this goal is not reached.\n",
			comment);
}

static void put_no_times(const struct tune_result *r, const char *comment, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out,
		"%s The times of keepalive (%u s, %u s, %u probes) cannot be set here: they are "
		"the\n"
		"%s machine's, net.ipv4.tcp_keepalive_time, _intvl and _probes.\n",
		comment, s->idle, s->interval, s->count, comment);
}

static void print_sysctl(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out,
		"# SO_KEEPALIVE cannot be set here: each program has to switch it on.\n"
		"net.ipv4.tcp_keepalive_time = %u\nnet.ipv4.tcp_keepalive_intvl = %u\n"
		"net.ipv4.tcp_keepalive_probes = %u\n",
		s->idle, s->interval, s->count);
	put_no_user_timeout(r, "#", out);
	if (r->by_retries2.settings.retries2)
		fprintf(out, "net.ipv4.tcp_retries2 = %u\n", r->by_retries2.settings.retries2);
}

static void print_c(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out,
		"#include <netinet/in.h>\n#include <netinet/tcp.h>\n#include <sys/socket.h>\n\n"
		"/* Returns 0, or -1 with errno. Sockets that accept() returns have what the "
		"listening one has. */\n"
		"int detect_peer_loss(int fd)\n{\n\tconst struct {\n\t\tint level, name, value;\n"
		"\t} options[] = {\n\t\t{ SOL_SOCKET, SO_KEEPALIVE, 1 },\n"
		"\t\t{ IPPROTO_TCP, TCP_KEEPIDLE, %u }, /* s */\n"
		"\t\t{ IPPROTO_TCP, TCP_KEEPINTVL, %u }, /* s */\n"
		"\t\t{ IPPROTO_TCP, TCP_KEEPCNT, %u },\n",
		s->idle, s->interval, s->count);
	if (timeout_ms(r))
		fprintf(out, "\t\t{ IPPROTO_TCP, TCP_USER_TIMEOUT, %" PRId64 " }, /* ms */\n",
			timeout_ms(r));
	fputs("\t};\n\n\tfor (unsigned int i = 0; i < sizeof(options) / sizeof(options[0]); i++)\n"
	      "\t\tif (setsockopt(fd, options[i].level, options[i].name, &options[i].value,\n"
	      "\t\t\t       sizeof(options[i].value)) < 0)\n\t\t\treturn -1;\n\treturn 0;\n}\n",
	      out);
}

static void print_go(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out,
		"package peerloss\n\nimport (\n\t\"net\"\n\t\"syscall\"\n)\n\n"
		"// KeepAlive is negative so that net does not put its own 15 s over these.\n"
		"var Dialer = net.Dialer{KeepAlive: -1, Control: Control}\n"
		"var ListenConfig = net.ListenConfig{KeepAlive: -1, Control: Control}\n\n"
		"func Control(network, address string, c syscall.RawConn) error {\n"
		"\toptions := []struct{ level, name, value int }{\n"
		"\t\t{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},\n"
		"\t\t{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, %u},\n"
		"\t\t{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, %u},\n"
		"\t\t{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, %u},\n",
		s->idle, s->interval, s->count);
	if (timeout_ms(r))
		fprintf(out,
			"\t\t{syscall.IPPROTO_TCP, 0x12, %" PRId64 "}, // TCP_USER_TIMEOUT, ms\n",
			timeout_ms(r));
	fputs("\t}\n\tvar failed error\n\terr := c.Control(func(fd uintptr) {\n"
	      "\t\tfor _, o := range options {\n"
	      "\t\t\tif e := syscall.SetsockoptInt(int(fd), o.level, o.name, o.value); e != nil && "
	      "failed == nil {\n"
	      "\t\t\t\tfailed = e\n\t\t\t}\n\t\t}\n\t})\n\tif err != nil {\n\t\treturn "
	      "err\n\t}\n\treturn failed\n}\n",
	      out);
}

static void print_java(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	put_no_user_timeout(r, "//", out);
	if (timeout_ms(r))
		fputs("// Netty's native transport has it: EpollChannelOption.TCP_USER_TIMEOUT.\n",
		      out);
	fprintf(out,
		"import java.io.IOException;\nimport java.net.Socket;\n"
		"import java.net.StandardSocketOptions;\nimport jdk.net.ExtendedSocketOptions;\n\n"
		"final class PeerLoss {\n    private PeerLoss() {}\n\n"
		"    static void detect(Socket socket) throws IOException {\n"
		"        socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);\n"
		"        socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, %u);\n"
		"        socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, %u);\n"
		"        socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, %u);\n    }\n}\n",
		s->idle, s->interval, s->count);
}

static void print_python(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out,
		"import socket\n\n\ndef detect_peer_loss(sock):\n"
		"    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
		"    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, %u)  # s\n"
		"    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, %u)  # s\n"
		"    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, %u)\n",
		s->idle, s->interval, s->count);
	if (timeout_ms(r))
		fprintf(out,
			"    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, %" PRId64
			")  # ms\n",
			timeout_ms(r));
}

static void print_rust(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out,
		"// Cargo.toml: socket2 = { version = \"0.5\", features = [\"all\"] }\n"
		"use socket2::{SockRef, TcpKeepalive};\nuse std::{io, net::TcpStream, "
		"time::Duration};\n\n"
		"pub fn detect_peer_loss(stream: &TcpStream) -> io::Result<()> {\n"
		"    let socket = SockRef::from(stream);\n"
		"    socket.set_tcp_keepalive(\n        &TcpKeepalive::new()\n"
		"            .with_time(Duration::from_secs(%u))\n"
		"            .with_interval(Duration::from_secs(%u))\n"
		"            .with_retries(%u),\n    )%s\n",
		s->idle, s->interval, s->count, timeout_ms(r) ? "?;" : "");
	if (timeout_ms(r))
		fprintf(out,
			"    socket.set_tcp_user_timeout(Some(Duration::from_millis(%" PRId64
			")))\n",
			timeout_ms(r));
	fputs("}\n", out);
}

static void print_libpq(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out, "keepalives=1 keepalives_idle=%u keepalives_interval=%u keepalives_count=%u",
		s->idle, s->interval, s->count);
	if (timeout_ms(r))
		fprintf(out, " tcp_user_timeout=%" PRId64, timeout_ms(r));
	putc('\n', out);
}

static void print_postgresql(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out,
		"tcp_keepalives_idle = %u\ntcp_keepalives_interval = %u\ntcp_keepalives_count = "
		"%u\n",
		s->idle, s->interval, s->count);
	if (timeout_ms(r))
		fprintf(out, "tcp_user_timeout = %" PRId64 "\n", timeout_ms(r));
}

static void print_jdbc(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	put_no_times(r, "#", out);
	put_no_user_timeout(r, "#", out);
	fputs("# socketTimeout (s) ends reads that take longer, also those of slow queries.\n"
	      "tcpKeepAlive=true\n",
	      out);
}

/* anetKeepAlive() of redis: the first probe after tcp-keepalive, the others a third of it apart,
 * three in all. */
static bool redis_reaches(const struct tune_goal *goal, unsigned int seconds)
{
	const struct tune_settings s = { .idle = seconds,
					 .interval = seconds / 3 ? seconds / 3 : 1,
					 .count = 3 };
	struct tune_figures f = { .probes_a_day = 0 };
	struct tune_goal idle = *goal;
	struct error err = { 0 };

	idle.workloads[TUNE_IDLE] = true;
	idle.workloads[TUNE_BUSY] = false;
	return tune_figures(&idle, &s, &f, &err) >= 0 &&
	       tune_worst_detect(&idle, &f) <= goal->detect_nsec &&
	       tune_least_survive(&idle, &f) >= goal->survive_nsec;
}

static void print_redis(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	unsigned int seconds = (unsigned int)(goal->detect_nsec / NSEC_PER_SEC / 2), all = seconds;

	while (seconds && !redis_reaches(goal, seconds))
		seconds--;
	fputs("# redis sends its first probe after this time, and two more a third of it apart.\n",
	      out);
	if (!seconds)
		fputs("# No value of it reaches the goal; this one detects in time, and survives "
		      "less.\n",
		      out);
	put_no_user_timeout(r, "#", out);
	fprintf(out, "tcp-keepalive %u\n", seconds ? seconds : all * 8 / 9 ? all * 8 / 9 : 1);
}

static void print_nginx(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	put_no_user_timeout(r, "#", out);
	fprintf(out,
		"events {}\nhttp {\n    # To the servers behind it: their times are the "
		"machine's.\n"
		"    proxy_socket_keepalive on;\n    server {\n"
		"        listen 8080 so_keepalive=%us:%us:%u;\n"
		"        location / { proxy_pass http://127.0.0.1:8081; }\n    }\n}\n",
		s->idle, s->interval, s->count);
}

static void print_haproxy(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);
	char timeout[48] = "";

	if (timeout_ms(r))
		snprintf(timeout, sizeof(timeout), " tcp-ut %" PRId64 "ms", timeout_ms(r));
	fprintf(out,
		"defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1h\n    "
		"timeout server 1h\n"
		"    option clitcpka\n    clitcpka-idle %us\n    clitcpka-intvl %us\n    "
		"clitcpka-cnt %u\n"
		"    option srvtcpka\n    srvtcpka-idle %us\n    srvtcpka-intvl %us\n    "
		"srvtcpka-cnt %u\n\n"
		"frontend front\n    bind :8080%s\n    default_backend back\n\n"
		"backend back\n    server one 127.0.0.1:8081%s\n",
		s->idle, s->interval, s->count, s->idle, s->interval, s->count, timeout, timeout);
}

/* The numbers of the socket options are those of Linux: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL,
 * TCP_KEEPCNT, TCP_USER_TIMEOUT. */
static void print_envoy(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	fprintf(out,
		"# Of a listener; what it accepts has the same.\n"
		"socket_options:\n"
		"- {description: SO_KEEPALIVE, level: 1, name: 9, int_value: 1, state: "
		"STATE_PREBIND}\n"
		"- {description: TCP_KEEPIDLE, level: 6, name: 4, int_value: %u, state: "
		"STATE_PREBIND}\n"
		"- {description: TCP_KEEPINTVL, level: 6, name: 5, int_value: %u, state: "
		"STATE_PREBIND}\n"
		"- {description: TCP_KEEPCNT, level: 6, name: 6, int_value: %u, state: "
		"STATE_PREBIND}\n",
		s->idle, s->interval, s->count);
	if (timeout_ms(r))
		fprintf(out,
			"- {description: TCP_USER_TIMEOUT, level: 6, name: 18, int_value: %" PRId64
			", state: STATE_PREBIND}\n",
			timeout_ms(r));
	fprintf(out,
		"---\n# Of a cluster.\nupstream_connection_options:\n"
		"  tcp_keepalive: {keepalive_time: %u, keepalive_interval: %u, keepalive_probes: "
		"%u}\n",
		s->idle, s->interval, s->count);
	if (timeout_ms(r))
		fprintf(out,
			"upstream_bind_config:\n  source_address: {address: 0.0.0.0, port_value: "
			"0}\n"
			"  socket_options:\n  - {description: TCP_USER_TIMEOUT, level: 6, name: "
			"18, int_value: %" PRId64 ", state: STATE_PREBIND}\n",
			timeout_ms(r));
}

static void print_systemd(const struct tune_goal *goal, const struct tune_result *r, FILE *out)
{
	const struct tune_settings *s = chosen(r);

	put_no_user_timeout(r, "#", out);
	fprintf(out,
		"[Socket]\nListenStream=8080\nKeepAlive=yes\nKeepAliveTimeSec=%u\n"
		"KeepAliveIntervalSec=%u\nKeepAliveProbes=%u\n",
		s->idle, s->interval, s->count);
}

const struct tune_dialect tune_dialects[] = {
	{ "sysctl", "sysctl: /etc/sysctl.d/90-peer-loss.conf", true, print_sysctl },
	{ "c", "C", false, print_c },
	{ "go", "Go", false, print_go },
	{ "java", "Java 11 and newer", true, print_java },
	{ "python", "Python", false, print_python },
	{ "rust", "Rust, with socket2", false, print_rust },
	{ "libpq", "libpq: parameters of a connection", false, print_libpq },
	{ "postgresql", "PostgreSQL's server: postgresql.conf", false, print_postgresql },
	{ "jdbc", "JDBC of PostgreSQL: properties", true, print_jdbc },
	{ "redis", "redis.conf", true, print_redis },
	{ "nginx", "nginx.conf", true, print_nginx },
	{ "haproxy", "haproxy.cfg", false, print_haproxy },
	{ "envoy", "Envoy: a listener, and a cluster", false, print_envoy },
	{ "systemd", "systemd: a socket unit", true, print_systemd },
};
const size_t n_tune_dialects = ARRAY_SIZE(tune_dialects);

const struct tune_dialect *tune_dialect(const char *name)
{
	for (size_t i = 0; i < n_tune_dialects; i++)
		if (!strcmp(tune_dialects[i].name, name))
			return &tune_dialects[i];
	return NULL;
}

char *tune_dialect_names(char *buffer, size_t size)
{
	size_t n = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < n_tune_dialects && n < size; i++)
		n += (size_t)snprintf(buffer + n, size - n, "%s%s", i ? ", " : "",
				      tune_dialects[i].name);
	return buffer;
}
