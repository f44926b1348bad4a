/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags of the gateway, its volumes and its tapes, in the catalog. */
#ifndef MGMT_AWS_TAG_H
#define MGMT_AWS_TAG_H

#include "mgmt/aws_request.h"
#include "registry/registry.h"

/* Whether the tags that a request brings for a new resource may be; with the blame, if not. */
bool aws_tags_allowed(struct aws_request *q);
/* Gives a resource those that the request brings, if any. On the catalog's thread, inside a request's
 * run(). 0 or -errno. */
int aws_tags_put(const struct aws_request *q, struct catalog_tx *tx, const char *resource);

/* Gives the tags of a resource as a list of {Key, Value}, which is then `then`'s; or refuses the
 * request. `then` may come when the server has been taken down around it: it must look at nothing
 * but the request and what that owns. */
void aws_tags_load(struct aws_request *q, const char *resource,
	void (*then)(struct aws_request *q, json_t *tags));

#endif
