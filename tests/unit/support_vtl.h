/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of cartridges share: a directory, a cartridge in it, blocks that tell which they
 * are, and the bytes of its files. Everything that starts with vtl_ asserts that it worked.
 */
#ifndef TESTS_SUPPORT_VTL_H
#define TESTS_SUPPORT_VTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtl/cartridge.h"
#include "vtl/drive.h"

#define VTL_MIB ((uint64_t)1 << 20)

struct vtl {
	char dir[64];        /* made for the test, removed after it */
	char path[80];       /* the cartridge in it */
	struct cartridge *c; /* NULL while it is closed */
};

/* For cmocka. The setup makes no cartridge. */
int vtl_setup(void **state);
int vtl_teardown(void **state);

/* A blank LTO-6 cartridge of so many bytes, open. */
void vtl_new(struct vtl *v, uint64_t capacity);
void vtl_new_from(struct vtl *v, struct cartridge_cfg cfg);
void vtl_open(struct vtl *v);
void vtl_close(struct vtl *v);
void vtl_reopen(struct vtl *v);
/* Lets go of it as a process does that is killed: nothing is synced, nothing is saved. */
void vtl_drop(struct vtl *v);

/* Bytes that tell their seed and place. */
void vtl_fill(void *buf, size_t len, uint64_t seed);

/* Writes a block, plain or as told. */
void vtl_write(struct vtl *v, size_t len, uint64_t seed);
void vtl_write_how(struct vtl *v, size_t len, uint64_t seed, struct cartridge_write_how how);
enum cartridge_result vtl_try_write(struct vtl *v, size_t len, uint64_t seed);
void vtl_marks(struct vtl *v, uint64_t n);
void vtl_sync(struct vtl *v);

/* Reads the next object, which has to be this block, or no block but this. */
void vtl_expect(struct vtl *v, size_t len, uint64_t seed);
void vtl_expect_key(struct vtl *v, size_t len, uint64_t seed, const struct cartridge_key *key);
void vtl_expect_no_block(struct vtl *v, enum cartridge_result res);

/* Whether the tape stands there. */
void vtl_at(struct vtl *v, uint64_t object, uint64_t file);
void vtl_go(struct vtl *v, uint64_t object);
uint64_t vtl_objects(struct vtl *v);

/* Whether a drive has a cartridge that can be read and written. */
bool vtl_loaded(struct drive *d);

/* A file of the closed cartridge: its bytes, to be freed; and new bytes for it. */
uint8_t *vtl_file(struct vtl *v, const char *name, size_t *len);
void vtl_put_file(struct vtl *v, const char *name, const uint8_t *bytes, size_t len);
/* Turns over bits of one byte. */
void vtl_flip(struct vtl *v, const char *name, size_t off, uint8_t bits);

#endif
