/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/vmlinux.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "src/kernel/archives.h"
#include "src/kernel/cache-entries.h"
#include "src/util/cleanup.h"

/* Offsets in the setup header of a bzImage. */
#define SETUP_SECTS    0x1f1
#define BOOT_FLAG      0x1fe /* 0xaa55 */
#define HEADER_MAGIC   0x202 /* "HdrS" */
#define VERSION	       0x206
#define KERNEL_VERSION 0x20e /* offset of the version string, less 0x200 */
#define PAYLOAD_OFFSET 0x248 /* from the start of the protected-mode code; since 2.08 */
#define PAYLOAD_LENGTH 0x24c
#define HEADER_END     0x250

#define XEN_ELFNOTE_PHYS32_ENTRY 18 /* the PVH note, include/xen/interface/elfnote.h */

struct image {
	const uint8_t *data; /* a mapping of the file */
	size_t size;	     /* bytes */
	const char *path;    /* for error texts; not owned */
};

static uint32_t get32(const struct image *image, size_t offset)
{
	uint32_t v;

	memcpy(&v, image->data + offset, sizeof(v));
	return le32toh(v);
}

static uint16_t get16(const struct image *image, size_t offset)
{
	return (uint16_t)(image->data[offset] | image->data[offset + 1] << 8);
}

static int image_open(struct image *image, const char *path, struct error *err)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *data;

	/* Without O_NONBLOCK the opening of a FIFO waits for its writer. */
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, ERROR_INPUT, -errno, "kernel %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size < HEADER_END)
		return error_input(err, "%s: not a kernel image", path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return error_errno(err, -errno, "%s", path);
	*image = (struct image){ .data = data, .size = (size_t)st.st_size, .path = path };
	return 0;
}

static void image_close(struct image *image)
{
	munmap((void *)image->data, image->size);
}

static bool is_bzimage(const struct image *image)
{
	return get16(image, BOOT_FLAG) == 0xaa55 &&
	       memcmp(image->data + HEADER_MAGIC, "HdrS", 4) == 0 && get16(image, VERSION) >= 0x208;
}

/* Copies the word at `offset`. */
static bool copy_word(const struct image *image, size_t offset, char *word, size_t size)
{
	size_t n = 0;

	while (offset + n < image->size && n + 1 < size && image->data[offset + n] > ' ' &&
	       image->data[offset + n] < 0x7f) {
		word[n] = (char)image->data[offset + n];
		n++;
	}
	word[n] = '\0';
	return n > 0;
}

/* An uncompressed kernel has no field for its release, but its banner stands in it as text. */
static bool find_banner(const struct image *image, char *release, size_t size)
{
	static const char banner[] = "Linux version ";
	const uint8_t *at = memmem(image->data, image->size, banner, sizeof(banner) - 1);

	return at &&
	       copy_word(image, (size_t)(at - image->data) + sizeof(banner) - 1, release, size);
}

int vmlinux_release(const char *path, char *ret_release, size_t size, struct error *err)
{
	struct image image;
	bool found = false;
	int rc = image_open(&image, path, err);

	if (rc < 0)
		return rc;
	if (is_bzimage(&image))
		found = copy_word(&image, get16(&image, KERNEL_VERSION) + 0x200u, ret_release,
				  size);
	else if (memcmp(image.data, ELFMAG, SELFMAG) == 0)
		found = find_banner(&image, ret_release, size);
	image_close(&image);
	return found ? 0 : error_input(err, "%s: not a kernel image", path);
}

/* Returns whether the ELF kernel in `data` has the note that tells its 32-bit entry. */
static bool has_pvh_note(const uint8_t *data, size_t size)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)data;

	if (size < sizeof(*header) || memcmp(data, ELFMAG, SELFMAG) != 0 ||
	    header->e_phoff > size ||
	    header->e_phnum > (size - header->e_phoff) / sizeof(Elf64_Phdr))
		return false;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		const Elf64_Phdr *segment = (const Elf64_Phdr *)(data + header->e_phoff) + i;
		size_t at = segment->p_offset, end = at + segment->p_filesz;

		if (segment->p_type != PT_NOTE || end > size || end < at)
			continue;
		while (at + sizeof(Elf64_Nhdr) <= end) {
			const Elf64_Nhdr *note = (const Elf64_Nhdr *)(data + at);

			if (note->n_type == XEN_ELFNOTE_PHYS32_ENTRY && note->n_namesz == 4 &&
			    at + 16 <= end && memcmp(note + 1, "Xen", 4) == 0)
				return true;
			at += sizeof(*note) + ((note->n_namesz + 3) & ~3u) +
			      ((note->n_descsz + 3) & ~3u);
		}
	}
	return false;
}

static int unpack(struct archive *archive, const struct image *image, const uint8_t *payload,
		  size_t size, uint8_t *elf, size_t elf_size, struct error *err)
{
	struct archive_entry *entry;
	size_t have = 0;
	la_ssize_t n;

	lib_archive_read_support_format_raw(archive);
	lib_archive_read_support_filter_all(archive);
	if (lib_archive_read_open_memory(archive, payload, size) != ARCHIVE_OK ||
	    lib_archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return error_input(err, "%s: the kernel in it is compressed in an unknown way",
				   image->path);
	while (have < elf_size &&
	       (n = lib_archive_read_data(archive, elf + have, elf_size - have)) > 0)
		have += (size_t)n;
	if (have != elf_size)
		return error_input(err, "%s: damaged or truncated kernel image", image->path);
	return 0;
}

static int write_file(const char *path, const uint8_t *data, size_t size, struct error *err)
{
	_cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return cache_error(err, -errno, path);
	for (size_t at = 0; at < size; at += (size_t)n) {
		n = write(fd, data + at, size - at);
		if (n < 0)
			return cache_error(err, -errno, path);
	}
	return 0;
}

/* Unpacks the kernel in a bzImage into memory that the caller frees. Behind the payload stands its
 * uncompressed size (arch/x86/boot/compressed/Makefile: size_append), because not every compressed
 * format tells it. */
static int unpack_elf(const struct image *image, uint8_t **ret_elf, size_t *ret_size,
		      struct error *err)
{
	size_t offset, length, elf_size;
	_cleanup_(freep) uint8_t *elf = NULL;
	struct archive *archive;
	int rc = archives_load(err);

	if (rc < 0)
		return rc;
	offset = ((image->data[SETUP_SECTS] ? image->data[SETUP_SECTS] : 4) + 1) * 512ul +
		 get32(image, PAYLOAD_OFFSET);
	length = get32(image, PAYLOAD_LENGTH);
	if (length < 8 || offset > image->size || length > image->size - offset)
		return error_input(err, "%s: damaged or truncated kernel image", image->path);
	elf_size = get32(image, offset + length - 4);
	elf = malloc(elf_size);
	archive = lib_archive_read_new();
	if (!elf || !archive)
		rc = error_errno(err, -ENOMEM, "%s", image->path);
	else
		rc = unpack(archive, image, image->data + offset, length - 4, elf, elf_size, err);
	lib_archive_read_free(archive);
	if (rc < 0)
		return rc;
	*ret_elf = take_ptr(elf);
	*ret_size = elf_size;
	return 0;
}

static int extract(const struct image *image, const char *target, struct error *err)
{
	_cleanup_(freep) uint8_t *elf = NULL;
	size_t size;
	int rc;

	if (!is_bzimage(image))
		return -EOPNOTSUPP;
	rc = unpack_elf(image, &elf, &size, err);
	if (rc < 0)
		return rc;
	return has_pvh_note(elf, size) ? write_file(target, elf, size, err) : -EOPNOTSUPP;
}

/* Which machine the image is for, as ELF numbers them. */
static unsigned machine_of(const struct image *image)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image->data;

	if (is_bzimage(image))
		return EM_X86_64;
	return memcmp(image->data, ELFMAG, SELFMAG) == 0 ? header->e_machine : EM_NONE;
}

int vmlinux_check(const char *path, struct error *err)
{
	struct image image;
	int rc = image_open(&image, path, err);

	if (rc < 0)
		return rc;
	if (machine_of(&image) != EM_X86_64)
		rc = error_input(err, "%s: not a kernel for x86_64, and guests are that", path);
	else if (!is_bzimage(&image) && !has_pvh_note(image.data, image.size))
		rc = error_input(err,
				 "%s: an uncompressed kernel without CONFIG_PVH, which QEMU cannot "
				 "start; give the bzImage",
				 path);
	image_close(&image);
	return rc;
}

/* The config stands in the kernel as gzip has compressed it, between two marks (kernel/configs.c).
 */
static char *find_config(const uint8_t *data, size_t size)
{
	const uint8_t *start = memmem(data, size, "IKCFG_ST", 8), *end;
	struct archive *archive = lib_archive_read_new();
	struct archive_entry *entry;
	const size_t room = 1 << 20;
	char *text = malloc(room);
	la_ssize_t n = -1;

	end = start ? memmem(start, (size_t)(data + size - start), "IKCFG_ED", 8) : NULL;
	if (end && archive && text) {
		lib_archive_read_support_format_raw(archive);
		lib_archive_read_support_filter_all(archive);
		if (lib_archive_read_open_memory(archive, start + 8, (size_t)(end - start - 8)) ==
			    ARCHIVE_OK &&
		    lib_archive_read_next_header(archive, &entry) == ARCHIVE_OK)
			n = lib_archive_read_data(archive, text, room - 1);
	}
	lib_archive_read_free(archive);
	if (n <= 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

char *vmlinux_config(const char *path)
{
	_cleanup_(freep) uint8_t *elf = NULL;
	struct error ignored;
	struct image image;
	char *text = NULL;
	size_t size;

	if (archives_load(&ignored) < 0 || image_open(&image, path, &ignored) < 0)
		return NULL;
	if (!is_bzimage(&image))
		text = find_config(image.data, image.size);
	else if (unpack_elf(&image, &elf, &size, &ignored) >= 0)
		text = find_config(elf, size);
	image_close(&image);
	return text;
}

int vmlinux_extract(const char *path, const char *target, struct error *err)
{
	struct image image;
	int rc = image_open(&image, path, err);

	if (rc < 0)
		return rc;
	rc = extract(&image, target, err);
	image_close(&image);
	return rc;
}

static int make(const char *target, const void *userdata, struct error *err)
{
	return vmlinux_extract(userdata, target, err);
}

int vmlinux_cached(const char *path, char **ret_path, int *ret_hold_fd, struct error *err)
{
	static const struct cache_kind kind = { "images", ".vmlinux", make };
	struct cache_key key;
	int rc;

	cache_key_init(&key);
	rc = cache_key_add_file(&key, path, err);
	if (rc >= 0)
		rc = cache_get(&kind, &key, path, ret_path, ret_hold_fd, err);
	if (rc != -EOPNOTSUPP)
		return rc;
	*ret_path = strdup(path);
	return *ret_path ? 0 : error_errno(err, -ENOMEM, "%s", path);
}
