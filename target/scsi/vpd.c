/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vital product data that any unit has (SPC-5 7.7).
 */
#include "scsi/vpd.h"

#include <stdio.h>
#include <string.h>

/* 00h: the pages that there are, in ascending order. */
static void supported_pages(struct wr *w, const struct itl *itl)
{
	wr_u8(w, 0x00);
	for (const struct vpd_page *p = itl->lu->model->pages; p->write; p++)
		if (!(p->needs & ~itl->lu->has))
			wr_u8(w, p->code);
}

static const struct vpd_page *find(const struct lu *lu, uint8_t code)
{
	static const struct vpd_page supported = { 0x00, 0, supported_pages };

	if (code == supported.code)
		return &supported;
	for (const struct vpd_page *p = lu->model->pages; p->write; p++)
		if (p->code == code && !(p->needs & ~lu->has))
			return p;
	return NULL;
}

bool vpd_write(struct wr *w, const struct itl *itl, uint8_t code)
{
	const struct vpd_page *p = find(itl->lu, code);
	size_t start = w->len;

	if (!p)
		return false;
	wr_u8(w, itl->lu->model->device_type);
	wr_u8(w, code);
	wr_be16(w, 0);
	p->write(w, itl);
	put_be16(w->buf + start + 2, (uint16_t)(w->len - start - 4));
	return true;
}

void vpd_serial(struct wr *w, const struct itl *itl)
{
	wr_bytes(w, itl->lu->serial, strlen(itl->lu->serial));
}

/* --- 83h ----------------------------------------------------------------------------- */

enum { BINARY = 1, ASCII = 2, UTF8 = 3 };                  /* CODE SET */
enum { OF_UNIT = 0x00, OF_PORT = 0x10, OF_DEVICE = 0x20 }; /* ASSOCIATION, bits 5 and 4 */
enum { T10_VENDOR = 1, NAA = 3, REL_PORT = 4, PORT_GROUP = 5, NAME_STRING = 8 };

#define PROTOCOL_ISCSI 0x50
#define PIV            0x80

/* The header of a designation descriptor (SPC-5 7.7.6.1). PIV holds for ports and devices. */
static void wr_designator(struct wr *w, uint8_t code_set, uint8_t of, uint8_t type, size_t len)
{
	wr_u8(w, (uint8_t)(code_set | (of == OF_UNIT ? 0 : PROTOCOL_ISCSI)));
	wr_u8(w, (uint8_t)(type | of | (of == OF_UNIT ? 0 : PIV)));
	wr_u8(w, 0);
	wr_u8(w, (uint8_t)len);
}

/* SCSI name strings end with at least one NUL, and are a multiple of four long. */
static void wr_name(struct wr *w, uint8_t of, const char *name)
{
	size_t n = strlen(name), len = (n + 4) & ~(size_t)3;

	wr_designator(w, UTF8, of, NAME_STRING, len);
	wr_bytes(w, name, n);
	wr_zero(w, len - n);
}

/* Vendor, product and serial number: unique as far as the serial number is. */
static void wr_vendor_id(struct wr *w, const struct lu *lu)
{
	size_t n = strlen(lu->serial);

	wr_designator(w, ASCII, OF_UNIT, T10_VENDOR, 8 + 16 + n);
	wr_bytes(w, lu->vendor, 8);
	wr_bytes(w, lu->product, 16);
	wr_bytes(w, lu->serial, n);
}

/* A name of iSCSI is at most 223 bytes long (RFC 7143 4.2.7.1). */
static void wr_port_name(struct wr *w, const char *target, uint16_t group)
{
	char name[240];

	snprintf(name, sizeof(name), "%.223s,t,0x%04x", target, group);
	wr_name(w, OF_PORT, name);
}

void vpd_identification(struct wr *w, const struct itl *itl)
{
	const struct nexus *n = itl->nexus;
	uint8_t naa_len = itl->lu->naa[0] >> 4 == 6 ? 16 : 8; /* SPC-5 7.7.6.6 */

	wr_designator(w, BINARY, OF_UNIT, NAA, naa_len);
	wr_bytes(w, itl->lu->naa, naa_len);
	wr_vendor_id(w, itl->lu);
	wr_designator(w, BINARY, OF_PORT, REL_PORT, 4);
	wr_be32(w, n->rel_port);
	wr_designator(w, BINARY, OF_PORT, PORT_GROUP, 4);
	wr_be32(w, n->tpgt);
	wr_port_name(w, n->target, n->tpgt);
	wr_name(w, OF_DEVICE, n->target);
}

/* --- 88h (SPC-5 7.7.14) -------------------------------------------------------------- */

/* A target port; what initiator it is connected to is not told. A page is as long as VPD_MAX lets
 * it be: ports that find no room are left out. */
static void wr_scsi_port(struct wr *w, const struct lu_port *p, uint16_t group)
{
	size_t start = w->len, descriptors = start + 12;

	if (w->size - start < 12 + 4 + 240)
		return;
	wr_be16(w, 0);
	wr_be16(w, p->id);
	wr_zero(w, 4); /* no TransportID of an initiator port */
	wr_be32(w, 0);
	wr_port_name(w, p->target, group);
	put_be16(w->buf + start + 10, (uint16_t)(w->len - descriptors));
}

void vpd_scsi_ports(struct wr *w, const struct itl *itl)
{
	const struct nexus *n = itl->nexus;
	const struct lu_port own = { n->rel_port, n->target };
	struct lu *lu = itl->lu;

	pthread_mutex_lock(&lu->lock);
	for (unsigned i = 0; i < lu->ngroups; i++)
		for (unsigned k = 0; k < lu->groups[i].nports; k++)
			wr_scsi_port(w, &lu->groups[i].ports[k], lu->groups[i].group);
	if (!lu->ngroups)
		wr_scsi_port(w, &own, n->tpgt);
	pthread_mutex_unlock(&lu->lock);
}

/* --- 86h, 87h ------------------------------------------------------------------------ */

void vpd_extended(struct wr *w, const struct itl *itl)
{
	(void)itl;
	wr_u8(w, 0);
	wr_u8(w, 0x07); /* HEADSUP, ORDSUP, SIMPSUP */
	wr_u8(w, 0x01); /* V_SUP: there is a volatile cache */
	wr_u8(w, 0x01); /* LUICLR: the unit clears nexus losses itself */
	wr_zero(w, 60 - 4);
}

/* One policy for all pages: shared. */
void vpd_mode_policy(struct wr *w, const struct itl *itl)
{
	(void)itl;
	wr_bytes(w, (const uint8_t[]){ 0x3f, 0xff, 0x00, 0x00 }, 4);
}
