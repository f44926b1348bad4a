/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns. */
#include "ctl/grid.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/scrub.h"

#define COLUMNS_MAX 16

struct grid {
	size_t columns;
	const char *title[COLUMNS_MAX];
	bool right[COLUMNS_MAX];
	int width[COLUMNS_MAX];
	char **cell;
	size_t n;
	bool failed;
};

/* --- text ----------------------------------------------------------------------------------- */

/* What the first byte of a UTF-8 sequence says of its length; 0: it cannot be one. */
static size_t sequence(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Length of the sequence at p that is fit to print; 0: it is not. */
static size_t fit(const unsigned char *p)
{
	size_t n = sequence(p[0]);

	if (n == 0 || p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* A copy that is fit to print; *width is how many characters it has. */
static char *clean(const char *text, int *width)
{
	const unsigned char *p = (const unsigned char *)text;
	char *copy = malloc(strlen(text) + 1), *to = copy;

	*width = 0;
	if (!copy)
		return NULL;
	while (*p) {
		size_t n = fit(p);

		if (n) {
			memcpy(to, p, n);
		} else {
			*to = '?';
			n = 1;
		}
		to += n;
		p += n;
		++*width;
	}
	*to = '\0';
	return copy;
}

void grid_puts(const char *text, FILE *to)
{
	int width;
	char *copy = clean(text, &width);

	if (copy)
		fputs(copy, to);
	scrub_free(copy);
}

const char *grid_size(uint64_t bytes, struct grid_text *out)
{
	static const char unit[] = "KMGTPE";
	double n = (double)bytes / 1024;
	size_t u = 0;

	if (bytes < 1024) {
		snprintf(out->text, sizeof(out->text), bytes ? "%" PRIu64 " bytes" : "%" PRIu64,
			bytes);
		return out->text;
	}
	/* 1023.95 would be printed as 1024.0. */
	while (n >= 1023.95 && u < sizeof(unit) - 2) {
		n /= 1024;
		u++;
	}
	snprintf(out->text, sizeof(out->text), "%.1f %ciB", n, unit[u]);
	return out->text;
}

const char *grid_time(uint64_t ms, struct grid_text *out)
{
	uint64_t s = ms / 1000;

	if (s < 60)
		snprintf(out->text, sizeof(out->text), "%" PRIu64 " s", s);
	else if (s < 3600)
		snprintf(out->text, sizeof(out->text), "%" PRIu64 " min %" PRIu64 " s", s / 60,
			s % 60);
	else if (s < 86400)
		snprintf(out->text, sizeof(out->text), "%" PRIu64 " h %" PRIu64 " min", s / 3600,
			s % 3600 / 60);
	else
		snprintf(out->text, sizeof(out->text), "%" PRIu64 " d %" PRIu64 " h", s / 86400,
			s % 86400 / 3600);
	return out->text;
}

const char *grid_number(uint64_t n, struct grid_text *out)
{
	snprintf(out->text, sizeof(out->text), "%" PRIu64, n);
	return out->text;
}

/* --- columns -------------------------------------------------------------------------------- */

struct grid *grid_new(const char *const *titles)
{
	struct grid *g = calloc(1, sizeof(*g));

	for (; g && g->columns < COLUMNS_MAX && titles[g->columns]; g->columns++) {
		const char *t = titles[g->columns];

		g->right[g->columns] = *t == '>';
		g->title[g->columns] = *t == '>' ? t + 1 : t;
		g->width[g->columns] = (int)strlen(g->title[g->columns]);
	}
	return g;
}

void grid_add(struct grid *g, const char *text)
{
	char **grown;
	int width;

	if (!g || g->failed || !g->columns)
		return;
	if (!(g->n & (g->n - 1))) {
		grown = reallocarray(g->cell, g->n ? g->n * 2 : 1, sizeof(*g->cell));
		g->failed = !grown;
		if (!grown)
			return;
		g->cell = grown;
	}
	g->cell[g->n] = clean(text ? text : "-", &width);
	g->failed = !g->cell[g->n];
	if (g->failed)
		return;
	if (width > g->width[g->n % g->columns])
		g->width[g->n % g->columns] = width;
	g->n++;
}

/* Characters, not bytes, are what stands in a column. */
static int width_of(const char *clean_text)
{
	int n = 0;

	for (; *clean_text; clean_text++)
		n += (*clean_text & 0xc0) != 0x80;
	return n;
}

static void print_cell(const struct grid *g, size_t column, const char *text, FILE *to)
{
	bool last = column == g->columns - 1;
	int pad = g->width[column] - width_of(text);

	if (g->right[column])
		fprintf(to, "%*s%s", pad, "", text);
	else
		fprintf(to, "%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", to);
}

bool grid_print(const struct grid *g, const char *nothing, FILE *to)
{
	if (!g || g->failed || !g->columns)
		return false;
	if (!g->n) {
		fprintf(to, "%s\n", nothing);
		return true;
	}
	for (size_t i = 0; i < g->columns; i++)
		print_cell(g, i, g->title[i], to);
	for (size_t i = 0; i < g->n; i++)
		print_cell(g, i % g->columns, g->cell[i], to);
	return true;
}

void grid_free(struct grid *g)
{
	for (size_t i = 0; g && i < g->n; i++)
		free(g->cell[i]);
	if (g)
		free(g->cell);
	free(g);
}
