/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of real clients of the Storage Gateway API, byte by byte as they went over the wire
 * (tests/unit/data/aws), at a server whose clock stands where theirs did.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mgmt/aws.h"
#include "mgmt/http.h"
#include "net/guard.h"
#include "registry_server.h"

#define NOON        INT64_C(1718452800) /* 2024-06-15T12:00:00Z */
#define DAY_OF_2012 INT64_C(1347235200) /* 2012-09-10T00:00:00Z */
#define INITIATOR   "iqn.1991-05.com.microsoft:computername.domain.example.com"

static int64_t the_time;

static int64_t now(void)
{
	return the_time;
}

struct gateway {
	struct fixture *f;
	struct aws aws;
	struct http_service service;
	struct guard *failures;
	struct http *http;
	int listener;
	struct sockaddr_in at;
	unsigned sent;
	char request[4096], answer[8192];
	size_t len; /* of the request */
};

/* On the network everybody may ask, and has to prove who he is. */
static bool anybody(void *arg, int fd, struct http_caller *who)
{
	(void)arg;
	*who = (struct http_caller){ .name = "somebody", .read_only = true };
	return fd >= 0;
}

static void listen_on_loopback(struct gateway *g)
{
	socklen_t len = sizeof(g->at);

	g->at.sin_family = AF_INET;
	g->at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	g->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(g->listener, (struct sockaddr *)&g->at, len), 0);
	assert_int_equal(listen(g->listener, 16), 0);
	assert_int_equal(getsockname(g->listener, (struct sockaddr *)&g->at, &len), 0);
}

static void serve(struct gateway *g)
{
	struct http_cfg cfg = { .services = &g->service, .n_services = 1, .guard = anybody };

	g->aws = (struct aws){ .loop = g->f->place.loop, .registry = g->f->r, .now = now };
	g->service = (struct http_service){ &aws_dialect, &g->aws };
	g->failures = guard_new(100, 100);
	assert_non_null(g->failures);
	listen_on_loopback(g);
	cfg.loop = g->f->place.loop;
	cfg.failures = g->failures;
	assert_int_equal(http_open(&cfg, g->listener, &g->http), 0);
}

static int begin(void **state)
{
	struct gateway *g = calloc(1, sizeof(*g));
	void *fixture = NULL;
	char text[1024];

	if (!g || fixture_begin(&fixture))
		return -1;
	g->f = fixture;
	snprintf(text, sizeof(text),
		"state_dir = \"state\"; reactors = 1;\n"
		"portals = ( { address = \"127.0.0.1\"; port = %u; } );\n"
		"management = { aws = { gateway = \"sgw-12A3456B\"; gateway_name = \"mygateway\";\n"
		"access_keys = ( { id = \"AKIAIOSFODNN7EXAMPLE\";\n"
		"secret = \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"; } ); }; };\n"
		"targets = ( { name = \"iqn.1997-05.com.amazon:myvolume\"; auth = \"none\";\n"
		"luns = ( { lun = 0; store = \"ram\"; size = \"1M\"; } ); } );\n",
		g->f->port);
	fixture_start(g->f, configured(&g->f->place, text));
	serve(g);
	the_time = NOON;
	*state = g;
	return 0;
}

static int end(void **state)
{
	struct gateway *g = *state;
	void *fixture = g->f;

	http_close(g->http);
	guard_free(g->failures);
	close(g->listener);
	free(g);
	return fixture_end(&fixture);
}

/* --- client and server in one thread -------------------------------------------------------- */

static void load(struct gateway *g, const char *name)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "tests/unit/data/aws/%s.http", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	g->len = fread(g->request, 1, sizeof(g->request) - 1, f);
	g->request[g->len] = '\0';
	fclose(f);
}

/* Whether all of the answer is there. */
static bool is_whole(const char *answer)
{
	const char *length = strcasestr(answer, "\r\nContent-Length: "),
		   *body = strstr(answer, "\r\n\r\n");

	return length && body && strlen(body + 4) >= strtoul(length + 18, NULL, 10);
}

/* Sends the request as it is, and gives the status of the answer. It comes from an address of its own:
 * one that has often been wrong would wait for it. */
static int send_it(struct gateway *g)
{
	const struct sockaddr_in own = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + ++g->sent) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t len = 0;

	assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&g->at, sizeof(g->at)), 0);
	assert_int_equal(send(fd, g->request, g->len, MSG_NOSIGNAL), (ssize_t)g->len);
	*g->answer = '\0';
	for (int i = 0; i < 10000 && !is_whole(g->answer); i++) {
		ssize_t n = recv(fd, g->answer + len, sizeof(g->answer) - 1 - len, MSG_DONTWAIT);

		if (n > 0)
			g->answer[len += (size_t)n] = '\0';
		else if (!loop_step(g->f->place.loop))
			poll(NULL, 0, 1);
	}
	close(fd);
	assert_int_equal(strncmp(g->answer, "HTTP/1.1 ", 9), 0);
	return atoi(g->answer + 9);
}

static void assert_answer(struct gateway *g, const char *name, int status, const char *part)
{
	int got;

	load(g, name);
	got = send_it(g);
	if (got != status || !strstr(g->answer, part))
		fail_msg("%s: not %d with %s, but: %s", name, status, part, g->answer);
}

/* --- tests ---------------------------------------------------------------------------------- */

static const struct capture {
	const char *name, *part; /* of the answer */
} captures[] = {
	{ "list-cli", "\"GatewayId\":\"sgw-12A3456B\"" },
	{ "list-token", "\"GatewayId\":\"sgw-12A3456B\"" },
	{ "update-cli", "\"InitiatorName\":\"" INITIATOR "\"" },
	{ "describe-cli", "\"SecretToAuthenticateInitiator\":\"111111111111\"" },
	{ "update-boto3", "\"InitiatorName\":\"" },
	{ "update-boto3-new", "\"InitiatorName\":\"" },
	{ "update-js", "\"InitiatorName\":\"" INITIATOR "\"" },
	{ "update-2012", "gateway/mygateway/target/iqn.1997-05.com.amazon:myvolume" },
	{ "delete-cli", "\"InitiatorName\":\"" INITIATOR "\"" },
};
#define N_CAPTURES (sizeof(captures) / sizeof(captures[0]))

static void every_capture_is_served_at_its_time(void **state)
{
	for (size_t i = 0; i < N_CAPTURES; i++)
		assert_answer(*state, captures[i].name, 200, captures[i].part);
}

static void the_published_example_of_2012_is_served_at_its_time(void **state)
{
	struct gateway *g = *state;
	char *end;

	the_time = DAY_OF_2012;
	load(g, "list-2012");
	/* It is printed without its length, which is not among what is signed. */
	end = strstr(g->request, "\r\n\r\n");
	assert_non_null(end);
	strcpy(end, "\r\nContent-Length: 2\r\n\r\n{}");
	g->len = strlen(g->request);
	assert_int_equal(send_it(g), 200);
	assert_non_null(strstr(g->answer, "\"GatewayId\":\"sgw-12A3456B\""));
}

static void no_capture_is_served_sixteen_minutes_later_or_earlier(void **state)
{
	static const int64_t times[] = { NOON - 960, NOON + 960 };

	for (size_t i = 0; i < 2 * N_CAPTURES; i++) {
		the_time = times[i % 2];
		assert_answer(*state, captures[i / 2].name, 400, "\"RequestExpired\"");
	}
}

/* A right request in between, so that nobody has to wait who is wrong again and again. */
static void one_flipped_bit_of_a_body_is_refused_and_changes_nothing(void **state)
{
	struct gateway *g = *state;
	const char *body;
	size_t first;

	load(g, "update-cli");
	body = strstr(g->request, "\r\n\r\n");
	assert_non_null(body);
	first = (size_t)(body + 4 - g->request);
	for (size_t at = first; at < g->len; at++) {
		load(g, "update-cli");
		g->request[at] ^= 1;
		assert_int_equal(send_it(g), 400);
		assert_non_null(strstr(g->answer, "\"InvalidSignatureException\""));
		assert_answer(g, "describe-cli", 200, "{\"ChapCredentials\":[]}");
	}
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(every_capture_is_served_at_its_time),
		TEST(the_published_example_of_2012_is_served_at_its_time),
		TEST(no_capture_is_served_sixteen_minutes_later_or_earlier),
		TEST(one_flipped_bit_of_a_body_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
