/* SPDX-License-Identifier: BSD-2-Clause */
/* ARNs, and the ids of volumes. */
#include "mgmt/aws_arn.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define TARGET "/target/"
#define VOLUME "/volume/"

/* --- making --------------------------------------------------------------------------------- */

static const char *partition(const char *region)
{
	if (!strncmp(region, "cn-", 3))
		return "aws-cn";
	return strncmp(region, "us-gov-", 7) ? "aws" : "aws-us-gov";
}

/* What all our ARNs of a kind begin with. */
static struct aws_arn before(const struct config_aws *g, const char *kind)
{
	struct aws_arn arn;

	snprintf(arn.text, sizeof(arn.text), "arn:%s:storagegateway:%s:%s:%s/",
		partition(g->region), g->region, g->account, kind);
	return arn;
}

static struct aws_arn before_gateway(const struct config_aws *g)
{
	return before(g, "gateway");
}

struct aws_arn aws_tape_arn(const struct config_aws *gateway, const char *barcode)
{
	struct aws_arn arn = before(gateway, "tape");
	size_t len = strlen(arn.text);

	snprintf(arn.text + len, sizeof(arn.text) - len, "%s", barcode);
	return arn;
}

static struct aws_arn make(const struct config_aws *g, const char *kind, const char *name)
{
	struct aws_arn arn = before_gateway(g);
	size_t len = strlen(arn.text);

	snprintf(arn.text + len, sizeof(arn.text) - len, "%s%s%s", g->gateway, kind, name);
	return arn;
}

struct aws_arn aws_gateway_arn(const struct config_aws *gateway)
{
	return make(gateway, "", "");
}

struct aws_arn aws_target_arn(const struct config_aws *gateway, const char *target)
{
	return make(gateway, TARGET, target);
}

struct aws_arn aws_volume_arn(const struct config_aws *gateway, const char *volume)
{
	return make(gateway, VOLUME, volume);
}

void aws_volume_id(const struct config_aws *gateway, const char *target, uint32_t lun,
	char out[static AWS_VOLUME_ID_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	char text[512];
	int len = snprintf(
		text, sizeof(text), "%s\n%.255s\n%u", gateway->gateway, target, (unsigned)lun);

	EVP_Digest(text, (size_t)len, digest, NULL, EVP_sha256(), NULL);
	strcpy(out, "vol-");
	for (size_t i = 0; i < 9; i++)
		snprintf(out + 4 + 2 * i, i < 8 ? 3 : 2, i < 8 ? "%02X" : "%X",
			i < 8 ? digest[i] : digest[i] & 15u);
}

/* --- taking apart --------------------------------------------------------------------------- */

/* What follows the name in the text; NULL: the text does not begin with it, up to a slash or the
 * end. */
static const char *after(const char *text, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(text, name, len) != 0 || (text[len] && text[len] != '/'))
		return NULL;
	return text + len;
}

static enum aws_code take_apart(
	const struct config_aws *g, const char *arn, const char *kind, const char **out)
{
	struct aws_arn start = before_gateway(g);
	size_t len = strlen(start.text);
	const char *rest;

	if (strncmp(arn, start.text, len) != 0)
		return AWS_GATEWAY_NOT_FOUND;
	rest = after(arn + len, g->gateway);
	if (!rest && g->gateway_name)
		rest = after(arn + len, g->gateway_name);
	if (!rest || strncmp(rest, kind, strlen(kind)) != 0)
		return AWS_GATEWAY_NOT_FOUND;
	*out = rest + strlen(kind);
	return AWS_OK;
}

enum aws_code aws_arn_is_gateway(const struct config_aws *gateway, const char *arn)
{
	const char *rest;
	enum aws_code code = take_apart(gateway, arn, "", &rest);

	return !code && *rest ? AWS_GATEWAY_NOT_FOUND : code;
}

enum aws_code aws_arn_tape(const struct config_aws *gateway, const char *arn, const char **out)
{
	struct aws_arn start = before(gateway, "tape");
	size_t len = strlen(start.text);

	if (strncmp(arn, start.text, len) != 0)
		return AWS_NO_TAPE;
	*out = arn + len;
	return AWS_OK;
}

enum aws_code aws_arn_target(const struct config_aws *gateway, const char *arn, const char **out)
{
	if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, TARGET))
		return AWS_TARGET_INVALID;
	return take_apart(gateway, arn, TARGET, out);
}

enum aws_code aws_arn_volume(const struct config_aws *gateway, const char *arn, const char **out)
{
	if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, VOLUME))
		return AWS_VOLUME_ID_INVALID;
	return take_apart(gateway, arn, VOLUME, out);
}
