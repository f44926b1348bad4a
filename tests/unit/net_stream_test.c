/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte streams over TCP and over socketpairs.
 */
#include "net/stream.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
	struct stream a, b;
};

static void pair_open(struct pair *p)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(stream_init(&p->a, fd[0]), 0);
	assert_int_equal(stream_init(&p->b, fd[1]), 0);
}

static void pair_close(struct pair *p)
{
	stream_close(&p->a);
	stream_close(&p->b);
}

/* Two ends of a TCP connection on the loopback interface. */
static void tcp_open(struct pair *p)
{
	struct addr at;
	socklen_t len = sizeof(at.in);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(addr_parse(&at, "127.0.0.1", 0), 0);
	assert_int_equal(bind(listener, &at.sa, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, &at.sa, &len), 0);
	assert_int_equal(connect(fd, &at.sa, len), 0);
	assert_int_equal(stream_init(&p->a, fd), 0);
	assert_int_equal(stream_init(&p->b, accept(listener, NULL, NULL)), 0);
	close(listener);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void a_tcp_stream_is_set_up_and_knows_both_its_ends(void **state)
{
	struct pair p;

	(void)state;
	tcp_open(&p);
	assert_true(p.a.tcp);
	assert_true(fcntl(p.a.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p.a.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(option(p.a.fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(p.a.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_true(addr_same(&p.a.local, &p.b.peer));
	assert_true(addr_same(&p.a.peer, &p.b.local));
	assert_true(addr_port(&p.a.local) > 0);
	pair_close(&p);
}

static void an_end_of_a_socketpair_is_a_stream_as_well(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_false(p.a.tcp);
	assert_true(fcntl(p.a.fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(addr_len(&p.a.peer), 0);
	pair_close(&p);
}

static void what_is_no_descriptor_is_refused(void **state)
{
	struct stream s;

	(void)state;
	assert_int_equal(stream_init(&s, -1), -EBADF);
}

static void pieces_are_sent_and_received_in_order(void **state)
{
	char x[3], y[4], rest[16];
	struct iovec out[] = { { (char[]){ 'a', 'b' }, 2 }, { (char[]){ 'c', 'd', 'e' }, 3 },
		{ (char[]){ 'f', 'g', 'h' }, 3 } };
	struct iovec in[] = { { x, 3 }, { y, 4 } };
	struct pair p;

	(void)state;
	tcp_open(&p);
	assert_int_equal(stream_send(&p.a, out, 3), 8);
	assert_int_equal(stream_recv(&p.b, in, 2), 7);
	assert_memory_equal(x, "abc", 3);
	assert_memory_equal(y, "defg", 4);
	assert_int_equal(stream_available(&p.b), 1);
	assert_int_equal(stream_read(&p.b, rest, sizeof(rest)), 1);
	assert_int_equal(rest[0], 'h');
	assert_int_equal(stream_available(&p.b), 0);
	pair_close(&p);
}

static void nothing_to_receive_is_eagain(void **state)
{
	char buf[8];
	struct iovec iov[2] = { { buf, 4 }, { buf + 4, 4 } };
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(stream_read(&p.a, buf, 1), -EAGAIN);
	assert_int_equal(stream_recv(&p.a, iov, 1), -EAGAIN);
	assert_int_equal(stream_recv(&p.a, iov, 2), -EAGAIN);
	pair_close(&p);
}

static void a_full_socket_takes_a_part_and_then_is_eagain(void **state)
{
	static char big[8 << 20];
	struct iovec iov = { big, sizeof(big) };
	struct pair p;
	ssize_t n;

	(void)state;
	pair_open(&p);
	n = stream_send(&p.a, &iov, 1);
	assert_in_range(n, 1, sizeof(big) - 1);
	while ((n = stream_send(&p.a, &iov, 1)) > 0)
		;
	assert_int_equal(n, -EAGAIN);
	pair_close(&p);
}

static void sending_to_a_peer_that_is_gone_is_an_error_and_no_signal(void **state)
{
	struct iovec iov = { (char[]){ 'x' }, 1 };
	struct pair p;

	(void)state;
	pair_open(&p);
	stream_close(&p.b);
	assert_int_equal(stream_send(&p.a, &iov, 1), -EPIPE);
	pair_close(&p);
}

static void a_closed_stream_can_be_closed_again(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	stream_close(&p.a);
	assert_int_equal(p.a.fd, -1);
	stream_close(&p.a);
	assert_int_equal(stream_available(&p.a), 0);
	stream_close(&p.b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tcp_stream_is_set_up_and_knows_both_its_ends),
		cmocka_unit_test(an_end_of_a_socketpair_is_a_stream_as_well),
		cmocka_unit_test(what_is_no_descriptor_is_refused),
		cmocka_unit_test(pieces_are_sent_and_received_in_order),
		cmocka_unit_test(nothing_to_receive_is_eagain),
		cmocka_unit_test(a_full_socket_takes_a_part_and_then_is_eagain),
		cmocka_unit_test(sending_to_a_peer_that_is_gone_is_an_error_and_no_signal),
		cmocka_unit_test(a_closed_stream_can_be_closed_again),
	};

	return cmocka_run_group_tests_name("net/stream", tests, NULL, NULL);
}
