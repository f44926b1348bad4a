/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL with faults, for the tests of chap/: a generator that fails or repeats itself, digests that
 * are refused or break, memory that runs out. To be included once in a test program: it defines
 * functions of libcrypto, and those of a program take precedence over those of a shared library.
 */
#ifndef TESTS_CHAP_FAULTS_H
#define TESTS_CHAP_FAULTS_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static struct {
	bool no_random;         /* RAND_bytes() and RAND_priv_bytes() fail */
	bool constant_random;   /* they succeed, with nothing but zeros */
	unsigned random_fails;  /* the call that fails, counted from 1 down to it; 0: none */
	const char *no_digest;  /* EVP_MD_fetch() refuses this one */
	unsigned broken_digest; /* the EVP_DigestFinal_ex() that fails, counted likewise */
	unsigned broken_update; /* the EVP_DigestUpdate() */
	unsigned digests;       /* counts EVP_DigestFinal_ex() */
	unsigned no_memory;     /* the allocation from which on all fail, counted likewise */
} faults;

static inline void *faults_next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

static inline int faults_random(const char *name, unsigned char *buf, int num)
{
	int (*next)(unsigned char *, int);

	if (faults.no_random || (faults.random_fails && --faults.random_fails == 0))
		return 0;
	if (faults.constant_random) {
		memset(buf, 0, (size_t)num);
		return 1;
	}
	*(void **)&next = faults_next(name);
	return next(buf, num);
}

int RAND_bytes(unsigned char *buf, int num)
{
	return faults_random("RAND_bytes", buf, num);
}

int RAND_priv_bytes(unsigned char *buf, int num)
{
	return faults_random("RAND_priv_bytes", buf, num);
}

EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *ctx, const char *algorithm, const char *properties)
{
	EVP_MD *(*next)(OSSL_LIB_CTX *, const char *, const char *);

	if (faults.no_digest && strcmp(faults.no_digest, algorithm) == 0)
		return NULL;
	*(void **)&next = faults_next("EVP_MD_fetch");
	return next(ctx, algorithm, properties);
}

int EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *md, unsigned int *s)
{
	int (*next)(EVP_MD_CTX *, unsigned char *, unsigned int *);

	faults.digests++;
	if (faults.broken_digest && --faults.broken_digest == 0)
		return 0;
	*(void **)&next = faults_next("EVP_DigestFinal_ex");
	return next(ctx, md, s);
}

int EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t n)
{
	int (*next)(EVP_MD_CTX *, const void *, size_t);

	if (faults.broken_update && --faults.broken_update == 0)
		return 0;
	*(void **)&next = faults_next("EVP_DigestUpdate");
	return next(ctx, data, n);
}

static inline bool faults_allow(void)
{
	if (faults.no_memory > 1)
		faults.no_memory--;
	else if (faults.no_memory == 1)
		return false;
	return true;
}

static inline void *faults_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return faults_allow() ? malloc(n) : NULL;
}

static inline void *faults_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return faults_allow() ? realloc(p, n) : NULL;
}

static inline void faults_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Before anything else of OpenSSL is called, or memory never runs out. */
static inline void faults_install(void)
{
	if (!CRYPTO_set_mem_functions(faults_malloc, faults_realloc, faults_free))
		abort();
}

static inline void faults_clear(void)
{
	memset(&faults, 0, sizeof(faults));
}

#endif
