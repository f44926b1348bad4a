/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of INQUIRY and the serial number page, and reservations that outlived a restart.
 */
#include "scsi/identity.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "scsi/unit.h"

/* Copies text that INQUIRY tells into a field of `width` characters, padded with spaces. */
static bool inquiry_text(char *field, size_t width, const char *text)
{
	size_t n = strlen(text);

	if (n > width)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	memset(field, ' ', width);
	memcpy(field, text, n);
	field[width] = 0;
	return true;
}

/* A serial number is as long as it is; by default the hex of the NAA identifier's vendor-specific
 * part. */
static bool serial_text(struct lu *lu, const char *text)
{
	const uint8_t *id = lu->naa[0] >> 4 == 6 ? lu->naa + 8 : lu->naa;
	char own[17];

	snprintf(own, sizeof(own), "%016llx", (unsigned long long)be64(id));
	if (!text || !*text)
		text = own;
	return strlen(text) < sizeof(lu->serial) && inquiry_text(lu->serial, strlen(text), text);
}

bool lu_identify(struct lu *lu, const struct lu_identity *id)
{
	memcpy(lu->naa, id->naa, sizeof(lu->naa));
	return inquiry_text(lu->vendor, 8, id->vendor) &&
	       inquiry_text(lu->product, 16, id->product) &&
	       inquiry_text(lu->revision, 4, id->revision) && serial_text(lu, id->serial);
}

bool lu_restore(struct lu *lu, const struct lu_reservation *r)
{
	lu->pr.generation = r->generation;
	lu->pr.type = pr_type_valid(r->type) ? r->type : PR_NONE;
	lu->pr.aptpl = r->n;
	for (unsigned i = 0; i < r->n; i++) {
		struct pr_reg reg = { (char *)(uintptr_t)r->registrants[i].initiator,
			r->registrants[i].port, r->registrants[i].holder, r->registrants[i].key };

		if (!pr_restore(&lu->pr, &reg)) {
			pr_clear(&lu->pr);
			return false;
		}
	}
	return true;
}
