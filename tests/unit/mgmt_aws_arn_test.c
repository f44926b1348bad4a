/* SPDX-License-Identifier: BSD-2-Clause */
/* ARNs made and taken apart, and the ids of volumes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/aws_arn.h"

#define GATEWAY "arn:aws:storagegateway:us-east-1:111122223333:gateway/sgw-12A3456B"
#define NAMED   "arn:aws:storagegateway:us-east-1:111122223333:gateway/a/b"

static char region[] = "us-east-1", account[] = "111122223333", id[] = "sgw-12A3456B",
	    name[] = "a/b";
static const struct config_aws gateway = {
	.region = region, .account = account, .gateway = id, .gateway_name = name
};

static void arns_are_as_published(void **state)
{
	(void)state;
	assert_string_equal(aws_gateway_arn(&gateway).text, GATEWAY);
	assert_string_equal(aws_target_arn(&gateway, "iqn.1997-05.com.amazon:myvolume").text,
		GATEWAY "/target/iqn.1997-05.com.amazon:myvolume");
	assert_string_equal(
		aws_volume_arn(&gateway, "vol-1122AABB").text, GATEWAY "/volume/vol-1122AABB");
}

static void the_region_decides_the_partition(void **state)
{
	char china[] = "cn-north-1", government[] = "us-gov-west-1";
	struct config_aws g = gateway;

	(void)state;
	g.region = china;
	assert_string_equal(aws_gateway_arn(&g).text,
		"arn:aws-cn:storagegateway:cn-north-1:111122223333:gateway/sgw-12A3456B");
	g.region = government;
	assert_string_equal(aws_gateway_arn(&g).text,
		"arn:aws-us-gov:storagegateway:us-gov-west-1:111122223333:gateway/sgw-12A3456B");
}

static void the_gateway_is_known_by_id_and_by_name(void **state)
{
	(void)state;
	assert_int_equal(aws_arn_is_gateway(&gateway, GATEWAY), AWS_OK);
	assert_int_equal(aws_arn_is_gateway(&gateway, NAMED), AWS_OK);
}

static void what_is_not_the_gateway_is_not_found(void **state)
{
	static const char *const bad[] = { "", "x", GATEWAY "0", GATEWAY "/", GATEWAY "/target/x",
		NAMED "c", "arn:aws:storagegateway:us-east-1:111122223333:gateway/",
		"arn:aws:storagegateway:us-east-2:111122223333:gateway/sgw-12A3456B",
		"arn:aws:storagegateway:us-east-1:111122223334:gateway/sgw-12A3456B",
		"arn:aws:storagegateway:us-east-1:111122223333:gateway/SGW-12A3456B" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(aws_arn_is_gateway(&gateway, bad[i]), AWS_GATEWAY_NOT_FOUND);
}

static void a_target_is_what_follows(void **state)
{
	const char *out = NULL;

	(void)state;
	assert_int_equal(aws_arn_target(&gateway, GATEWAY "/target/iqn.x:a/b", &out), AWS_OK);
	assert_string_equal(out, "iqn.x:a/b");
	assert_int_equal(aws_arn_target(&gateway, NAMED "/target/iqn.x", &out), AWS_OK);
	assert_string_equal(out, "iqn.x");
}

static void what_is_no_targets_arn_is_invalid_or_of_another_gateway(void **state)
{
	const char *out;

	(void)state;
	assert_int_equal(aws_arn_target(&gateway, GATEWAY, &out), AWS_TARGET_INVALID);
	assert_int_equal(aws_arn_target(&gateway, "iqn.x/target/y", &out), AWS_TARGET_INVALID);
	assert_int_equal(aws_arn_target(&gateway, GATEWAY "/volume/x", &out), AWS_TARGET_INVALID);
	assert_int_equal(
		aws_arn_target(&gateway, GATEWAY "0/target/x", &out), AWS_GATEWAY_NOT_FOUND);
	assert_int_equal(
		aws_arn_target(&gateway, GATEWAY "/x/target/x", &out), AWS_GATEWAY_NOT_FOUND);
}

static void a_volume_is_what_follows(void **state)
{
	const char *out = NULL;

	(void)state;
	assert_int_equal(aws_arn_volume(&gateway, GATEWAY "/volume/vol-1", &out), AWS_OK);
	assert_string_equal(out, "vol-1");
	assert_int_equal(
		aws_arn_volume(&gateway, GATEWAY "/target/x", &out), AWS_VOLUME_ID_INVALID);
}

/* Scripts keep these: the same LUN has the same id in every version of the server. */
static void the_id_of_a_volume_never_changes(void **state)
{
	char out[AWS_VOLUME_ID_SIZE];

	(void)state;
	aws_volume_id(&gateway, "iqn.1997-05.com.amazon:myvolume", 0, out);
	assert_string_equal(out, "vol-60C33C6539B0E5E68");
}

static void volumes_differ_by_gateway_target_and_lun(void **state)
{
	char other_id[] = "sgw-00000000", a[AWS_VOLUME_ID_SIZE], b[AWS_VOLUME_ID_SIZE];
	struct config_aws other = gateway;

	(void)state;
	other.gateway = other_id;
	aws_volume_id(&gateway, "iqn.x", 1, a);
	aws_volume_id(&other, "iqn.x", 1, b);
	assert_string_not_equal(a, b);
	aws_volume_id(&gateway, "iqn.x1", 1, b);
	assert_string_not_equal(a, b);
	aws_volume_id(&gateway, "iqn.x", 11, b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arns_are_as_published),
		cmocka_unit_test(the_region_decides_the_partition),
		cmocka_unit_test(the_gateway_is_known_by_id_and_by_name),
		cmocka_unit_test(what_is_not_the_gateway_is_not_found),
		cmocka_unit_test(a_target_is_what_follows),
		cmocka_unit_test(what_is_no_targets_arn_is_invalid_or_of_another_gateway),
		cmocka_unit_test(a_volume_is_what_follows),
		cmocka_unit_test(the_id_of_a_volume_never_changes),
		cmocka_unit_test(volumes_differ_by_gateway_target_and_lun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
