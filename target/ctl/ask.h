/* SPDX-License-Identifier: BSD-2-Clause */
/* What all commands do: ask the server, print what it says, say why it refused. */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include <jansson.h>
#include <stdint.h>

#include "ctl/command.h"
#include "ctl/grid.h"

#define ASK_PATH_MAX 2048

/* Asks, and prints the answer where it is not to be read by people, or is a refusal. `in` may be
 * NULL: no body. On EXIT_DONE *body is the caller's to print, if it is not NULL, and to
 * json_decref(). */
enum exit_status ask_server(const struct session *s, const char *method, const char *path,
	const json_t *in, json_t **body);

/* Adds text and then a name, which may hold anything and is percent-encoded (RFC 3986 2.1), to a path
 * in a buffer of ASK_PATH_MAX. False: it does not fit. */
bool ask_path(char *path, const char *text, const char *name);

/* Members of what the server said: what an older server does not send is NULL or 0. */
const char *ask_text(const json_t *o, const char *name);
uint64_t ask_number(const json_t *o, const char *name);

/* Prints the grid, or `nothing` if it has no row, and frees it. */
enum exit_status ask_print(struct grid *g, const char *nothing);

/* A list that the server gives as the member `name` of its answer, as a grid: add() adds the cells of
 * one entry. */
struct ask_list {
	const char *name;
	const char *const *titles; /* of the grid */
	void (*add)(struct grid *g, const json_t *entry);
	const char *nothing; /* printed when it is empty */
};
enum exit_status ask_list(const struct session *s, const char *path, const struct ask_list *l);

/* One thing that the server gives, for print() to print. */
enum exit_status ask_show(
	const struct session *s, const char *path, void (*print)(const json_t *thing));

/* A line of a title and a text; NULL is "-". */
void ask_line(const char *title, const char *text);

/* A size that somebody has typed. False after a word on what a size is. */
bool ask_size(const char *text, int64_t *out);

/* Says what is wrong with the command line. */
enum exit_status ask_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
