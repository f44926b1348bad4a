/* SPDX-License-Identifier: BSD-2-Clause */
/* The request, by libcurl. */
#include "ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scrub.h"
#include "base/unixname.h"

#define CONNECT_SECONDS 10L
#define ANSWER_SECONDS  300L

struct buffer {
	char *p;
	size_t len, room;
};

static bool make_room(struct buffer *b, size_t len)
{
	size_t room = b->room ? b->room : 4096;
	char *grown = b->p;

	if (len > CLIENT_ANSWER_MAX - b->len)
		return false;
	while (room < b->len + len)
		room *= 2;
	if (room > b->room)
		grown = scrub_realloc(b->p, room);
	if (!grown)
		return false;
	b->p = grown;
	b->room = room;
	return true;
}

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
	struct buffer *b = arg;
	size_t len = size * n;

	if (!make_room(b, len))
		return 0; /* curl gives up */
	memcpy(b->p + b->len, p, len);
	b->len += len;
	return len;
}

static void unreachable(struct client_answer *out, const char *socket, const char *what)
{
	out->result = CLIENT_UNREACHABLE;
	snprintf(out->why, sizeof(out->why), "%s: %s", socket, what);
}

/* Why a connection failed, as far as looking again tells. */
static void say_unconnected(struct client_answer *out, const char *socket, long err)
{
	struct stat st;

	if (stat(socket, &st))
		err = errno;
	else if (!S_ISSOCK(st.st_mode))
		err = ENOTSOCK;
	switch (err) {
	case ENOENT:
		unreachable(out, socket,
			"there is no such socket; is countersignd running? -s says "
			"where its socket is");
		break;
	case EACCES:
		unreachable(out, socket,
			"no permission; root and the server's user have it, and "
			"whom socket_users and socket_mode let in");
		break;
	case ENOTSOCK: unreachable(out, socket, "not a socket"); break;
	case ECONNREFUSED:
		unreachable(out, socket, "nobody answers; countersignd is not running");
		break;
	default: unreachable(out, socket, err ? strerror((int)err) : "cannot connect");
	}
}

/* The server's own sentence, wherever it has one. */
static void say_refused(struct client_answer *out)
{
	const json_t *error = json_object_get(out->body, "error");
	const char *text = json_string_value(json_object_get(error, "message"));

	out->result = CLIENT_REFUSED;
	if (text)
		snprintf(out->why, sizeof(out->why), "%s", text);
	else
		snprintf(out->why, sizeof(out->why), "the server refused (HTTP status %ld)",
			out->status);
}

static void set_options(
	CURL *curl, const char *socket, const char *method, const char *url, struct buffer *answer)
{
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_SECONDS);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

/* The body to send, if any: a POST always has one, if an empty one. */
static struct curl_slist *set_body(CURL *curl, const char *method, const char *text)
{
	if (!text && strcmp(method, "POST") != 0)
		return NULL;
	curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, text ? text : "");
	return curl_slist_append(NULL, "Content-Type: application/json");
}

static void judge(CURL *curl, CURLcode code, const char *socket, const struct buffer *answer,
	struct client_answer *out)
{
	long err = 0;

	if (code == CURLE_COULDNT_CONNECT) {
		curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &err);
		say_unconnected(out, socket, err);
		return;
	}
	if (code != CURLE_OK) {
		unreachable(out, socket, curl_easy_strerror(code));
		return;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
	if (answer->p)
		out->body = json_loadb(answer->p, answer->len, 0, NULL);
	if (!out->body)
		unreachable(out, socket, "what answers there is not countersignd");
	else if (out->status / 100 == 2)
		out->result = CLIENT_DONE;
	else
		say_refused(out);
}

void client_scrub(void)
{
	json_set_alloc_funcs(malloc, scrub_free);
	curl_global_init_mem(CURL_GLOBAL_ALL, malloc, scrub_free, scrub_realloc, strdup, calloc);
}

void client_ask(const char *socket, const char *method, const char *path, const json_t *body,
	struct client_answer *out)
{
	CURL *curl = curl_easy_init();
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct curl_slist *head = NULL;
	struct buffer answer = { 0 };
	struct unixname name;
	char url[2048];
	int err = unixname_open(socket, &name);

	*out = (struct client_answer){ .result = CLIENT_UNREACHABLE };
	if (err) {
		say_unconnected(out, socket, -err);
		goto out;
	}
	if (!curl || (body && !text)) {
		snprintf(out->why, sizeof(out->why), "out of memory");
		goto out;
	}
	snprintf(url, sizeof(url), "http://countersign%s", path);
	set_options(curl, name.addr.sun_path, method, url, &answer);
	head = set_body(curl, method, text);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, head);
	judge(curl, curl_easy_perform(curl), socket, &answer, out);
out:
	curl_slist_free_all(head);
	curl_easy_cleanup(curl);
	unixname_close(&name);
	scrub_free(answer.p);
	scrub_free(text);
}
