/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The filter of a packet socket that wants only the headers of TCP over IPv4 and IPv6. The kernel
 * compiles a filter each time that one is given to a socket as text (setsockopt SO_ATTACH_FILTER),
 * so where this process may, it loads one program, which all its sockets share.
 */

/* Loads the program. Returns its descriptor, or -1 where that is not allowed: then each socket gets
 * a filter of its own. */
int filter_load(void);

/* Gives the filter to the socket; `program_fd` is from filter_load(). Returns 0 or a negative
 * errno. */
int filter_attach(int socket_fd, int program_fd);
