/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/observer/filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/tcp/packet.h"
#include "src/util/array.h"

#define AT_ETHERTYPE	  12		 /* offsets in a frame, bytes */
#define AT_IPV4_PROTOCOL  (ETH_HLEN + 9) /* of struct iphdr */
#define AT_IPV6_NEXT_HEAD (ETH_HLEN + 6) /* of struct ipv6hdr */

int filter_load(void)
{
	/* A load from the packet takes the context from register 6 and ends the program, with 0, if
	 * the frame is too short (Documentation/bpf/standardization/instruction-set.rst). */
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1 },
		{ .code = BPF_LD | BPF_ABS | BPF_H, .imm = AT_ETHERTYPE },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .imm = ETH_P_IP, .off = 3 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .imm = ETH_P_IPV6, .off = 6 },
		{ .code = BPF_LD | BPF_ABS | BPF_B, .imm = AT_IPV6_NEXT_HEAD },
		{ .code = BPF_JMP | BPF_JA, .off = 1 },
		{ .code = BPF_LD | BPF_ABS | BPF_B, .imm = AT_IPV4_PROTOCOL },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .imm = IPPROTO_TCP, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = PACKET_SNAP },
		{ .code = BPF_JMP | BPF_EXIT },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)code,
		.insn_cnt = ARRAY_SIZE(code),
		.license = (uintptr_t) "GPL",
	};

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
}

static int attach_own(int socket_fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_ETHERTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_IPV4_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 3, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_IPV6_NEXT_HEAD),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, PACKET_SNAP),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	return setsockopt(socket_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int filter_attach(int socket_fd, int program_fd)
{
	int rc = program_fd < 0 ? attach_own(socket_fd)
				: setsockopt(socket_fd, SOL_SOCKET, SO_ATTACH_BPF, &program_fd,
					     sizeof(program_fd));

	return rc < 0 ? -errno : 0;
}
