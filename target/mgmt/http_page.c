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

#include "mgmt/http_private.h"

static const char page[] = "<HTML>";

struct words {
	int status;
	const char *type; /* of the Storage Gateway dialect */
	const char *code, *message;
};

static const struct words *words_of(int status)
{
	static const struct words all[] = {
		{ HTTP_ENTITYTOOLARGE, "RequestEntityTooLargeException", "too_large",
			"a request has at most 1 MiB of body" },
		{ HTTP_EXPECTATIONFAILED, "MalformedHttpRequestException", "bad_request",
			"nothing but 100-continue can be expected" },
		{ HTTP_NOTIMPLEMENTED, "MalformedHttpRequestException", "bad_request",
			"there is no such method" },
		{ HTTP_SERVUNAVAIL, "ServiceUnavailableError", "unavailable", "out of memory" },
		{ HTTP_BADREQUEST, "MalformedHttpRequestException", "bad_request",
			"this is no request of HTTP/1.1, or one of more than 16 KiB of headers" },
	};
	size_t i = 0;

	while (i < sizeof(all) / sizeof(all[0]) - 1 && all[i].status != status)
		i++;
	return &all[i];
}

/* The answer whose head is in the buffer; 0: it is none. */
static int status_in(struct evbuffer *out)
{
	char head[sizeof("HTTP/1.1 413")] = "";
	int status;

	evbuffer_copyout(out, head, sizeof(head) - 1);
	return sscanf(head, "HTTP/1.%*1d %3d", &status) == 1 ? status : 0;
}

static bool is_page(struct evbuffer *out, size_t at)
{
	char begin[sizeof(page)] = "";
	struct evbuffer_ptr from;

	return !evbuffer_ptr_set(out, &from, at, EVBUFFER_PTR_SET) &&
	       evbuffer_copyout_from(out, &from, begin, sizeof(begin) - 1) > 0 &&
	       !strcmp(begin, page);
}

/* Something has been added to what goes out; a body comes as a whole, behind its head. */
static void on_added(struct evbuffer *out, const struct evbuffer_cb_info *info, void *unused)
{
	const struct words *w;
	char body[256];
	int status;

	(void)unused;
	if (!info->n_added || !is_page(out, info->orig_size) || !(status = status_in(out)))
		return;
	w = words_of(status);
	snprintf(body, sizeof(body),
		"{\"__type\":\"%s\",\"message\":\"%s\","
		"\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n",
		w->type, w->message, w->code, w->message);
	evbuffer_drain(out, evbuffer_get_length(out));
	evbuffer_add_printf(out,
		"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nConnection: close\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		status, w->code, strlen(body), body);
}

void http_page_replace(struct bufferevent *bev)
{
	evbuffer_add_cb(bufferevent_get_output(bev), on_added, NULL);
}
