/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cartridges that are made, deleted, and brought back from the archive. To the archive a host brings
 * them, by moving them into a mail slot.
 *
 * CreateTapes has a ClientToken: the barcodes that it makes up are written down with the token before
 * the first cartridge is made. A request that is repeated, be it after the server was killed in
 * between, makes those that are missing and gives the same answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_tag.h"
#include "mgmt/aws_tape.h"
#include "mgmt/aws_token.h"

#define GIB       (UINT64_C(1) << 30)
#define TAPES_MAX 10 /* of one request */

/* --- making --------------------------------------------------------------------------------- */

struct creation {
	struct aws_request *q;
	char barcodes[TAPES_MAX][REGISTRY_BARCODE_SIZE];
	size_t n, next;
	bool lone; /* CreateTapeWithBarcode */
	const char *pool;
	uint64_t size;
	char library[65];
	struct aws_arn arn; /* of the next, for its tags */

	struct catalog_request request;
	const char *prefix;     /* borrowed from the request */
	struct aws_token token; /* answered with the barcodes, a blank between them */
};

static void creation_free(struct creation *c)
{
	aws_token_free(&c->token);
	free(c);
}

static void refuse(struct creation *c, enum aws_code code)
{
	aws_refuse(c->q, code);
	creation_free(c);
}

static struct aws_arn arn_of(const struct creation *c, size_t i)
{
	return aws_tape_arn(aws_gateway(c->q), c->barcodes[i]);
}

static void reply_made(struct creation *c)
{
	json_t *list;

	if (c->lone) {
		aws_reply(c->q, json_pack("{s:s}", "TapeARN", arn_of(c, 0).text));
		creation_free(c);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(list, json_string(arn_of(c, i).text));
	aws_reply(c->q, json_pack("{s:o}", "TapeARNs", list));
	creation_free(c);
}

/* On the catalog's thread, in the transaction of the cartridge. */
static int add_tags(void *arg, struct catalog_tx *tx)
{
	const struct creation *c = arg;

	return aws_tags_put(c->q, tx, c->arn.text);
}

static void make_next(struct creation *c);

/* Of several, one whose barcode was used is one that the request has made before. */
static void on_made(void *arg, const struct registry_tape_outcome *o)
{
	struct creation *c = arg;

	if (aws_is_over(c->q)) {
		refuse(c, AWS_SERVICE_UNAVAILABLE);
	} else if (o->result && (c->lone || o->result != TAPE_EXISTS)) {
		aws_refuse_tape(c->q, o);
		creation_free(c);
	} else {
		c->next++;
		make_next(c);
	}
}

static void make_next(struct creation *c)
{
	if (c->next == c->n) {
		reply_made(c);
		return;
	}
	c->arn = arn_of(c, c->next);
	registry_tape_change(c->q->registry, &(struct registry_tape_change){ .verb = TAPE_CREATE,
						     .library = c->library,
						     .barcode = c->barcodes[c->next],
						     .place = { .kind = REGISTRY_IN_SLOT },
						     .size = c->size,
						     .worm = aws_member_true(c->q, "Worm"),
						     .pool = c->pool,
						     .who = call_who(c->q->call),
						     .also = add_tags,
						     .done = on_made,
						     .arg = c });
}

struct count {
	unsigned tapes;
	const char *library;
};

static void count_tapes(void *arg, const struct registry_library *l)
{
	struct count *c = arg;

	if (!strcmp(l->name, c->library))
		c->tapes = l->tapes;
}

static void ignore(void *arg, const struct registry_tape *t)
{
	(void)arg, (void)t;
}

/* Those that a repeated request has made before are counted already. */
static bool are_too_many(const struct creation *c)
{
	const struct registry *r = c->q->registry;
	struct count there = { .library = c->library };
	size_t missing = 0;

	for (size_t i = 0; i < c->n; i++)
		missing += !registry_tape(r, c->barcodes[i], ignore, NULL);
	registry_libraries(r, count_tapes, &there);
	return missing && there.tapes + missing > AWS_TAPES_MAX;
}

static void make_all(struct creation *c)
{
	if (are_too_many(c))
		refuse(c, AWS_TOO_MANY_TAPES);
	else
		make_next(c);
}

/* --- tokens --------------------------------------------------------------------------------- */

/* On the catalog's thread, as what follows. */
static int make_up_barcode(struct creation *c, struct catalog_tx *tx, size_t i)
{
	bool used = true;

	for (int tries = 0; used && tries < 1000; tries++) {
		int err;

		if (!registry_tape_barcode(c->prefix, c->barcodes[i]))
			return -EINVAL;
		err = catalog_tape_barcode_used(tx, c->barcodes[i], &used);
		if (err)
			return err;
		for (size_t k = 0; k < i; k++)
			used |= !strcmp(c->barcodes[k], c->barcodes[i]);
	}
	return used ? -EEXIST : 0;
}

static int keep_barcodes(const struct creation *c, struct catalog_tx *tx)
{
	char answer[TAPES_MAX * REGISTRY_BARCODE_SIZE + 1] = "";

	for (size_t i = 0; i < c->n; i++) {
		strcat(answer, c->barcodes[i]);
		strcat(answer, i + 1 < c->n ? " " : "");
	}
	return aws_token_keep(&c->token, tx, answer);
}

static int run_token(struct catalog_request *r, struct catalog_tx *tx)
{
	struct creation *c = container_of(r, struct creation, request);
	int err = aws_token_find(&c->token, tx);

	if (err != -ENOENT)
		return err;
	err = 0;
	for (size_t i = 0; !err && i < c->n; i++)
		err = make_up_barcode(c, tx, i);
	return err ? err : keep_barcodes(c, tx);
}

/* What was made up for the token before. */
static void take_barcodes(struct creation *c)
{
	char *rest = c->token.answer, *word;

	c->n = 0;
	while (c->n < TAPES_MAX && (word = strsep(&rest, " ")))
		snprintf(c->barcodes[c->n++], REGISTRY_BARCODE_SIZE, "%s", word);
}

static void on_token(struct catalog_request *r)
{
	struct creation *c = container_of(r, struct creation, request);

	if (aws_is_over(c->q)) {
		refuse(c, AWS_SERVICE_UNAVAILABLE);
	} else if (r->err) {
		refuse(c, AWS_GATEWAY_ERROR);
	} else if (c->token.answer && !c->token.repeats) {
		aws_refuse_with(c->q, AWS_INVALID_PARAMETERS,
			"The specified client token was used for another request.");
		creation_free(c);
	} else {
		if (c->token.answer)
			take_barcodes(c);
		make_all(c);
	}
}

/* --- what can be refused at once ------------------------------------------------------------ */

static bool size_allowed(struct aws_request *q)
{
	const struct config_aws *g = aws_gateway(q);
	int64_t size = aws_member_number(q, "TapeSizeInBytes", 0);
	char text[160];

	if (size > 0 && !((uint64_t)size % GIB) && (uint64_t)size >= g->min_tape_size &&
		(uint64_t)size <= g->max_tape_size)
		return true;
	snprintf(text, sizeof(text),
		"The specified tape size is not a multiple of 1 GiB from %" PRIu64 " to %" PRIu64
		" GiB.",
		g->min_tape_size / GIB, g->max_tape_size / GIB);
	aws_refuse_with(q, AWS_INVALID_PARAMETERS, text);
	return false;
}

static bool pool_allowed(struct aws_request *q)
{
	if (aws_pool_of_request(q))
		return true;
	aws_refuse_with(q, AWS_INVALID_PARAMETERS,
		"The specified pool was not found: there are GLACIER and DEEP_ARCHIVE.");
	return false;
}

/* False: the request has been answered. */
static bool check(struct aws_request *q)
{
	enum aws_code code = AWS_OK;

	if (aws_member(q, "KMSKey") || aws_member_true(q, "KMSEncrypted")) {
		aws_blame(q, "there are no KMS keys");
		code = AWS_NOT_SUPPORTED;
	} else if (!size_allowed(q) || !pool_allowed(q)) {
		return false;
	} else if (!aws_tags_allowed(q)) {
		code = AWS_INVALID_PARAMETERS;
	}
	if (code)
		aws_refuse(q, code);
	return !code;
}

/* NULL: the request has been answered. */
static struct creation *creation_new(struct aws_request *q, size_t n)
{
	struct creation *c;

	if (!aws_is_tape_gateway(q) || !check(q))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c) {
		aws_refuse(q, AWS_SERVICE_UNAVAILABLE);
		return NULL;
	}
	c->q = q;
	c->n = n;
	c->size = (uint64_t)aws_member_number(q, "TapeSizeInBytes", 0);
	c->pool = aws_pool_of_request(q);
	snprintf(c->library, sizeof(c->library), "%s", aws_library(q));
	return c;
}

void aws_create_tape_with_barcode(struct aws_request *q)
{
	struct creation *c = creation_new(q, 1);

	if (!c)
		return;
	c->lone = true;
	snprintf(c->barcodes[0], REGISTRY_BARCODE_SIZE, "%s", aws_member_text(q, "TapeBarcode"));
	make_all(c);
}

void aws_create_tapes(struct aws_request *q)
{
	struct catalog *catalog = registry_catalog(q->registry);
	struct creation *c = creation_new(q, (size_t)aws_member_number(q, "NumTapesToCreate", 1));

	if (!c)
		return;
	c->prefix = aws_member_text(q, "TapeBarcodePrefix");
	if (!catalog || !aws_token_of(&c->token, q, "CreateTapes")) {
		refuse(c, AWS_SERVICE_UNAVAILABLE);
		return;
	}
	c->request = (struct catalog_request){
		.run = run_token, .done = on_token, .home = q->aws->loop
	};
	catalog_submit(catalog, &c->request);
}

/* --- what changes one ----------------------------------------------------------------------- */

static void reply_tape(void *arg, const struct registry_tape_outcome *o)
{
	struct aws_request *q = arg;

	if (o->result)
		aws_refuse_tape(q, o);
	else
		aws_reply(q, json_pack("{s:s}", "TapeARN", aws_member_text(q, "TapeARN")));
}

static void change(struct aws_request *q, struct registry_tape_change what)
{
	what.place.kind = REGISTRY_IN_SLOT;
	what.who = call_who(q->call);
	what.done = reply_tape;
	what.arg = q;
	registry_tape_change(q->registry, &what);
}

/* On the catalog's thread: the tags of a cartridge go with it. The ARN is the request's own, which
 * has been found to be right. */
static int remove_tags(void *arg, struct catalog_tx *tx)
{
	const struct aws_request *q = arg;

	return catalog_tag_remove_all(tx, json_string_value(json_object_get(q->body, "TapeARN")));
}

static void delete (struct aws_request *q, enum aws_tape_where where)
{
	struct aws_tape_named t;

	if (!aws_tape_of_request(q, where, &t))
		return;
	if (where == AWS_TAPE_IN_ARCHIVE && t.retrieved)
		aws_refuse_with(q, AWS_INVALID_PARAMETERS, "The specified tape was retrieved.");
	else if (t.in_drive)
		aws_refuse_with(
			q, AWS_INVALID_PARAMETERS, "The specified tape is in a tape drive.");
	else
		change(q, (struct registry_tape_change){
				  .verb = TAPE_DELETE, .barcode = t.barcode, .also = remove_tags });
}

void aws_delete_tape(struct aws_request *q)
{
	if (aws_is_tape_gateway(q))
		delete (q, AWS_TAPE_IN_LIBRARY);
}

void aws_delete_tape_archive(struct aws_request *q)
{
	delete (q, AWS_TAPE_IN_ARCHIVE);
}

/* One that is on its way already, or back, need not be asked for again. */
void aws_retrieve_tape_archive(struct aws_request *q)
{
	struct aws_tape_named t;

	if (!aws_is_tape_gateway(q) || !aws_tape_of_request(q, AWS_TAPE_IN_ARCHIVE, &t))
		return;
	if (t.retrieved)
		aws_reply(q, json_pack("{s:s}", "TapeARN", aws_member_text(q, "TapeARN")));
	else
		change(q, (struct registry_tape_change){ .verb = TAPE_RETRIEVE,
				  .barcode = t.barcode,
				  .retrieved_to = aws_gateway_arn(aws_gateway(q)).text,
				  .write_protect = true });
}

static void cancel(struct aws_request *q, bool archival)
{
	struct aws_tape_named t;
	bool going;

	if (!aws_is_tape_gateway(q) || !aws_tape_of_request(q, AWS_TAPE_ANYWHERE, &t))
		return;
	going = archival ? t.in_transit || !strcmp(t.state, "ARCHIVING")
			 : !strcmp(t.state, "RETRIEVING");
	if (going)
		change(q,
			(struct registry_tape_change){ .verb = TAPE_CANCEL, .barcode = t.barcode });
	else
		aws_refuse_with(q, AWS_INVALID_PARAMETERS,
			archival ? "The specified tape is not being archived."
				 : "The specified tape is not being retrieved.");
}

void aws_cancel_archival(struct aws_request *q)
{
	cancel(q, true);
}

void aws_cancel_retrieval(struct aws_request *q)
{
	cancel(q, false);
}

/* The pool of a cartridge that is in it can only be one that is colder. */
void aws_assign_tape_pool(struct aws_request *q)
{
	struct aws_tape_named t;

	if (!aws_tape_of_request(q, AWS_TAPE_ANYWHERE, &t) || !pool_allowed(q))
		return;
	if (!strcmp(t.pool, "DEEP_ARCHIVE"))
		aws_refuse_with(q, AWS_INVALID_PARAMETERS,
			"The specified tape is in DEEP_ARCHIVE, which no tape leaves.");
	else
		change(q, (struct registry_tape_change){ .verb = TAPE_ASSIGN,
				  .barcode = t.barcode,
				  .pool = aws_pool_of_request(q) });
}
