/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a configuration: a list of "FILE:LINE: text", gathered to the end rather
 * than stopped at the first. A text says what is wrong and what would be right, and quotes what
 * the file says, but never a secret.
 */
#ifndef CONFIG_FAULTS_H
#define CONFIG_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct fault {
	char *file;
	int line; /* 0: the file as a whole */
	char *text;
};

/* Begins as { 0 }; belongs to one thread. */
struct faults {
	struct fault *v;
	size_t n;
	bool out_of_memory; /* a fault was found but could not be kept */
};

/* Copies its arguments. Control characters that the file smuggled in come out as '?'. */
void faults_add(struct faults *faults, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* By file, the one named first foremost, then by line; faults of one line keep their order. */
void faults_sort(struct faults *faults, const char *first_file);

/* One line per fault. */
void faults_print(const struct faults *faults, FILE *out);

/* Leaves an empty list. */
void faults_free(struct faults *faults);

#endif
