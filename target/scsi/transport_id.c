/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TransportIDs of iSCSI: four bytes, then a name that ends with a NUL and is padded to a multiple
 * of four, 20 bytes at least.
 */
#include "scsi/transport_id.h"

#include <ctype.h>

#define ISCSI         0x05
#define FORMAT_DEVICE 0x00 /* a name */
#define FORMAT_PORT   0x40 /* a name, ",i,0x" and an ISID */
#define NAME_MIN      20u
#define NAME_MAX_LEN  256u
#define ISID_DIGITS   12

static size_t padded(size_t n)
{
	size_t len = (n + 4) & ~(size_t)3;

	return len < NAME_MIN ? NAME_MIN : len;
}

size_t transport_id_len(const char *port_name)
{
	return 4 + padded(strlen(port_name));
}

void transport_id_write(struct wr *w, const char *port_name)
{
	size_t n = strlen(port_name), len = padded(n);

	wr_u8(w, FORMAT_PORT | ISCSI);
	wr_u8(w, 0);
	wr_be16(w, (uint16_t)len);
	wr_bytes(w, port_name, n);
	wr_zero(w, len - n);
}

/* ",i,0x" and nothing but an ISID behind it; the digits may be fewer (leading zeros) in no spelling
 * that anybody uses. */
static bool is_port_name(const char *name)
{
	const char *isid = strstr(name, ",i,0x");

	if (!isid || isid == name || strlen(isid + 5) != ISID_DIGITS)
		return false;
	for (const char *p = isid + 5; *p; p++)
		if (!isxdigit((unsigned char)*p))
			return false;
	return true;
}

bool transport_id_read(struct rd *r, char *name, bool *port)
{
	uint8_t format = rd_u8(r);
	const uint8_t *text;
	unsigned len, n;

	rd_u8(r);
	len = rd_be16(r);
	text = rd_bytes(r, len);
	if (!text || (format & 0x3f) != ISCSI || len % 4 || len < NAME_MIN || len > NAME_MAX_LEN)
		return false;
	for (n = 0; n < len && text[n]; n++)
		name[n] = (char)tolower(text[n]);
	if (n == len || !n)
		return false;
	name[n] = 0;
	*port = format >> 6 == FORMAT_PORT >> 6;
	return *port ? is_port_name(name) : format >> 6 == FORMAT_DEVICE && !strchr(name, ',');
}
