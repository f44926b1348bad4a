/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request of the Storage Gateway API whose operation is known and whose members are as they
 * should be. The operation's function answers it exactly once, at once or later, by aws_reply() or
 * one of the refusals; it is gone then.
 */
#ifndef MGMT_AWS_REQUEST_H
#define MGMT_AWS_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "mgmt/aws.h"
#include "mgmt/aws_error.h"
#include "mgmt/aws_input.h"

struct aws_request;

struct aws_operation {
	const char *name;
	bool changes; /* not for keys that may only read */
	bool always;  /* also while the gateway is shut down, or waits to be activated */
	void (*run)(struct aws_request *q);
	const struct aws_member *members;
	size_t n_members;
};

struct aws_request {
	struct call *call;
	struct aws *aws;
	struct registry *registry; /* of aws */
	const struct aws_operation *operation;
	json_t *body;
	json_t *answer; /* what an operation has ready while it waits for more; or NULL */
	char cause[256]; /* of the refusal to come; aws_blame() */
};

/* The gateway: as the configuration in force has it, with the name and the time zone that it was given
 * by this API. Borrowed until the loop turns. */
const struct config_aws *aws_gateway(const struct aws_request *q);

/* Whether the server has been taken down around the request, which is still to be answered: then only
 * it and what it owns may be looked at. */
bool aws_is_over(const struct aws_request *q);

/* A member of the body; NULL, or `otherwise`: it is not there. Borrowed. */
const json_t *aws_member(const struct aws_request *q, const char *name);
const char *aws_member_text(const struct aws_request *q, const char *name);
int64_t aws_member_number(const struct aws_request *q, const char *name, int64_t otherwise);
bool aws_member_true(const struct aws_request *q, const char *name);

/* Answers 200. The body is taken over; NULL stands for memory that ran out. */
void aws_reply(struct aws_request *q, json_t *body);
/* Refuses, with the text of the code. */
void aws_refuse(struct aws_request *q, enum aws_code code);
/* The same, with a text of its own. */
void aws_refuse_with(struct aws_request *q, enum aws_code code, const char *message);
/* With the text of the code, which says less than the log is told. */
void aws_refuse_because(struct aws_request *q, enum aws_code code, const char *reason);
/* Has the log told this cause, and not the text of the code, should aws_refuse() follow. It may quote
 * what came, but for secrets. */
void aws_blame(struct aws_request *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- paging ---------------------------------------------------------------------------------- */

#define AWS_PAGE 100

/* Cuts a page out of a list of objects that rises by the text of `key`: from behind the Marker, at
 * most Limit rows. *next is the Marker of the next page, borrowed from the list; NULL: this is the
 * last. NULL when memory is out. */
json_t *aws_page(
	const struct aws_request *q, const json_t *list, const char *key, const char **next);

#endif
