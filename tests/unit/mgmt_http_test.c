/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP for management, over a Unix socket: routing, policy, and calls that outlive a client; and over
 * TCP, where clients are not to be trusted. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt/http.h"
#include "mgmt/patience.h"
#include "net/guard.h"

struct fixture {
	struct loop *loop;
	struct http *http;
	struct sockaddr_un at;
	struct sockaddr_in port; /* or this, on the network */
	struct guard *failures;
	struct patience *patience;
	socklen_t at_len;
	int listener;
	struct http_service service;
	bool closed_door, read_only;
	struct call *pending; /* of GET /t/later */
	char answer[65536];
};

/* --- a dialect to test with ----------------------------------------------------------------- */

static void get_plain(struct call *c)
{
	call_reply(c, 200, json_pack("{s:s}", "who", call_who(c)));
}

static void get_item(struct call *c)
{
	const char *colour = call_query(c, "colour");

	call_reply(c, 200, json_pack("{s:s, s:s?}", "item", call_argument(c, 0), "colour", colour));
}

static void get_later(struct call *c)
{
	struct fixture *f = call_context(c);

	f->pending = c;
}

static void get_nothing(struct call *c)
{
	call_reply(c, 200, NULL);
}

static void post_json(struct call *c)
{
	const char *name = json_string_value(json_object_get(call_json(c), "name"));

	if (name)
		call_reply(c, 201, json_pack("{s:s}", "hello", name));
	else
		call_refuse(c, 400, "no_name", "a %s is missing", "name");
}

static json_t *refusal(int status, const char *code, const char *message)
{
	return json_pack("{s:i, s:s, s:s}", "status", status, "code", code, "message", message);
}

// clang-format off
static const struct route routes[] = {
	{ ROUTE_GET,  "/t/plain",       0,                                get_plain },
	{ ROUTE_GET,  "/t/items/{id}",  0,                                get_item },
	{ ROUTE_GET,  "/t/later",       0,                                get_later },
	{ ROUTE_GET,  "/t/nothing",     0,                                get_nothing },
	{ ROUTE_POST, "/t/json",        ROUTE_CHANGES | ROUTE_WANTS_JSON, post_json },
};
// clang-format on

static const struct dialect dialect = {
	.prefix = "t",
	.content_type = "application/x-test",
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.refusal = refusal,
};

static bool admit(struct call *c)
{
	if (call_header(c, "Authorization")) {
		call_admit(c, "somebody", false);
		return true;
	}
	call_deny(c, 401, json_object());
	return false;
}

static const struct dialect network_dialect = {
	.prefix = "t",
	.content_type = "application/x-test",
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.refusal = refusal,
	.admit = admit,
};

static bool guard(void *arg, int fd, struct http_caller *who)
{
	const struct fixture *f = arg;

	*who = (struct http_caller){ .name = "somebody", .read_only = f->read_only };
	return fd >= 0 && !f->closed_door;
}

/* --- client and server in one thread -------------------------------------------------------- */

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct http_cfg cfg = { .services = &f->service, .n_services = 1, .guard = guard };

	if (!f || loop_create(0, &f->loop))
		return -1;
	/* A name of the kernel's choice in the abstract namespace (unix(7)). */
	f->at.sun_family = AF_UNIX;
	f->at_len = sizeof(f->at);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(f->listener, (const struct sockaddr *)&f->at, sizeof(sa_family_t)) ||
		listen(f->listener, 512) ||
		getsockname(f->listener, (struct sockaddr *)&f->at, &f->at_len))
		return -1;
	cfg.loop = f->loop;
	f->service = (struct http_service){ &dialect, f };
	cfg.guard_arg = f;
	*state = f;
	return http_open(&cfg, f->listener, &f->http);
}

static int begin_network(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct http_cfg cfg = { .services = &f->service, .n_services = 1, .guard = guard };

	if (!f || loop_create(0, &f->loop))
		return -1;
	f->port.sin_family = AF_INET;
	f->port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->at_len = sizeof(f->port);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(f->listener, (const struct sockaddr *)&f->port, f->at_len) ||
		listen(f->listener, 1024) ||
		getsockname(f->listener, (struct sockaddr *)&f->port, &f->at_len))
		return -1;
	cfg.loop = f->loop;
	cfg.failures = f->failures = guard_new(100, 100);
	cfg.patience = f->patience = patience_new();
	f->service = (struct http_service){ &network_dialect, f };
	cfg.guard_arg = f;
	*state = f;
	return f->failures ? http_open(&cfg, f->listener, &f->http) : -1;
}

static int end(void **state)
{
	struct fixture *f = *state;

	http_close(f->http);
	guard_free(f->failures);
	patience_free(f->patience);
	while (loop_step(f->loop))
		;
	loop_free(f->loop);
	close(f->listener);
	free(f);
	return 0;
}

static void step(struct fixture *f, int ms)
{
	poll(NULL, 0, ms);
	loop_step(f->loop);
}

static int call_up(const struct fixture *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&f->at, f->at_len), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Gathers what comes until the stream ends. */
static const char *hear(struct fixture *f, int fd)
{
	size_t len = 0;

	for (int i = 0; i < 5000; i++) {
		ssize_t n = recv(fd, f->answer + len, sizeof(f->answer) - 1 - len, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0)
			len += (size_t)n;
		else
			step(f, 1);
	}
	f->answer[len] = '\0';
	close(fd);
	return f->answer;
}

static const char *ask(struct fixture *f, const char *line, const char *body)
{
	char text[4096];
	int fd = call_up(f);

	snprintf(text, sizeof(text),
		"%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		line, strlen(body), body);
	say(fd, text);
	return hear(f, fd);
}

static void assert_answer(const char *answer, int status, const char *part)
{
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (strncmp(answer, line, strlen(line)) != 0 || !strstr(answer, part))
		fail_msg("not %d with %s, but: %s", status, part, answer);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void a_route_answers_in_the_words_of_its_dialect(void **state)
{
	const char *answer = ask(*state, "GET /t/plain", "");

	assert_answer(answer, 200, "{\"who\":\"somebody\"}");
	assert_non_null(strstr(answer, "Content-Type: application/x-test\r\n"));
	assert_non_null(strstr(answer, "Cache-Control: no-store\r\n"));
}

static void arguments_and_query_are_decoded(void **state)
{
	assert_answer(ask(*state, "GET /t/items/a%2Fb?colour=dark%20red&x=1", ""), 200,
		"{\"item\":\"a/b\",\"colour\":\"dark red\"}");
}

static void a_query_that_is_absent_is_null(void **state)
{
	assert_answer(ask(*state, "GET /t/items/a", ""), 200, "{\"item\":\"a\",\"colour\":null}");
}

static void an_unknown_path_is_refused(void **state)
{
	assert_answer(ask(*state, "GET /t/other", ""), 404, "\"code\":\"not_found\"");
	assert_answer(ask(*state, "GET /elsewhere", ""), 404, "\"code\":\"not_found\"");
}

static void a_wrong_method_is_refused_and_the_right_one_told(void **state)
{
	const char *answer = ask(*state, "DELETE /t/plain", "");

	assert_answer(answer, 405, "\"code\":\"method_not_allowed\"");
	assert_non_null(strstr(answer, "Allow: GET\r\n"));
	assert_answer(ask(*state, "HEAD /t/plain", ""), 405, "Allow: GET\r\n");
}

static void a_body_is_parsed_where_a_route_wants_it(void **state)
{
	assert_answer(
		ask(*state, "POST /t/json", "{\"name\": \"Eve\"}"), 201, "{\"hello\":\"Eve\"}");
	assert_answer(ask(*state, "POST /t/json", "{}"), 400, "a name is missing");
}

static void a_body_that_is_no_object_is_refused_without_quoting_it(void **state)
{
	static const struct {
		const char *body, *said;
	} cases[] = {
		{ "", "the body is missing" },
		{ "{", "the body is not JSON: line 1, column 1" },
		{ "[1]", "the body must be a JSON object" },
		{ "\"canary\"", "the body is not JSON: line 1, column 8" },
		{ "{\"a\": canary}", "the body is not JSON: line 1, column 12" },
		{ "{\"canary\": 1, \"canary\": 2}", "the body has a member twice: line 1" },
		{ "{} {}", "the body is not JSON: line 1, column 4" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *answer = ask(*state, "POST /t/json", cases[i].body);

		assert_answer(answer, 400, "\"code\":\"bad_json\"");
		assert_non_null(strstr(answer, cases[i].said));
		assert_null(strstr(answer, "canary"));
	}
}

/* The answer to a POST whose head has these lines, too. */
static const char *post_with(struct fixture *f, const char *lines)
{
	char text[256];
	int fd = call_up(f);

	snprintf(text, sizeof(text), "POST /t/json HTTP/1.1\r\n%s\r\n{\"name\":\"Eve\"}", lines);
	say(fd, text);
	return hear(f, fd);
}

static void a_body_whose_length_is_told_twice_is_refused(void **state)
{
	assert_answer(
		post_with(*state, "Host: x\r\nContent-Length: 13\r\nContent-Length: 2\r\n"), 400,
		"told twice");
	assert_answer(
		post_with(*state, "Host: x\r\nContent-Length: 13\r\ncontent-length: 13\r\n"), 400,
		"told twice");
}

/* A proxy would read these in another way, or in none. */
static void a_head_that_can_be_read_in_two_ways_is_refused(void **state)
{
	assert_answer(post_with(*state, "Host: x\r\nContent-Length : 14\r\n"), 400, "malformed");
	assert_answer(post_with(*state, "Host: x\r\nContent Length: 14\r\n"), 400, "malformed");
	assert_answer(post_with(*state, "Host: x\r\nContent-Length: +14\r\n"), 400, "no number");
	assert_answer(
		post_with(*state, "Host: x\r\nTransfer-Encoding: xchunked\r\n"), 400, "coding");
	assert_answer(
		post_with(*state, "Host: x\r\nTransfer-Encoding: \vchunked\r\n"), 400, "coding");
	assert_answer(post_with(*state, "Host: x\r\nHost: y\r\nContent-Length: 14\r\n"), 400,
		"told twice");
}

static const char *post_in_chunks(struct fixture *f, const char *coding)
{
	char text[256];
	int fd = call_up(f);

	snprintf(text, sizeof(text),
		"POST /t/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: %s\r\n"
		"\r\n6\r\n{\"name\r\n8\r\n\":\"Eve\"}\r\n0\r\n\r\n",
		coding);
	say(fd, text);
	return hear(f, fd);
}

static void a_body_in_chunks_is_taken(void **state)
{
	assert_answer(post_in_chunks(*state, "Chunked"), 201, "{\"hello\":\"Eve\"}");
	assert_answer(post_in_chunks(*state, "gzip, chunked"), 400, "coding");
}

static void the_answer_to_head_has_no_body(void **state)
{
	const char *answer = ask(*state, "HEAD /t/plain", "");

	assert_answer(answer, 405, "\r\n\r\n");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void a_caller_who_may_not_change_reads_only(void **state)
{
	struct fixture *f = *state;

	f->read_only = true;
	assert_answer(ask(f, "GET /t/plain", ""), 200, "somebody");
	assert_answer(ask(f, "POST /t/json", "{\"name\": \"Eve\"}"), 403, "\"code\":\"read_only\"");
}

static void a_caller_who_may_not_enter_learns_nothing_else(void **state)
{
	struct fixture *f = *state;

	f->closed_door = true;
	assert_answer(ask(f, "GET /t/plain", ""), 403, "\"code\":\"forbidden\"");
	assert_answer(ask(f, "GET /t/other", ""), 403, "\"code\":\"forbidden\"");
}

static void an_answer_that_could_not_be_made_is_a_500(void **state)
{
	const char *answer = ask(*state, "GET /t/nothing", "");

	assert_answer(answer, 500, "\"__type\":\"InternalServerError\"");
	assert_answer(answer, 500, "\"error\":{\"code\":\"internal\",\"message\":\"out of memory\"}");
}

static void what_is_no_request_is_refused_in_json(void **state)
{
	const char *answer = ask(*state, "BREW /t/coffee", "");

	assert_answer(answer, 501, "\"error\":{\"code\":\"bad_request\"");
	assert_non_null(strstr(answer, " 501 Not Implemented\r\n"));
	assert_non_null(strstr(answer, "Content-Type: application/json\r\n"));
	assert_null(strstr(answer, "HTML"));
}

static void so_it_is_behind_others_that_were_answered(void **state)
{
	struct fixture *f = *state;
	int fd = call_up(f);
	const char *answer;

	say(fd, "GET /t/plain HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 1000 && recv(fd, f->answer, sizeof(f->answer), 0) <= 0; i++)
		step(f, 1);
	say(fd, "BREW /t/coffee HTTP/1.1\r\nHost: x\r\n\r\n");
	answer = hear(f, fd);
	assert_answer(answer, 501, "\"error\":{\"code\":\"bad_request\"");
	assert_null(strstr(answer, "HTML"));
}

static struct call *ask_later(struct fixture *f, int *fd)
{
	*fd = call_up(f);
	say(*fd, "GET /t/later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	for (int i = 0; i < 1000 && !f->pending; i++)
		step(f, 1);
	assert_non_null(f->pending);
	return f->pending;
}

static void a_call_may_be_answered_later(void **state)
{
	struct fixture *f = *state;
	int fd;
	struct call *c = ask_later(f, &fd);

	call_reply(c, 200, json_pack("{s:b}", "late", true));
	assert_answer(hear(f, fd), 200, "{\"late\":true}");
}

static void a_client_that_left_is_answered_into_the_void(void **state)
{
	struct fixture *f = *state;
	int fd;
	struct call *c = ask_later(f, &fd);

	close(fd);
	for (int i = 0; i < 20; i++)
		step(f, 1);
	call_reply(c, 200, json_object());
	assert_answer(ask(f, "GET /t/plain", ""), 200, "somebody");
}

static void a_call_outlives_its_server(void **state)
{
	struct fixture *f = *state;
	int fd;
	struct call *c = ask_later(f, &fd);

	http_close(f->http);
	f->http = NULL;
	call_refuse(c, 500, "late", "too late");
	assert_string_equal(hear(f, fd), "");
}

static void a_muted_server_answers_whom_it_has(void **state)
{
	struct fixture *f = *state;
	int fd, later;
	struct call *c = ask_later(f, &fd);

	http_mute(f->http);
	later = call_up(f);
	say(later, "GET /t/plain HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 20; i++)
		step(f, 1);
	assert_int_equal(recv(later, f->answer, 1, 0), -1);
	close(later);
	call_reply(c, 200, json_object());
	assert_answer(hear(f, fd), 200, "{}");
}

static void connections_beyond_the_limit_wait_their_turn(void **state)
{
	struct fixture *f = *state;
	int idle[HTTP_CONNECTIONS_MAX], late;

	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		idle[i] = call_up(f);
	for (int i = 0; i < 300; i++)
		step(f, 0);
	late = call_up(f);
	say(late, "GET /t/plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	for (int i = 0; i < 50; i++)
		step(f, 1);
	assert_int_equal(recv(late, f->answer, 1, 0), -1);
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		close(idle[i]);
	assert_answer(hear(f, late), 200, "somebody");
}

static void those_who_may_not_enter_keep_nobody_out(void **state)
{
	struct fixture *f = *state;
	int idle[HTTP_CONNECTIONS_MAX + 50], late;

	f->closed_door = true;
	for (int i = 0; i < HTTP_CONNECTIONS_MAX + 50; i++)
		idle[i] = call_up(f);
	for (int i = 0; i < 300; i++)
		step(f, 0);
	f->closed_door = false;
	late = call_up(f);
	say(late, "GET /t/plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	for (int i = 0; i < 4000 && recv(late, f->answer, 1, MSG_PEEK) < 0; i++)
		step(f, 1);
	/* And not only when they have gone, after HTTP_GUARD_SECONDS. */
	assert_true(recv(late, f->answer, 1, MSG_PEEK) > 0);
	assert_answer(hear(f, late), 200, "somebody");
	for (int i = 0; i < HTTP_CONNECTIONS_MAX + 50; i++)
		close(idle[i]);
}

/* A client whose address is 127.0.0.`host`. */
static int call_from(const struct fixture *f, unsigned host)
{
	const struct sockaddr_in own = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	assert_true(fd >= 0);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&f->port, sizeof(f->port)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

static unsigned open_of(const int *fds, unsigned n)
{
	unsigned open = 0;

	for (unsigned i = 0; i < n; i++)
		open += is_open(fds[i]);
	return open;
}

static void close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

static void settle(struct fixture *f)
{
	for (int i = 0; i < 100; i++)
		step(f, 1);
}

static const char whole[] = "GET /t/plain HTTP/1.1\r\nHost: x\r\nAuthorization: yes\r\n"
			    "Connection: close\r\n\r\n";

static void an_address_of_the_network_holds_no_more_than_its_share(void **state)
{
	struct fixture *f = *state;
	int fds[HTTP_PER_ADDRESS_MAX + 10], other = call_from(f, 3);

	for (unsigned i = 0; i < HTTP_PER_ADDRESS_MAX + 10; i++) {
		fds[i] = call_from(f, 2);
		say(fds[i], "GET /t/pl");
		step(f, 0);
	}
	settle(f);
	assert_int_equal(open_of(fds, HTTP_PER_ADDRESS_MAX + 10), HTTP_PER_ADDRESS_MAX);
	assert_int_equal(open_of(fds, 10), 0); /* the oldest went */
	assert_true(is_open(other));
	say(other, whole);
	assert_answer(hear(f, other), 200, "somebody");
	close_all(fds, HTTP_PER_ADDRESS_MAX + 10);
}

static void a_crowd_of_many_addresses_keeps_nobody_out(void **state)
{
	struct fixture *f = *state;
	static int fds[2 * HTTP_CONNECTIONS_MAX];

	for (unsigned i = 0; i < 2 * HTTP_CONNECTIONS_MAX; i++) {
		fds[i] = call_from(f, 2 + i % 200);
		say(fds[i], "POST /t/json HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
		step(f, 0);
		if (i % 64 == 63) {
			int one = call_from(f, 210);

			say(one, whole);
			assert_answer(hear(f, one), 200, "somebody");
		}
	}
	settle(f);
	/* Those that were answered in between have counted for a moment. */
	assert_in_range(open_of(fds, 2 * HTTP_CONNECTIONS_MAX), HTTP_CONNECTIONS_MAX - 8,
		HTTP_CONNECTIONS_MAX);
	close_all(fds, 2 * HTTP_CONNECTIONS_MAX);
}

static void whoever_has_proved_who_he_is_stays_when_a_crowd_comes(void **state)
{
	struct fixture *f = *state;
	static int fds[HTTP_CONNECTIONS_MAX + 50];
	int first = call_from(f, 210);

	say(first, "GET /t/plain HTTP/1.1\r\nHost: x\r\nAuthorization: yes\r\n\r\n");
	for (int i = 0; i < 1000 && is_open(first); i++)
		step(f, 1);
	assert_true(recv(first, f->answer, sizeof(f->answer), 0) > 0);
	for (unsigned i = 0; i < HTTP_CONNECTIONS_MAX + 50; i++) {
		fds[i] = call_from(f, 2 + i % 200);
		step(f, 0);
	}
	settle(f);
	assert_true(is_open(first));
	say(first, whole);
	assert_answer(hear(f, first), 200, "somebody");
	close_all(fds, HTTP_CONNECTIONS_MAX + 50);
}

/* On the network, by somebody whose browser has a proof for us, and with this line in the head. */
static const char *browse(struct fixture *f, const char *line)
{
	char text[256];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&f->port, sizeof(f->port)), 0);
	snprintf(text, sizeof(text),
		"GET /t/plain HTTP/1.1\r\nHost: target.example:8080\r\nAuthorization: x\r\n"
		"Connection: close\r\n%s\r\n",
		line);
	say(fd, text);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return hear(f, fd);
}

static void a_page_of_another_site_asks_in_vain(void **state)
{
	assert_answer(browse(*state, "Origin: http://evil.example\r\n"), 403, "cross_origin");
	assert_answer(browse(*state, "Origin: null\r\n"), 403, "cross_origin");
	assert_answer(browse(*state, "Origin: http://target.example:80801\r\n"), 403,
		"cross_origin");
	assert_answer(browse(*state, "Origin: http://evil.example/://target.example:8080\r\n"), 403,
		"cross_origin");
	assert_answer(browse(*state, "Origin: http://target.example:8080\r\n"), 200, "somebody");
	assert_answer(browse(*state, ""), 200, "somebody");
}

static void requests_in_a_row_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	int fd = call_up(f);
	const char *first, *second;

	say(fd, "GET /t/items/1 HTTP/1.1\r\nHost: x\r\n\r\n"
		"GET /t/items/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	first = strstr(hear(f, fd), "\"item\":\"1\"");
	second = strstr(f->answer, "\"item\":\"2\"");
	assert_non_null(first);
	assert_true(second > first);
}

#define TEST(t)         cmocka_unit_test_setup_teardown(t, begin, end)
#define NETWORK_TEST(t) cmocka_unit_test_setup_teardown(t, begin_network, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_route_answers_in_the_words_of_its_dialect),
		TEST(arguments_and_query_are_decoded),
		TEST(a_query_that_is_absent_is_null),
		TEST(an_unknown_path_is_refused),
		TEST(a_wrong_method_is_refused_and_the_right_one_told),
		TEST(a_body_is_parsed_where_a_route_wants_it),
		TEST(a_body_that_is_no_object_is_refused_without_quoting_it),
		TEST(a_body_whose_length_is_told_twice_is_refused),
		TEST(a_head_that_can_be_read_in_two_ways_is_refused),
		TEST(a_body_in_chunks_is_taken),
		TEST(the_answer_to_head_has_no_body),
		TEST(a_caller_who_may_not_change_reads_only),
		TEST(a_caller_who_may_not_enter_learns_nothing_else),
		TEST(an_answer_that_could_not_be_made_is_a_500),
		TEST(what_is_no_request_is_refused_in_json),
		TEST(so_it_is_behind_others_that_were_answered),
		TEST(a_call_may_be_answered_later),
		TEST(a_client_that_left_is_answered_into_the_void),
		TEST(a_call_outlives_its_server),
		TEST(a_muted_server_answers_whom_it_has),
		TEST(connections_beyond_the_limit_wait_their_turn),
		TEST(those_who_may_not_enter_keep_nobody_out),
		TEST(requests_in_a_row_are_answered_in_order),
		NETWORK_TEST(a_page_of_another_site_asks_in_vain),
		NETWORK_TEST(an_address_of_the_network_holds_no_more_than_its_share),
		NETWORK_TEST(a_crowd_of_many_addresses_keeps_nobody_out),
		NETWORK_TEST(whoever_has_proved_who_he_is_stays_when_a_crowd_comes),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
