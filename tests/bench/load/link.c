/* SPDX-License-Identifier: BSD-2-Clause */
/* One PDU at a time (link.h). */
#include "tests/bench/load/link.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "iscsi/crc.h"
#include "tests/bench/load/die.h"

void link_open(struct link *l, const struct plan *p)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(p->port) };
	int one = 1;

	*l = (struct link){ .cmdsn = 1,
		.max_send = 8192,
		.first_burst = 65536,
		.immediate = true,
		.initial_r2t = true };
	if (inet_pton(AF_INET, p->host, &a.sin_addr) != 1)
		die("%s is not an IPv4 address", p->host);
	l->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (l->fd < 0)
		die_errno("socket");
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(l->fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die_errno("connect");
}

void link_close(struct link *l)
{
	close(l->fd);
	l->fd = -1;
}

void link_send(struct link *l, uint8_t bhs[static BHS_SIZE], const void *data, uint32_t len)
{
	static const uint8_t zero[4];
	uint8_t head_crc[4], data_crc[4];
	struct iovec v[] = {
		// clang-format off
		{ bhs, BHS_SIZE },
		{ head_crc, l->header_digest ? DIGEST_SIZE : 0 },
		{ (void *)(uintptr_t)data, len },
		{ (void *)(uintptr_t)zero, -len & 3 },
		{ data_crc, l->data_digest && len ? DIGEST_SIZE : 0 },
		// clang-format on
	};
	size_t total = 0;

	put_be24(bhs + 5, len);
	put_be32(bhs + 28, l->expstatsn);
	crc_store(head_crc, crc_add(CRC_START, bhs, BHS_SIZE));
	crc_store(data_crc, crc_add_padding(crc_add(CRC_START, data, len), len));
	for (unsigned i = 0; i < 5; i++)
		total += v[i].iov_len;
	if (writev(l->fd, v, 5) != (ssize_t)total)
		die_errno("write");
}

static void read_all(const struct link *l, void *buf, size_t n)
{
	uint8_t *p = buf;

	while (n) {
		ssize_t r = read(l->fd, p, n);

		if (r == 0)
			die("the target closed the connection");
		if (r < 0)
			die_errno("read");
		p += r;
		n -= (size_t)r;
	}
}

static uint32_t recv_any(struct link *l, uint8_t bhs[static BHS_SIZE], void *data, uint32_t size)
{
	uint8_t digest[4], pad[4];
	uint32_t len;

	read_all(l, bhs, BHS_SIZE);
	if (l->header_digest)
		read_all(l, digest, DIGEST_SIZE);
	len = be24(bhs + 5);
	if (bhs[4] || len > size)
		die("a PDU (opcode %02x) that is longer than expected", bhs[0]);
	read_all(l, data, len);
	read_all(l, pad, -len & 3);
	if (!l->data_digest || !len)
		return len;
	read_all(l, digest, DIGEST_SIZE);
	if (!crc_matches(digest, crc_add_padding(crc_add(CRC_START, data, len), len)))
		die("data digest error");
	return len;
}

bool link_pong(const struct link *l, uint8_t bhs[static BHS_SIZE])
{
	if (be32(bhs + 20) == TAG_NONE)
		return false;
	memset(bhs, 0, 8);
	bhs[0] = BHS_IMMEDIATE | OP_NOP_OUT;
	bhs[1] = BHS_FINAL;
	memset(bhs + 24, 0, BHS_SIZE - 24);
	put_be32(bhs + 16, TAG_NONE);
	put_be32(bhs + 24, l->cmdsn);
	put_be32(bhs + 28, l->expstatsn);
	return true;
}

uint32_t link_recv(struct link *l, uint8_t bhs[static BHS_SIZE], void *data, uint32_t size)
{
	for (;;) {
		uint32_t len = recv_any(l, bhs, data, size);

		if ((bhs[0] & BHS_OPCODE) != OP_NOP_IN)
			return len;
		if (link_pong(l, bhs))
			link_send(l, bhs, NULL, 0);
	}
}

uint8_t link_command(
	struct link *l, uint8_t lun, const uint8_t cdb[static 16], uint32_t want, void *data)
{
	uint8_t bhs[BHS_SIZE] = { OP_SCSI_CMD, BHS_FINAL | (want ? CMD_READ : 0) | 1 };
	uint8_t sense[1024];

	bhs[9] = lun;
	put_be32(bhs + 16, 0x1000);
	put_be32(bhs + 20, want);
	put_be32(bhs + 24, l->cmdsn++);
	memcpy(bhs + 32, cdb, 16);
	link_send(l, bhs, NULL, 0);
	for (;;) {
		link_recv(l, bhs, want ? data : sense, want ? want : sizeof(sense));
		switch (bhs[0] & BHS_OPCODE) {
		case OP_DATA_IN:
			if (!(bhs[1] & DATA_IN_STATUS))
				break;
			link_status(l, bhs);
			return bhs[3];
		case OP_SCSI_RSP: link_status(l, bhs); return bhs[3];
		default: die("opcode %02x in answer to a command", bhs[0]);
		}
	}
}

#define ATTENTIONS 8

void link_capacity(struct link *l, uint8_t lun, uint64_t *blocks, uint32_t *block_size)
{
	static const uint8_t test_unit_ready[16];
	static const uint8_t read_capacity[16] = { 0x9e, 0x10, [13] = 32 };
	uint8_t data[32] = { 0 };

	for (int i = 0; i < ATTENTIONS && link_command(l, lun, test_unit_ready, 0, NULL); i++)
		;
	if (link_command(l, lun, read_capacity, sizeof(data), data))
		die("LUN %u tells no capacity", lun);
	*blocks = be64(data) + 1;
	*block_size = be32(data + 8);
}
