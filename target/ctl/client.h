/* SPDX-License-Identifier: BSD-2-Clause */
/* One request to the server, over its management socket. */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <jansson.h>

enum client_result {
	CLIENT_DONE,        /* the server did it: status 2xx */
	CLIENT_REFUSED,     /* the server said no */
	CLIENT_UNREACHABLE, /* no server, no permission, or not our server */
};

struct client_answer {
	enum client_result result;
	long status;   /* of HTTP; 0: there was none */
	json_t *body;  /* NULL: there was none, or it was not JSON; json_decref() it */
	char why[512]; /* a sentence, unless CLIENT_DONE */
};

#define CLIENT_ANSWER_MAX ((size_t)256 << 20) /* bytes of a body that we take */

/* Has jansson and libcurl overwrite what they free, as it may be secrets. Before any other use of them,
 * once. */
void client_scrub(void);

/* Asks, and waits for the answer. `body` may be NULL: none. */
void client_ask(const char *socket, const char *method, const char *path, const json_t *body,
	struct client_answer *out);

#endif
