/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/observer/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/stat.h>

/* The limit on a frame's bytes in the file's header, beyond which readers refuse a record:
 * libpcap's greatest. */
#define CAPTURE_SNAP 262144

struct capture {
	char *path;	       /* for errors; owned */
	pcap_t *pcap;	       /* tells the dumper which format to write; owned */
	pcap_dumper_t *dumper; /* the file; owned */
	int error;	       /* negative errno of the first failed write, or 0 */
};

static int open_file(const char *path, FILE **ret_file)
{
	_cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	FILE *file;

	if (fd < 0)
		return -errno;
	file = fdopen(fd, "w");
	if (!file)
		return -errno;
	take_fd(&fd);
	*ret_file = file;
	return 0;
}

int capture_new(const char *path, struct capture **ret_capture, struct error *err)
{
	_cleanup_(capture_freep) struct capture *capture = calloc(1, sizeof(*capture));
	_cleanup_(file_closep) FILE *file = NULL;
	int rc;

	if (!capture || !(capture->path = strdup(path)))
		return error_errno(err, -ENOMEM, "%s", path);
	rc = open_file(path, &file);
	if (rc < 0)
		return error_errno(err, rc, "%s", path);
	capture->pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, CAPTURE_SNAP,
							     PCAP_TSTAMP_PRECISION_NANO);
	if (!capture->pcap)
		return error_errno(err, -ENOMEM, "%s", path);
	capture->dumper = pcap_dump_fopen(capture->pcap, file);
	if (!capture->dumper)
		return error_set(err, ERROR_FAILED, -EIO, "%s: %s", path,
				 pcap_geterr(capture->pcap));
	take_ptr(file);
	*ret_capture = take_ptr(capture);
	return 0;
}

struct capture *capture_free(struct capture *capture)
{
	struct stat st;

	if (!capture)
		return NULL;
	if (capture->dumper) {
		capture_flush(capture);
		pcap_dump_close(capture->dumper);
	}
	/* Nothing of a capture got onto a full disk, if not even the head of its file did. */
	if (capture->error && stat(capture->path, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size)
		unlink(capture->path);
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture->path);
	free(capture);
	return NULL;
}

/* Remembers the cause of a failed write. This is called right after each write, because stdio keeps
 * only the fact that a write failed, and errno soon has another value. */
static void note_failure(struct capture *capture)
{
	if (!capture->error && ferror(pcap_dump_file(capture->dumper)))
		capture->error = errno ? -errno : -EIO;
}

void capture_write(struct capture *capture, nsec_t time_nsec, const void *frame, size_t captured,
		   size_t length)
{
	struct pcap_pkthdr header = {
		.ts = { .tv_sec = time_nsec / NSEC_PER_SEC, .tv_usec = time_nsec % NSEC_PER_SEC },
		.caplen = (bpf_u_int32)(captured < CAPTURE_SNAP ? captured : CAPTURE_SNAP),
		.len = (bpf_u_int32)length,
	};

	if (capture->error)
		return;
	errno = 0;
	pcap_dump((u_char *)capture->dumper, &header, frame);
	note_failure(capture);
}

void capture_flush(struct capture *capture)
{
	if (capture->error)
		return;
	errno = 0;
	if (pcap_dump_flush(capture->dumper) < 0 && !capture->error)
		capture->error = errno ? -errno : -EIO;
	note_failure(capture);
}

int capture_check(const struct capture *capture, struct error *err)
{
	if (capture->error)
		return error_errno(err, capture->error, "%s", capture->path);
	return 0;
}
