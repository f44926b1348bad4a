/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refusals that evhttp makes itself, of a request that is too large or is none at all. It writes a
 * page of HTML into what goes out, which no client of these APIs can read; and what it knows of the
 * request by then does not tell which of them is spoken. So the page is replaced by a body that each
 * of them understands, before anything of it is sent.
 */
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "mgmt/http_private.h"
#include "net/addr.h"

static const char page[] = "<HTML>";

struct words {
	int status;
	const char *reason; /* of the status line */
	const char *type;   /* of the Storage Gateway dialect */
	const char *code, *message;
};

static const struct words *words_of(int status)
{
	static const struct words all[] = {
		{ HTTP_ENTITYTOOLARGE, "Content Too Large", "RequestEntityTooLargeException",
			"too_large", "a request has at most 1 MiB of body" },
		{ HTTP_EXPECTATIONFAILED, "Expectation Failed", "MalformedHttpRequestException",
			"bad_request", "nothing but 100-continue can be expected" },
		{ HTTP_NOTIMPLEMENTED, "Not Implemented", "MalformedHttpRequestException",
			"bad_request", "there is no such method" },
		{ HTTP_SERVUNAVAIL, "Service Unavailable", "ServiceUnavailableError", "unavailable",
			"out of memory" },
		{ HTTP_BADREQUEST, "Bad Request", "MalformedHttpRequestException", "bad_request",
			"this is no request of HTTP/1.1, or one of more than 16 KiB of headers" },
	};
	size_t i = 0;

	while (i < sizeof(all) / sizeof(all[0]) - 1 && all[i].status != status)
		i++;
	return &all[i];
}

/* So many bytes at a place. libevent lets nobody copy what it is about to send, but look at it. */
static bool look(struct evbuffer *out, size_t at, char *to, size_t n)
{
	struct evbuffer_iovec piece;
	struct evbuffer_ptr from;

	if (evbuffer_ptr_set(out, &from, at, EVBUFFER_PTR_SET) ||
		evbuffer_peek(out, (ev_ssize_t)n, &from, &piece, 1) < 1 || piece.iov_len < n)
		return false;
	memcpy(to, piece.iov_base, n);
	return true;
}

/* Of the answer whose head is there; 0: there is none. */
static int status_at(struct evbuffer *out, size_t at)
{
	char head[sizeof("HTTP/1.1 413")] = "";
	int status = 0;

	if (look(out, at, head, sizeof(head) - 1))
		sscanf(head, "HTTP/1.%*1d %3d", &status);
	return status;
}

/* Of the answer that goes out, also where the client was asked to go on and that is still there. */
static int status_of(struct evbuffer *out)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	int status = status_at(out, 0);

	return status == 100 ? status_at(out, sizeof(go_on) - 1) : status;
}

static bool is_page(struct evbuffer *out, size_t at)
{
	char begin[sizeof(page)] = "";

	return look(out, at, begin, sizeof(begin) - 1) && !strcmp(begin, page);
}

/* Something has been added to what goes out; a body comes as a whole, behind its head. */
static void on_added(struct evbuffer *out, const struct evbuffer_cb_info *info, void *bev)
{
	const struct words *w;
	struct addr_text text;
	struct addr peer;
	char body[256];
	int status;

	if (!info->n_added || !is_page(out, info->orig_size) || !(status = status_of(out)))
		return;
	w = words_of(status);
	snprintf(body, sizeof(body),
		"{\"__type\":\"%s\",\"message\":\"%s\","
		"\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n",
		w->type, w->message, w->code, w->message);
	addr_peer(&peer, bufferevent_getfd(bev));
	log_msg(LOG_NOTICE, "management: refused: %s: %s", addr_text(&peer, &text), w->message);
	evbuffer_unfreeze(out, 1); /* until libevent has sent it */
	evbuffer_drain(out, evbuffer_get_length(out));
	evbuffer_add_printf(out,
		"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nConnection: close\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		status, w->reason, strlen(body), body);
}

void http_page_replace(struct bufferevent *bev)
{
	evbuffer_add_cb(bufferevent_get_output(bev), on_added, bev);
}
