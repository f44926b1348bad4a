/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners: opening, adopting, accepting, and running out of descriptors.
 */
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop_support.h"
#include "tests/skip.h"

static struct addr a(const char *host, uint16_t port)
{
	struct addr out;

	assert_int_equal(addr_parse(&out, host, port), 0);
	return out;
}

static struct listener *open_at(const char *host)
{
	struct addr at = a(host, 0);
	struct listen_error why;
	struct listener *l;

	if (listener_open(&at, &l, &why) != 0)
		fail_msg("%s", why.text);
	return l;
}

static int connect_to(const struct listener *l)
{
	const struct addr *at = listener_addr(l);
	int fd = socket(at->sa.sa_family, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &at->sa, addr_len(at)), 0);
	return fd;
}

/* Takes what a listener accepts. */
struct door {
	struct loop *loop;
	struct listener *listener;
	int fds[64];
	int count, stop_after;
	bool close_too;
	struct stream last;
};

static void come_in(void *ctx, const struct stream *s)
{
	struct door *d = ctx;

	assert_in_range(d->count, 0, 63);
	d->fds[d->count++] = s->fd;
	d->last = *s;
	if (d->count == d->stop_after) {
		if (d->close_too)
			listener_close(d->listener);
		else
			listener_stop(d->listener);
	}
}

static void door_open(struct door *d)
{
	*d = (struct door){ .listener = open_at("127.0.0.1") };
	assert_int_equal(loop_create(0, &d->loop), 0);
	listener_start(d->listener, d->loop, come_in, d);
}

static void door_close(struct door *d)
{
	for (int i = 0; i < d->count; i++)
		close(d->fds[i]);
	if (!d->close_too)
		listener_close(d->listener);
	loop_free(d->loop);
}

static bool have_ipv6(void)
{
	struct addr lo = a("::1", 0);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool have = fd >= 0 && bind(fd, &lo.sa, addr_len(&lo)) == 0;

	if (fd >= 0)
		close(fd);
	return have;
}

static void port_zero_becomes_a_port_that_is_free(void **state)
{
	struct listener *l = open_at("127.0.0.1");

	(void)state;
	assert_true(addr_port(listener_addr(l)) > 0);
	listener_close(l);
}

static void a_port_in_use_is_an_error_that_names_it(void **state)
{
	struct listener *first = open_at("127.0.0.1"), *second;
	struct listen_error why;
	struct addr_text t;
	char want[128];

	(void)state;
	assert_int_equal(listener_open(listener_addr(first), &second, &why), -EADDRINUSE);
	addr_text(listener_addr(first), &t);
	snprintf(want, sizeof(want), "%s: address already in use", t.text);
	assert_string_equal(why.text, want);
	listener_close(first);
}

static void an_address_of_another_machine_is_an_error_that_names_it(void **state)
{
	struct addr at = a("192.0.2.1", 3260);
	struct listen_error why;
	struct listener *l;

	(void)state;
	assert_int_equal(listener_open(&at, &l, &why), -EADDRNOTAVAIL);
	assert_string_equal(
		why.text, "192.0.2.1:3260: no interface of this machine has this address");
}

static void a_port_can_be_taken_again_while_old_connections_fade(void **state)
{
	struct listener *l = open_at("127.0.0.1");
	struct addr at = *listener_addr(l);
	struct listen_error why;
	int client = connect_to(l), server = accept(listener_fd(l), NULL, NULL);

	(void)state;
	close(server);
	listener_close(l);
	assert_int_equal(listener_open(&at, &l, &why), 0);
	listener_close(l);
	close(client);
}

static void both_wildcards_share_a_port(void **state)
{
	struct listener *v4, *v6;
	struct listen_error why;
	struct addr at = a("::", 0);

	(void)state;
	if (!have_ipv6())
		skip_as("no IPv6 on this machine");
	v4 = open_at("0.0.0.0");
	addr_set_port(&at, addr_port(listener_addr(v4)));
	assert_int_equal(listener_open(&at, &v6, &why), 0);
	listener_close(v4);
	listener_close(v6);
}

static void a_connection_is_handed_over_with_its_peer(void **state)
{
	struct door d;
	struct addr client_addr;
	int client;

	(void)state;
	door_open(&d);
	client = connect_to(d.listener);
	addr_local(&client_addr, client);
	loop_step(d.loop);
	assert_int_equal(d.count, 1);
	assert_true(addr_same(&d.last.peer, &client_addr));
	assert_true(addr_same(&d.last.local, listener_addr(d.listener)));
	assert_true(d.last.tcp);
	assert_true(fcntl(d.fds[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(d.fds[0], F_GETFD) & FD_CLOEXEC);
	close(client);
	door_close(&d);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void a_connection_inherits_what_its_listener_was_set_to(void **state)
{
	struct door d;
	int client;

	(void)state;
	door_open(&d);
	client = connect_to(d.listener);
	loop_step(d.loop);
	assert_int_equal(option(d.fds[0], IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(d.fds[0], SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_in_range(option(d.fds[0], IPPROTO_TCP, TCP_KEEPIDLE), 1, 600);
	close(client);
	door_close(&d);
}

static void a_connection_to_every_address_knows_the_one_it_came_to(void **state)
{
	struct door d = { .listener = open_at("0.0.0.0") };
	struct addr at = a("127.0.0.1", 0);
	int client;

	(void)state;
	addr_set_port(&at, addr_port(listener_addr(d.listener)));
	assert_int_equal(loop_create(0, &d.loop), 0);
	listener_start(d.listener, d.loop, come_in, &d);
	client = connect_to(d.listener);
	loop_step(d.loop);
	assert_int_equal(d.count, 1);
	assert_true(addr_same(&d.last.local, &at));
	close(client);
	door_close(&d);
}

static void many_connections_are_taken_in_batches(void **state)
{
	struct door d;
	int client[50];

	(void)state;
	door_open(&d);
	for (int i = 0; i < 50; i++)
		client[i] = connect_to(d.listener);
	loop_step(d.loop);
	assert_in_range(d.count, 1, 49);
	for (int i = 0; i < 20; i++)
		loop_step(d.loop);
	assert_int_equal(d.count, 50);
	for (int i = 0; i < 50; i++)
		close(client[i]);
	door_close(&d);
}

static void a_listener_can_be_stopped_from_its_callback_and_started_again(void **state)
{
	struct door d;
	int client[3];

	(void)state;
	door_open(&d);
	d.stop_after = 1;
	for (int i = 0; i < 3; i++)
		client[i] = connect_to(d.listener);
	loop_step(d.loop);
	loop_step(d.loop);
	assert_int_equal(d.count, 1);
	listener_start(d.listener, d.loop, come_in, &d);
	loop_step(d.loop);
	assert_int_equal(d.count, 3);
	for (int i = 0; i < 3; i++)
		close(client[i]);
	door_close(&d);
}

static void a_listener_can_be_closed_from_its_callback(void **state)
{
	struct door d;
	int client[2];

	(void)state;
	door_open(&d);
	d.stop_after = 1;
	d.close_too = true;
	client[0] = connect_to(d.listener);
	client[1] = connect_to(d.listener);
	loop_step(d.loop);
	loop_step(d.loop);
	assert_int_equal(d.count, 1);
	close(client[0]);
	close(client[1]);
	door_close(&d);
}

/* Leaves room for no further descriptor; gives the limit as it was. */
static struct rlimit use_up_descriptors(void)
{
	struct rlimit before, now;
	int next = dup(0);

	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	now.rlim_cur = (rlim_t)next;
	close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	return before;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* stderr, kept in a file from here to log_lines(). */
static int keep_log(int *saved)
{
	int fd = memfd_create("stderr", 0);

	*saved = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	return fd;
}

static int log_lines(int fd, int saved)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	int lines = 0;

	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

/* valgrind has a limit of its own: it takes the connection, and drops it where we would have got
 * no descriptor. */
static bool valgrind_is_here(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	bool here = false;

	while (maps && !here && fgets(line, sizeof(line), maps))
		here = strstr(line, "vgpreload");
	if (maps)
		fclose(maps);
	return here;
}

static void without_descriptors_connections_wait_and_nothing_spins(void **state)
{
	struct door d;
	struct rlimit before;
	uint64_t cpu;
	int client, saved, kept;

	(void)state;
	if (valgrind_is_here())
		skip_as("valgrind takes descriptors for itself");
	kept = keep_log(&saved);
	door_open(&d);
	client = connect_to(d.listener);
	before = use_up_descriptors();
	cpu = cpu_ns();
	run_for(d.loop, 350);
	cpu = cpu_ns() - cpu;
	assert_int_equal(d.count, 0);
	setrlimit(RLIMIT_NOFILE, &before);
	run_for(d.loop, 250);
	assert_int_equal(d.count, 1);
	assert_int_equal(log_lines(kept, saved), 1);
	assert_true(cpu < 20000000);
	close(client);
	door_close(&d);
}

static void a_listener_that_the_kernel_will_not_watch_yet_takes_connections_later(void **state)
{
	struct door d = { .listener = open_at("127.0.0.1") };
	int fd = listener_fd(d.listener), kept = dup(fd), null = open("/dev/null", O_RDONLY),
	    client;
	int saved, log;

	(void)state;
	assert_int_equal(loop_create(0, &d.loop), 0);
	assert_int_equal(dup2(null, fd), fd); /* which epoll(7) refuses */
	log = keep_log(&saved);
	listener_start(d.listener, d.loop, come_in, &d);
	assert_int_equal(dup2(kept, fd), fd);
	client = connect_to(d.listener);
	run_for(d.loop, 400);
	assert_int_equal(d.count, 1);
	assert_in_range(log_lines(log, saved), 1, 2); /* libevent may have said why */
	close(client);
	close(kept);
	close(null);
	door_close(&d);
}

static void an_inherited_listener_is_recognised_by_its_address(void **state)
{
	struct listener *l = open_at("127.0.0.1");
	struct addr other = *listener_addr(l);

	(void)state;
	addr_set_port(&other, (uint16_t)(addr_port(&other) ^ 1));
	assert_true(listener_fd_is(listener_fd(l), listener_addr(l)));
	assert_false(listener_fd_is(listener_fd(l), &other));
	assert_false(listener_fd_is(0, listener_addr(l)));
	assert_false(listener_fd_is(-1, listener_addr(l)));
	listener_close(l);
}

static void an_inherited_listener_takes_connections(void **state)
{
	struct addr at = a("127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0), client;
	struct door d = { 0 };
	struct listen_error why;

	(void)state;
	assert_int_equal(bind(fd, &at.sa, addr_len(&at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(listener_adopt(fd, &d.listener, &why), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(loop_create(0, &d.loop), 0);
	listener_start(d.listener, d.loop, come_in, &d);
	client = connect_to(d.listener);
	loop_step(d.loop);
	assert_int_equal(d.count, 1);
	close(client);
	door_close(&d);
}

static void a_descriptor_that_does_not_listen_is_not_adopted(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct listen_error why;
	struct listener *l;

	(void)state;
	assert_int_equal(listener_adopt(fd, &l, &why), -EINVAL);
	assert_non_null(strstr(why.text, "not a TCP socket that listens"));
	assert_int_equal(close(fd), 0);
	assert_int_equal(listener_adopt(-1, &l, &why), -EINVAL);
}

static void the_end_of_no_listener_is_harmless(void **state)
{
	(void)state;
	listener_close(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_zero_becomes_a_port_that_is_free),
		cmocka_unit_test(a_port_in_use_is_an_error_that_names_it),
		cmocka_unit_test(an_address_of_another_machine_is_an_error_that_names_it),
		cmocka_unit_test(a_port_can_be_taken_again_while_old_connections_fade),
		cmocka_unit_test(both_wildcards_share_a_port),
		cmocka_unit_test(a_connection_is_handed_over_with_its_peer),
		cmocka_unit_test(a_connection_inherits_what_its_listener_was_set_to),
		cmocka_unit_test(a_connection_to_every_address_knows_the_one_it_came_to),
		cmocka_unit_test(many_connections_are_taken_in_batches),
		cmocka_unit_test(a_listener_can_be_stopped_from_its_callback_and_started_again),
		cmocka_unit_test(a_listener_can_be_closed_from_its_callback),
		cmocka_unit_test(without_descriptors_connections_wait_and_nothing_spins),
		cmocka_unit_test(
			a_listener_that_the_kernel_will_not_watch_yet_takes_connections_later),
		cmocka_unit_test(an_inherited_listener_is_recognised_by_its_address),
		cmocka_unit_test(an_inherited_listener_takes_connections),
		cmocka_unit_test(a_descriptor_that_does_not_listen_is_not_adopted),
		cmocka_unit_test(the_end_of_no_listener_is_harmless),
	};

	return cmocka_run_group_tests_name("net/listen", tests, NULL, NULL);
}
