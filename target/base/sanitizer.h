/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a sanitizer watches this build, which gcc and clang tell in different ways: WITH_ASAN for
 * AddressSanitizer, WITH_SANITIZER for any that watches memory. Not defined otherwise.
 */
#ifndef BASE_SANITIZER_H
#define BASE_SANITIZER_H

#ifdef __has_feature
#define SANITIZER_IS(feature) __has_feature(feature)
#else
#define SANITIZER_IS(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || SANITIZER_IS(address_sanitizer)
#define WITH_ASAN 1
#endif

#if defined(WITH_ASAN) || defined(__SANITIZE_THREAD__) || SANITIZER_IS(thread_sanitizer) || \
	SANITIZER_IS(memory_sanitizer)
#define WITH_SANITIZER 1
#endif

#endif
