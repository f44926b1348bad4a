/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cartridge whose files are anything at all: it opens or does not, every operation ends, and what
 * is then written on it comes back.
 *
 * The first byte of the input says what the rest is:
 *   bit 0  a label, and the log is blank; otherwise a log, and the label is right
 *   bit 1  make the checksums (and, in a log, places and log numbers) right, so that what is behind
 *          them is reached
 *   bit 2  open read-only
 *   bit 3  of a log: the first 256 bytes are the beginning of a slot
 *   bit 4  of a log: the first 256 bytes (before those of the slot) are the beginning of its header,
 *          which is all that says what the cartridge is: the label is gone
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "base/log.h"
#include "vtl/label.h"

#define LABEL     1u
#define RESEAL    2u
#define READ_ONLY 4u
#define SLOT      8u
#define HEADER    16u
#define PART_SIZE 256u /* of a slot or header */
#define LOG_ID    0x0badcafeu
#define LOG_MAX   (64u << 10)
#define STEPS     600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char path[64];
static int dir;
static struct label label;

static void give_up(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void require(bool truth, const char *what)
{
	if (!truth)
		give_up(what);
}

static void clean_up(void)
{
	static const char *const names[] = { "label", "label.new", "p0", "p1", "p2", "p3" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(dir, names[i], 0);
	rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_setup(LOG_TO_STDERR, LOG_EMERG);
	snprintf(path, sizeof(path), "%s/cartridge-XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	require(mkdtemp(path), "mkdtemp");
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(dir >= 0, "open");
	label.identity = (struct identity){ .id = "fuzz", .barcode = "FUZZ01L6", .serial = "1",
		.media = media_generation(6), .capacity = 8 << 20, .partitions = 1 };
	label.identity.partition[0].capacity = 8 << 20;
	label.identity.partition[0].log_id = LOG_ID;
	atexit(clean_up);
	return 0;
}

static void put_file(const char *name, const uint8_t *bytes, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && write(fd, bytes, len) == (ssize_t)len, "write");
	close(fd);
}

static void seal(uint8_t *p, size_t len)
{
	put_le32(p + len - 4, crc_end(crc_add(CRC_START, p, len - 4)));
}

/* Wherever the bytes look like a record, it becomes one that belongs there. */
static void reseal_log(uint8_t *log, size_t len)
{
	for (size_t at = 0; at + RECORD_HEADER <= len; at += RECORD_ALIGN) {
		uint8_t *p = log + at;
		size_t stored = le32(p + 52), left = len - at - RECORD_HEADER;

		if (!record_looks_like(p))
			continue;
		put_le32(p + 8, LOG_ID);
		put_le64(p + 16, LOG_START + at);
		put_le32(p + 56, crc_end(crc_add(CRC_START, p + RECORD_HEADER,
			stored < left ? stored : left)));
		seal(p, RECORD_HEADER);
	}
}

/* The beginning of a slot or header is what comes next in the input. */
static void put_part(uint8_t *part, const uint8_t **data, size_t *size)
{
	size_t n = *size < PART_SIZE ? *size : PART_SIZE;

	memcpy(part, *data, n);
	*data += n;
	*size -= n;
}

static void put_log(const uint8_t *data, size_t size, uint8_t flags)
{
	static uint8_t file[LOG_START + LOG_MAX];
	uint8_t *slot = file + FORMAT_BLOCK, *log = file + LOG_START;

	memset(file, 0, LOG_START);
	header_encode(&label.identity, 0, file);
	if (flags & HEADER) {
		put_part(file, &data, &size);
		if (flags & RESEAL)
			seal(file, FORMAT_BLOCK);
	}
	if (flags & SLOT) {
		put_part(slot, &data, &size);
		put_le32(slot + 4, LOG_ID);
		seal(slot, FORMAT_BLOCK);
		/* The other slot is good, too, and blank. */
		struct tail blank;
		tail_start(&blank, 0);
		slot_encode(&blank, LOG_ID, 0, slot + FORMAT_BLOCK);
	}
	if (size > LOG_MAX)
		size = LOG_MAX;
	if (size)
		memcpy(log, data, size);
	if (flags & RESEAL)
		reseal_log(log, size);
	put_file("p0", file, LOG_START + size);
}

static void put_label(const uint8_t *data, size_t size, uint8_t flags)
{
	static uint8_t file[65536];

	if (size > sizeof(file))
		size = sizeof(file);
	if (size)
		memcpy(file, data, size);
	if (flags & RESEAL && size >= 16) {
		put_le32(file + 12, (uint32_t)size);
		seal(file, size);
	}
	put_log(NULL, 0, 0);
	put_file("label", file, size);
}

/* The results are what they are; each call has to end and leave the tape somewhere. */
static void use(struct cartridge *c, const struct cartridge_key *key)
{
	static const int64_t counts[] = { 1, -1, 3, -3, 1000, -1000 };
	static uint8_t buf[4096];
	struct cartridge_position p;
	struct cartridge_block got;
	uint64_t residual;

	for (unsigned int i = 0; i < STEPS; i++) {
		cartridge_peek(c, &got);
		enum cartridge_result res = cartridge_read(c, buf, sizeof(buf), key, &got);
		if (res == CARTRIDGE_WRONG_KEY)
			res = cartridge_verify(c, &got);
		if (res == CARTRIDGE_EOD)
			break;
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		cartridge_space_blocks(c, counts[i], &residual);
		cartridge_space_filemarks(c, counts[i], &residual);
		cartridge_space_sequential_filemarks(c, counts[i] % 4, &residual);
		cartridge_locate(c, 0, (uint64_t)i * 100);
		cartridge_locate_file(c, 0, i);
		cartridge_position(c, &p);
		require(p.bop == (p.object == 0), "beginning of partition");
	}
}

static void read_attributes(struct cartridge *c)
{
	struct cartridge_attribute a;

	/* The highest identifier that there can be is 17FFh. */
	for (uint16_t id = 0; cartridge_attribute_next(c, 0, id, &a) == CARTRIDGE_OK;) {
		require(a.id >= id && a.len <= sizeof(a.value), "attribute");
		id = (uint16_t)(a.id + 1);
	}
}

/* Writes two blocks and a filemark where the tape stands, and finds them again. */
static void write_on(struct cartridge *c, struct cartridge_opening *how)
{
	static const uint8_t block[100] = "what is written comes back";
	const struct cartridge_write_how plain = { .compress = false };
	struct iovec iov = { (void *)(uintptr_t)block, sizeof(block) };
	struct cartridge_position p;
	struct cartridge_block got;
	uint8_t buf[100];
	uint64_t marks;
	size_t done;

	cartridge_position(c, &p);
	bool ok = !cartridge_write(c, &iov, 1, 50, 2, &plain, &done) &&
		  !cartridge_write_filemarks(c, 1, &marks) && !cartridge_sync(c);
	require(!cartridge_close(c), "close");
	if (!ok)
		return;
	require(!cartridge_open(path, how, &c), "open again");
	require(!cartridge_locate(c, p.partition, p.object), "locate");
	for (unsigned int i = 0; i < 2; i++) {
		require(!cartridge_read(c, buf, sizeof(buf), NULL, &got), "read");
		require(got.length == 50 && !memcmp(buf, block + 50 * i, 50), "data");
	}
	require(cartridge_read(c, buf, sizeof(buf), NULL, &got) == CARTRIDGE_FILEMARK, "filemark");
	require(cartridge_read(c, buf, sizeof(buf), NULL, &got) == CARTRIDGE_EOD, "end of data");
	require(!cartridge_close(c), "close");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cartridge_key key = { .key = "fuzz" };
	uint8_t flags = size ? data[0] : 0;
	struct cartridge_opening how = { .read_only = flags & READ_ONLY, .drive = "FUZZ    1" };
	struct cartridge *c;

	if (!size)
		return 0;
	if (flags & LABEL) {
		put_label(data + 1, size - 1, flags);
	} else {
		require(!label_save(dir, &label), "label");
		if (flags & HEADER)
			unlinkat(dir, "label", 0);
		put_log(data + 1, size - 1, flags);
	}
	if (cartridge_open(path, &how, &c))
		return 0;
	use(c, &key);
	read_attributes(c);
	write_on(c, &how);
	return 0;
}
