/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies past the cache (cold.h): non-temporal stores for the whole lines of the
 * destination, memcpy() for what is left at both ends. Such stores are not ordered
 * with others, so a fence ends them.
 */
#include "base/cold.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/sanitizer.h"

/* A sanitizer watches memcpy(), and not these stores. */
#if defined(__x86_64__) && !defined(WITH_SANITIZER)

#include <immintrin.h>

#define LINE ((size_t)64)

/* A line in one store. Processors with VBMI2 do not slow down for wide registers, as the first ones
 * with AVX-512 did. */
static bool has_wide(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vbmi2");
}

__attribute__((target("avx512f"))) static void copy_wide(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t at = 0; at < n; at += LINE)
		_mm512_stream_si512((__m512i *)(void *)(to + at), _mm512_loadu_si512(from + at));
}

static void copy_16(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t at = 0; at < n; at += 16)
		_mm_stream_si128((__m128i *)(void *)(to + at),
			_mm_loadu_si128((const __m128i *)(const void *)(from + at)));
}

void cold_copy(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;
	size_t head = -(uintptr_t)to % LINE, lines;

	if (n < COLD_MIN) {
		memcpy(to, from, n);
		return;
	}
	lines = (n - head) / LINE * LINE;
	memcpy(t, f, head);
	if (has_wide())
		copy_wide(t + head, f + head, lines);
	else
		copy_16(t + head, f + head, lines);
	memcpy(t + head + lines, f + head + lines, n - head - lines);
	_mm_sfence();
}

#else

void cold_copy(void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
}

#endif
