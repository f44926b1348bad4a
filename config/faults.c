/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of faults: see faults.h. */
#include "config/faults.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A fault is one line on a terminal, whatever the file held. */
static void make_printable(char *text)
{
	for (char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
}

static bool grow(struct faults *faults)
{
	struct fault *v;

	if (faults->n & (faults->n - 1)) /* room up to the next power of two */
		return true;
	v = reallocarray(faults->v, faults->n ? faults->n * 2 : 1, sizeof(*v));
	if (v)
		faults->v = v;
	return v != NULL;
}

void faults_add(struct faults *faults, const char *file, int line, const char *format, ...)
{
	struct fault fault = { .line = line };
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&fault.text, format, ap) < 0)
		fault.text = NULL;
	va_end(ap);
	fault.file = strdup(file);
	if (!fault.file || !fault.text || !grow(faults)) {
		free(fault.file);
		free(fault.text);
		faults->out_of_memory = true;
		return;
	}
	make_printable(fault.text);
	faults->v[faults->n++] = fault;
}

static int order(const struct fault *a, const struct fault *b, const char *first_file)
{
	int by_file = strcmp(a->file, b->file);

	if (!by_file)
		return a->line - b->line;
	if (!strcmp(a->file, first_file))
		return -1;
	return strcmp(b->file, first_file) ? by_file : 1;
}

/* By merging, since qsort() does not keep the order of equals. */
static void merge(struct fault *v, size_t n, struct fault *spare, const char *first_file)
{
	size_t half = n / 2;
	size_t i = 0, j = half, k = 0;

	if (n < 2)
		return;
	merge(v, half, spare, first_file);
	merge(v + half, n - half, spare, first_file);
	while (i < half && j < n)
		spare[k++] = order(&v[j], &v[i], first_file) < 0 ? v[j++] : v[i++];
	memcpy(spare + k, v + i, (half - i) * sizeof(*v));
	memcpy(v, spare, (k + half - i) * sizeof(*v));
}

void faults_sort(struct faults *faults, const char *first_file)
{
	struct fault *spare = calloc(faults->n + 1, sizeof(*spare));

	if (spare)
		merge(faults->v, faults->n, spare, first_file);
	free(spare);
}

void faults_print(const struct faults *faults, FILE *out)
{
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *f = &faults->v[i];

		if (f->line)
			fprintf(out, "%s:%d: %s\n", f->file, f->line, f->text);
		else
			fprintf(out, "%s: %s\n", f->file, f->text);
	}
	if (faults->out_of_memory)
		fputs("out of memory: the list of faults is not complete\n", out);
}

void faults_free(struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++) {
		free(faults->v[i].file);
		free(faults->v[i].text);
	}
	free(faults->v);
	*faults = (struct faults){ 0 };
}
