/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The members of a request, by tables of their published constraints. Pure. Members that a table
 * does not have are ignored, and null is as if the member were not there.
 */
#ifndef MGMT_AWS_INPUT_H
#define MGMT_AWS_INPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aws_kind { AWS_TEXT, AWS_NUMBER, AWS_BOOL, AWS_TEXTS, AWS_TAGS };

enum aws_member_flag {
	AWS_REQUIRED = 1,
	AWS_SENSITIVE = 2, /* the value is never told */
};

/* A pattern that the whole of a text must match, or a set that it must be of. */
struct aws_pattern {
	const char *constraint; /* as it is told: the pattern, or the values that there are */
	bool (*matches)(const char *value);
};
extern const struct aws_pattern aws_iqn_pattern, aws_target_name_pattern, aws_interface_pattern,
	aws_snapshot_pattern, aws_gateway_name_pattern, aws_tag_key_pattern, aws_barcode_pattern,
	aws_barcode_prefix_pattern, aws_tape_arn_pattern, aws_kms_key_pattern, aws_capacity_set;

struct aws_member {
	const char *name; /* "TargetARN" */
	enum aws_kind kind;
	unsigned flags;
	/* The least and most of: characters of a text, of each text of a list, a number's value. */
	int64_t min, max;
	const struct aws_pattern *pattern; /* NULL: any */
};

/* Whether every member of the object has the JSON type that it should. If not, that is a
 * SerializationException. */
bool aws_input_types(const struct aws_member *members, size_t n, const json_t *body);

#define AWS_INPUT_TEXT 2048
/* Whether an object of the right types meets the constraints; otherwise the message of the
 * ValidationException, in UTF-8. */
bool aws_input_check(const struct aws_member *members, size_t n, const json_t *body,
	char text[static AWS_INPUT_TEXT]);

#endif
