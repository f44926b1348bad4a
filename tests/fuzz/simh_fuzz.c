/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Anything at all as a SIMH image. What could be imported is exported and imported once more, onto
 * another cartridge, and is the same there.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "vtl/simh.h"

#define CAPACITY (4u * CARTRIDGE_CAPACITY_MIN)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char dir[64];
static struct cartridge *tape[2];

static void must(bool truth)
{
	if (!truth)
		abort();
}

static void clean_up(void)
{
	char command[96];

	for (unsigned i = 0; i < 2; i++)
		cartridge_close(tape[i]);
	snprintf(command, sizeof(command), "rm -rf %.63s", dir);
	if (system(command))
		fprintf(stderr, "%s: cannot be removed\n", dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct cartridge_cfg cfg = { .barcode = "FUZZ01", .media = media_generation(6),
		.capacity = CAPACITY };
	const struct cartridge_opening how = { .drive = NULL };
	char path[80];

	(void)argc;
	(void)argv;
	log_setup(LOG_TO_STDERR, -1);
	snprintf(dir, sizeof(dir), "%s/simh-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	must(mkdtemp(dir));
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%u", dir, i);
		must(!cartridge_create(path, &cfg));
		must(!cartridge_open(path, &how, &tape[i]));
	}
	atexit(clean_up);
	return 0;
}

static enum cartridge_result import(struct cartridge *c, int fd, struct simh_report *out)
{
	const struct cartridge_write_how plain = { .compress = false };

	must(!cartridge_rewind(c) && !cartridge_erase(c));
	must(!lseek(fd, 0, SEEK_SET));
	return simh_import(c, fd, &plain, out);
}

/* The next object of both. */
static enum cartridge_result next(uint8_t *a, uint8_t *b, size_t size)
{
	struct cartridge_block x, y;
	enum cartridge_result r = cartridge_read(tape[0], a, size, NULL, &x);

	must(cartridge_read(tape[1], b, size, NULL, &y) == r);
	must(r == CARTRIDGE_OK || r == CARTRIDGE_FILEMARK || r == CARTRIDGE_EOD);
	must(r != CARTRIDGE_OK || (x.length == y.length && !memcmp(a, b, x.length)));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t a[CAPACITY], b[CAPACITY];
	struct simh_report in, out, again;
	int image = memfd_create("image", MFD_CLOEXEC), copy = memfd_create("copy", MFD_CLOEXEC);

	must(image >= 0 && copy >= 0 && write(image, data, size) == (ssize_t)size);
	import(tape[0], image, &in);
	must(simh_export(tape[0], copy, NULL, &out) == CARTRIDGE_OK);
	must(out.blocks == in.blocks && out.filemarks == in.filemarks && !out.bad);
	must(import(tape[1], copy, &again) == CARTRIDGE_OK);
	must(again.blocks == in.blocks && again.filemarks == in.filemarks);
	must(!cartridge_rewind(tape[0]) && !cartridge_rewind(tape[1]));
	while (next(a, b, sizeof(a)) != CARTRIDGE_EOD)
		;
	close(image);
	close(copy);
	return 0;
}
