/* SPDX-License-Identifier: BSD-2-Clause */
/* The Storage Gateway dialect: from a request that came in to the operation that answers it. */
#include "mgmt/aws.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/log.h"
#include "mgmt/aws_operations.h"
#include "mgmt/sigv4.h"
#include "mgmt/uuid.h"
#include "net/addr.h"
#include "registry/gateway.h"

#define HEADERS_MAX 128

static const char serialization[] =
	"An error occurred during serialization. Check that your JSON payload is well-formed.";

/* --- the operations ------------------------------------------------------------------------- */

// clang-format off
#define GATEWAY_ARN(flags)  { "GatewayARN", AWS_TEXT, flags, 50, 500, NULL }
#define TARGET_ARN          { "TargetARN", AWS_TEXT, AWS_REQUIRED, 50, 800, NULL }
#define VOLUME_ARN          { "VolumeARN", AWS_TEXT, AWS_REQUIRED, 50, 500, NULL }
#define VOLUME_ARNS         { "VolumeARNs", AWS_TEXTS, AWS_REQUIRED, 50, 500, NULL }
#define RESOURCE_ARN        { "ResourceARN", AWS_TEXT, AWS_REQUIRED, 50, 500, NULL }
#define INITIATOR           { "InitiatorName", AWS_TEXT, AWS_REQUIRED, 1, 255, &aws_iqn_pattern }
#define SECRET(name, flags) { name, AWS_TEXT, (flags) | AWS_SENSITIVE, 1, 100, NULL }
#define TARGET_NAME(flags)  { "TargetName", AWS_TEXT, flags, 1, 200, &aws_target_name_pattern }
#define INTERFACE           { "NetworkInterfaceId", AWS_TEXT, AWS_REQUIRED, 1, 100, &aws_interface_pattern }
#define DISK_ID(flags)      { "DiskId", AWS_TEXT, flags, 1, 300, NULL }
#define DISK_IDS            { "DiskIds", AWS_TEXTS, AWS_REQUIRED, 1, 300, NULL }
#define TAGS(flags)         { "Tags", AWS_TAGS, flags, 0, 0, NULL }
/* What is known, to be refused in words of the service. */
#define SNAPSHOT            { "SnapshotId", AWS_TEXT, 0, 13, 22, &aws_snapshot_pattern }
#define KMS                 { "KMSEncrypted", AWS_BOOL, 0, 0, 0, NULL }, { "KMSKey", AWS_TEXT, 0, 7, 2048, &aws_kms_key_pattern }
#define TAPE_ARN            { "TapeARN", AWS_TEXT, AWS_REQUIRED, 50, 500, &aws_tape_arn_pattern }
#define TAPE_ARNS           { "TapeARNs", AWS_TEXTS, 0, 50, 500, &aws_tape_arn_pattern }
#define TAPE_SIZE           { "TapeSizeInBytes", AWS_NUMBER, AWS_REQUIRED, INT64_MIN, INT64_MAX, NULL }
#define POOL(flags)         { "PoolId", AWS_TEXT, flags, 1, 100, NULL }
#define WORM                { "Worm", AWS_BOOL, 0, 0, 0, NULL }
/* There is no retention to go around. */
#define BYPASS              { "BypassGovernanceRetention", AWS_BOOL, 0, 0, 0, NULL }
#define PAGING              { "Marker", AWS_TEXT, 0, 1, 1000, NULL }, { "Limit", AWS_NUMBER, 0, 1, INT32_MAX, NULL }

static const struct aws_member update_chap[] = { TARGET_ARN, INITIATOR,
	SECRET("SecretToAuthenticateInitiator", AWS_REQUIRED), SECRET("SecretToAuthenticateTarget", 0) };
static const struct aws_member describe_chap[] = { TARGET_ARN };
static const struct aws_member delete_chap[] = { TARGET_ARN, INITIATOR };
static const struct aws_member list_gateways[] = { PAGING };
static const struct aws_member one_gateway[] = { GATEWAY_ARN(AWS_REQUIRED) };
static const struct aws_member vtl_devices[] = { GATEWAY_ARN(AWS_REQUIRED),
	{ "VTLDeviceARNs", AWS_TEXTS, 0, 50, 500, NULL }, PAGING };
static const struct aws_member list_volumes[] = { GATEWAY_ARN(0), PAGING };
static const struct aws_member volumes[] = { VOLUME_ARNS };
static const struct aws_member one_volume[] = { VOLUME_ARN };
static const struct aws_member update_gateway[] = { GATEWAY_ARN(AWS_REQUIRED),
	{ "GatewayName", AWS_TEXT, 0, 2, 255, &aws_gateway_name_pattern },
	{ "GatewayTimezone", AWS_TEXT, 0, 3, 10, NULL },
	{ "CloudWatchLogGroupARN", AWS_TEXT, 0, 0, 562, NULL },
	{ "GatewayCapacity", AWS_TEXT, 0, 0, 20, &aws_capacity_set } };
static const struct aws_member activate_gateway[] = { { "ActivationKey", AWS_TEXT, AWS_REQUIRED, 1, 50, NULL },
	{ "GatewayName", AWS_TEXT, AWS_REQUIRED, 2, 255, &aws_gateway_name_pattern },
	{ "GatewayTimezone", AWS_TEXT, AWS_REQUIRED, 3, 10, NULL },
	{ "GatewayRegion", AWS_TEXT, AWS_REQUIRED, 1, 25, NULL },
	{ "GatewayType", AWS_TEXT, 0, 2, 20, NULL }, { "TapeDriveType", AWS_TEXT, 0, 2, 50, NULL },
	{ "MediumChangerType", AWS_TEXT, 0, 2, 50, NULL }, TAGS(0) };
static const struct aws_member create_stored[] = { GATEWAY_ARN(AWS_REQUIRED), DISK_ID(AWS_REQUIRED), SNAPSHOT,
	{ "PreserveExistingData", AWS_BOOL, AWS_REQUIRED, 0, 0, NULL }, TARGET_NAME(AWS_REQUIRED), INTERFACE, KMS,
	TAGS(0) };
static const struct aws_member create_cached[] = { GATEWAY_ARN(AWS_REQUIRED),
	{ "VolumeSizeInBytes", AWS_NUMBER, AWS_REQUIRED, INT64_MIN, INT64_MAX, NULL }, SNAPSHOT, TARGET_NAME(AWS_REQUIRED),
	{ "SourceVolumeARN", AWS_TEXT, 0, 50, 500, NULL }, INTERFACE,
	{ "ClientToken", AWS_TEXT, AWS_REQUIRED, 5, 100, NULL }, KMS, TAGS(0) };
static const struct aws_member attach_volume[] = { GATEWAY_ARN(AWS_REQUIRED), TARGET_NAME(0), VOLUME_ARN, INTERFACE,
	DISK_ID(0) };
static const struct aws_member detach_volume[] = { VOLUME_ARN, { "ForceDetach", AWS_BOOL, 0, 0, 0, NULL } };
static const struct aws_member add_disks[] = { GATEWAY_ARN(AWS_REQUIRED), DISK_IDS };
static const struct aws_member add_tags[] = { RESOURCE_ARN, TAGS(AWS_REQUIRED) };
static const struct aws_member remove_tags[] = { RESOURCE_ARN,
	{ "TagKeys", AWS_TEXTS, AWS_REQUIRED, 1, 128, &aws_tag_key_pattern } };
static const struct aws_member device_type[] = {
	{ "VTLDeviceARN", AWS_TEXT, AWS_REQUIRED, 50, 500, NULL },
	{ "DeviceType", AWS_TEXT, AWS_REQUIRED, 2, 50, NULL } };
static const struct aws_member gateway_tapes[] = { GATEWAY_ARN(AWS_REQUIRED), TAPE_ARNS, PAGING };
static const struct aws_member tapes[] = { TAPE_ARNS, PAGING };
static const struct aws_member recovery_points[] = { GATEWAY_ARN(AWS_REQUIRED), PAGING };
static const struct aws_member tape_pools[] = { { "PoolARNs", AWS_TEXTS, 0, 50, 500, NULL }, PAGING };
static const struct aws_member create_tapes[] = { GATEWAY_ARN(AWS_REQUIRED), TAPE_SIZE,
	{ "ClientToken", AWS_TEXT, AWS_REQUIRED, 5, 100, NULL },
	{ "NumTapesToCreate", AWS_NUMBER, AWS_REQUIRED, 1, 10, NULL },
	{ "TapeBarcodePrefix", AWS_TEXT, AWS_REQUIRED, 1, 4, &aws_barcode_prefix_pattern }, POOL(0), KMS, WORM, TAGS(0) };
static const struct aws_member create_tape[] = { GATEWAY_ARN(AWS_REQUIRED), TAPE_SIZE,
	{ "TapeBarcode", AWS_TEXT, AWS_REQUIRED, 5, 16, &aws_barcode_pattern }, POOL(0), KMS, WORM, TAGS(0) };
static const struct aws_member gateway_tape[] = { GATEWAY_ARN(AWS_REQUIRED), TAPE_ARN, BYPASS };
static const struct aws_member one_tape[] = { TAPE_ARN, BYPASS };
static const struct aws_member assign_pool[] = { TAPE_ARN, POOL(AWS_REQUIRED), BYPASS };
static const struct aws_member list_tags[] = { RESOURCE_ARN, PAGING };

#define ROW(name, changes, always, run, members) \
	{ name, changes, always, run, members, sizeof(members) / sizeof(members[0]) }
#define LOOKS(name, run, members)   ROW(name, false, false, run, members)
#define CHANGES(name, run, members) ROW(name, true, false, run, members)

static const struct aws_operation operations[] = {
	CHANGES("UpdateChapCredentials",    aws_update_chap_credentials,      update_chap),
	LOOKS("DescribeChapCredentials",    aws_describe_chap_credentials,    describe_chap),
	CHANGES("DeleteChapCredentials",    aws_delete_chap_credentials,      delete_chap),
	ROW("ListGateways", false, true,    aws_list_gateways,                list_gateways),
	ROW("DescribeGatewayInformation", false, true, aws_describe_gateway_information, one_gateway),
	ROW("ActivateGateway", true, true,  aws_activate_gateway,             activate_gateway),
	CHANGES("UpdateGatewayInformation", aws_update_gateway_information,   update_gateway),
	CHANGES("ShutdownGateway",          aws_shutdown_gateway,             one_gateway),
	ROW("StartGateway", true, true,     aws_start_gateway,                one_gateway),
	LOOKS("DescribeVTLDevices",         aws_describe_vtl_devices,         vtl_devices),
	CHANGES("UpdateVTLDeviceType",      aws_update_vtl_device_type,       device_type),
	CHANGES("CreateTapes",              aws_create_tapes,                 create_tapes),
	CHANGES("CreateTapeWithBarcode",    aws_create_tape_with_barcode,     create_tape),
	LOOKS("DescribeTapes",              aws_describe_tapes,               gateway_tapes),
	LOOKS("ListTapes",                  aws_list_tapes,                   tapes),
	CHANGES("DeleteTape",               aws_delete_tape,                  gateway_tape),
	LOOKS("DescribeTapeArchives",       aws_describe_tape_archives,       tapes),
	CHANGES("RetrieveTapeArchive",      aws_retrieve_tape_archive,        gateway_tape),
	CHANGES("DeleteTapeArchive",        aws_delete_tape_archive,          one_tape),
	CHANGES("CancelArchival",           aws_cancel_archival,              gateway_tape),
	CHANGES("CancelRetrieval",          aws_cancel_retrieval,             gateway_tape),
	LOOKS("DescribeTapeRecoveryPoints", aws_describe_tape_recovery_points, recovery_points),
	CHANGES("RetrieveTapeRecoveryPoint", aws_retrieve_tape_recovery_point, gateway_tape),
	LOOKS("ListTapePools",              aws_list_tape_pools,              tape_pools),
	CHANGES("AssignTapePool",           aws_assign_tape_pool,             assign_pool),
	LOOKS("ListVolumes",                aws_list_volumes,                 list_volumes),
	LOOKS("DescribeStorediSCSIVolumes", aws_describe_stored_volumes,      volumes),
	LOOKS("DescribeCachediSCSIVolumes", aws_describe_cached_volumes,      volumes),
	LOOKS("ListVolumeInitiators",       aws_list_volume_initiators,       one_volume),
	CHANGES("CreateStorediSCSIVolume",  aws_create_stored_volume,         create_stored),
	CHANGES("CreateCachediSCSIVolume",  aws_create_cached_volume,         create_cached),
	CHANGES("AttachVolume",             aws_attach_volume,                attach_volume),
	CHANGES("DetachVolume",             aws_detach_volume,                detach_volume),
	CHANGES("DeleteVolume",             aws_delete_volume,                one_volume),
	LOOKS("ListLocalDisks",             aws_list_local_disks,             one_gateway),
	CHANGES("AddCache",                 aws_add_cache,                    add_disks),
	CHANGES("AddUploadBuffer",          aws_add_upload_buffer,            add_disks),
	CHANGES("AddWorkingStorage",        aws_add_working_storage,          add_disks),
	LOOKS("DescribeCache",              aws_describe_cache,               one_gateway),
	LOOKS("DescribeUploadBuffer",       aws_describe_upload_buffer,       one_gateway),
	LOOKS("DescribeWorkingStorage",     aws_describe_working_storage,     one_gateway),
	CHANGES("AddTagsToResource",        aws_add_tags,                     add_tags),
	CHANGES("RemoveTagsFromResource",   aws_remove_tags,                  remove_tags),
	LOOKS("ListTagsForResource",        aws_list_tags,                    list_tags),
};
// clang-format on

/* Both versions have the same members. */
static const struct aws_operation *find_operation(const struct call *c)
{
	static const char *const prefixes[] = { "StorageGateway_20130630.",
		"StorageGateway_20120630." };
	const char *target = call_header(c, "x-amz-target");

	for (size_t i = 0; target && i < 2; i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(target, prefixes[i], len) != 0)
			continue;
		for (size_t j = 0; j < sizeof(operations) / sizeof(operations[0]); j++)
			if (!strcmp(operations[j].name, target + len))
				return &operations[j];
	}
	return NULL;
}

/* --- answers -------------------------------------------------------------------------------- */

static const struct config_aws *settings(const struct aws *a)
{
	return &registry_config(a->registry)->management.aws;
}

const struct config_aws *aws_gateway(const struct aws_request *q)
{
	const struct registry_gateway g = registry_gateway(q->registry);
	struct config_aws *out = &q->aws->gateway;

	*out = *settings(q->aws);
	/* Borrowed text that nobody changes or frees here. */
	if (g.name)
		out->gateway_name = (char *)(uintptr_t)g.name;
	if (g.timezone)
		out->timezone = (char *)(uintptr_t)g.timezone;
	return out;
}

bool aws_is_over(const struct aws_request *q)
{
	return !registry_config(q->registry);
}

/* Clients show it with every error. */
static void add_request_id(struct call *c)
{
	char id[UUID_SIZE];

	if (uuid_make(id))
		call_answer_header(c, "x-amzn-RequestId", id);
}

static void refuse(struct call *c, int status, const char *exception, const char *message)
{
	call_answer_header(c, "x-amzn-ErrorType", exception);
	call_reply(c, status, aws_error(exception, message, AWS_OK));
}

static void request_free(struct aws_request *q)
{
	json_decref(q->body);
	json_decref(q->answer);
	free(q);
}

void aws_reply(struct aws_request *q, json_t *body)
{
	call_reply(q->call, 200, body);
	request_free(q);
}

static void refuse_request(
	struct aws_request *q, enum aws_code code, const char *message, const char *reason)
{
	const char *exception = aws_code_exception(code);

	if (q->operation->changes)
		call_note_refusal(q->call, q->operation->name, reason);
	call_answer_header(q->call, "x-amzn-ErrorType", exception);
	call_reply(q->call, aws_code_status(code), aws_error(exception, message, code));
	request_free(q);
}

void aws_refuse_with(struct aws_request *q, enum aws_code code, const char *message)
{
	refuse_request(q, code, message, message);
}

void aws_refuse(struct aws_request *q, enum aws_code code)
{
	const char *text = aws_code_text(code);

	refuse_request(q, code, text, *q->cause ? q->cause : text);
}

void aws_blame(struct aws_request *q, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(q->cause, sizeof(q->cause), fmt, ap);
	va_end(ap);
}

void aws_refuse_because(struct aws_request *q, enum aws_code code, const char *reason)
{
	refuse_request(q, code, aws_code_text(code), reason);
}

/* --- members -------------------------------------------------------------------------------- */

const json_t *aws_member(const struct aws_request *q, const char *name)
{
	const json_t *j = json_object_get(q->body, name);

	return json_is_null(j) ? NULL : j;
}

const char *aws_member_text(const struct aws_request *q, const char *name)
{
	return json_string_value(aws_member(q, name));
}

int64_t aws_member_number(const struct aws_request *q, const char *name, int64_t otherwise)
{
	const json_t *j = aws_member(q, name);

	return j ? json_integer_value(j) : otherwise;
}

bool aws_member_true(const struct aws_request *q, const char *name)
{
	return json_is_true(aws_member(q, name));
}

json_t *aws_page(
	const struct aws_request *q, const json_t *list, const char *key, const char **next)
{
	const char *marker = aws_member_text(q, "Marker"), *last = NULL;
	size_t limit = (size_t)aws_member_number(q, "Limit", AWS_PAGE), i = 0;
	json_t *page = json_array();

	*next = NULL;
	for (; i < json_array_size(list); i++) {
		json_t *row = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(row, key));

		if (marker && strcmp(name, marker) <= 0)
			continue;
		if (json_array_size(page) == limit) {
			*next = last;
			break;
		}
		if (json_array_append(page, row)) {
			json_decref(page);
			return NULL;
		}
		last = name;
	}
	return page;
}

/* --- a request with its proof --------------------------------------------------------------- */

struct headers {
	struct sigv4_header v[HEADERS_MAX];
	size_t n;
};

static bool add_header(void *arg, const char *name, const char *value)
{
	struct headers *h = arg;

	if (h->n < HEADERS_MAX)
		h->v[h->n] = (struct sigv4_header){ name, value };
	h->n++;
	return true;
}

static const struct config_access_key *find_key(const struct config_aws *cfg, const char *id)
{
	for (size_t i = 0; i < cfg->n_access_keys; i++)
		if (!strcmp(cfg->access_keys[i].id, id))
			return &cfg->access_keys[i];
	return NULL;
}

/* Who was refused and why is in the log; what is right for that key is nowhere. */
static bool refuse_proof(struct call *c, enum sigv4_fault fault, const char *text)
{
	static const struct {
		int status;
		const char *exception;
	} answers[] = {
		[SIGV4_MISSING] = { 403, "MissingAuthenticationTokenException" },
		[SIGV4_INCOMPLETE] = { 400, "IncompleteSignatureException" },
		[SIGV4_SCOPE] = { 400, "InvalidSignatureException" },
		[SIGV4_EXPIRED] = { 400, "RequestExpired" },
		[SIGV4_UNSIGNED] = { 400, "InvalidSignatureException" },
		[SIGV4_MISMATCH] = { 400, "InvalidSignatureException" },
		[SIGV4_NO_MEMORY] = { 503, "ServiceUnavailableError" },
	};

	if (fault == SIGV4_MISMATCH) {
		call_answer_header(c, "x-amzn-ErrorType", answers[fault].exception);
		call_deny(c, answers[fault].status,
			aws_error(answers[fault].exception, text, AWS_OK));
	} else {
		refuse(c, answers[fault].status, answers[fault].exception, text);
	}
	return false;
}

static bool refuse_key(struct call *c)
{
	static const char exception[] = "UnrecognizedClientException";

	call_answer_header(c, "x-amzn-ErrorType", exception);
	call_deny(c, 400,
		aws_error(exception, "The security token included in the request is invalid.",
			AWS_OK));
	return false;
}

/* The last check of all: a key that may only read changes nothing. */
static bool may(struct call *c, bool read_only)
{
	const struct aws_operation *op = find_operation(c);
	char text[160];

	if (!read_only || !op || !op->changes)
		return true;
	snprintf(text, sizeof(text),
		"User is not authorized to perform: storagegateway:%s: the access key is "
		"for reading only",
		op->name);
	call_note_refusal(c, op->name, text);
	refuse(c, 400, "AccessDeniedException", text);
	return false;
}

static bool admit_signed(struct call *c, const struct aws *a, const struct sigv4_request *r,
	const struct sigv4_claim *claim)
{
	static const char *const must[] = { "host", "x-amz-date", "x-amz-target" };
	const struct config_access_key *key = find_key(settings(a), claim->key);
	struct sigv4_why why = { "" };
	enum sigv4_fault fault;
	char name[SIGV4_KEY_MAX + 8];

	if (!key)
		return refuse_key(c);
	fault = sigv4_check(r, claim,
		&(struct sigv4_rule){
			.secret = key->secret,
			.region = settings(a)->region,
			.service = "storagegateway",
			.must = must,
			.n_must = sizeof(must) / sizeof(must[0]),
			.now = a->now ? a->now() : (int64_t)time(NULL),
		},
		&why);
	if (fault)
		return refuse_proof(c, fault, why.text);
	snprintf(name, sizeof(name), "aws:%s", key->id);
	call_admit(c, name, key->read_only);
	return may(c, key->read_only);
}

/* A program of this machine that calls the server by an address of loopback. A page in a browser here
 * reaches it, too, under a name of its own that has come to stand for that address (DNS rebinding), but
 * cannot but tell that name. */
static bool is_trusted_unsigned(const struct call *c)
{
	const char *host = call_header(c, "Host");
	struct addr at;

	if (!host || !call_is_local(c))
		return false;
	if (strcspn(host, ":") == 9 && !strncasecmp(host, "localhost", 9))
		return true;
	return !addr_parse_port(&at, host, 0) && addr_is_loopback(&at);
}

static bool admit_request(struct call *c, const struct aws *a)
{
	struct headers h = { .n = 0 };
	struct sigv4_request r = { .method = call_method(c), .target = call_target(c) };
	struct sigv4_claim claim;
	struct sigv4_why why = { "" };
	enum sigv4_fault fault;

	call_headers(c, add_header, &h);
	if (h.n > HEADERS_MAX)
		return refuse_proof(c, SIGV4_INCOMPLETE, "There are too many headers.");
	r.headers = h.v;
	r.n_headers = h.n;
	r.body = call_body(c, &r.body_len);
	fault = sigv4_read(&r, &claim, &why);
	if (fault == SIGV4_MISSING && settings(a)->allow_unsigned && is_trusted_unsigned(c)) {
		call_admit(c, "aws:unsigned", false);
		return true;
	}
	if (fault)
		return refuse_proof(c, fault, why.text);
	return admit_signed(c, a, &r, &claim);
}

static bool admit(struct call *c)
{
	const struct aws *a = call_context(c);

	if (!settings(a)->enabled) {
		call_refuse(c, 404, "not_found", "there is nothing at this path");
		return false;
	}
	add_request_id(c);
	return admit_request(c, a);
}

/* --- a request that is admitted ------------------------------------------------------------- */

static json_t *read_body(const struct call *c)
{
	size_t len;
	const uint8_t *text = call_body(c, &len);
	json_t *body = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(body))
		return body;
	json_decref(body);
	return NULL;
}

/* A gateway that waits for its key is none yet; one that is shut down answers to little. */
static enum aws_code readiness(const struct aws_request *q)
{
	const struct registry_gateway g = registry_gateway(q->registry);

	if (q->operation->always)
		return AWS_OK;
	if (settings(q->aws)->activation_key && !g.active)
		return AWS_GATEWAY_NOT_FOUND;
	return g.stopped ? AWS_GATEWAY_NOT_CONNECTED : AWS_OK;
}

static void run(struct aws_request *q)
{
	enum aws_code code = readiness(q);

	if (code)
		aws_refuse(q, code);
	else
		q->operation->run(q);
}

static void dispatch(struct call *c)
{
	struct aws *a = call_context(c);
	const struct aws_operation *op = find_operation(c);
	struct aws_request *q;
	char text[AWS_INPUT_TEXT];

	if (!op) {
		refuse(c, 400, "UnknownOperationException", "An unknown operation was specified.");
		return;
	}
	q = calloc(1, sizeof(*q));
	if (!q) {
		call_no_memory(c);
		return;
	}
	*q = (struct aws_request){ c, a, a->registry, op, read_body(c), NULL, "" };
	if (!q->body || !aws_input_types(op->members, op->n_members, q->body)) {
		if (op->changes)
			call_note_refusal(c, op->name, serialization);
		refuse(c, 400, "SerializationException", serialization);
		request_free(q);
	} else if (!aws_input_check(op->members, op->n_members, q->body, text)) {
		/* Its text quotes what may be a secret in the wrong place. */
		if (op->changes)
			call_note_refusal(c, op->name, "a member breaks a constraint");
		refuse(c, 400, "ValidationException", text);
		request_free(q);
	} else {
		run(q);
	}
}

/* What is refused before an operation is looked for. */
static json_t *refusal(int status, const char *code, const char *message)
{
	(void)code;
	switch (status) {
	case 400: return aws_error("MalformedHttpRequestException", message, AWS_OK);
	case 403: return aws_error("AccessDeniedException", message, AWS_OK);
	case 404:
	case 405: return aws_error("UnknownOperationException", message, AWS_OK);
	default: return aws_error("InternalServerError", message, AWS_OK);
	}
}

static const struct route routes[] = {
	{ ROUTE_POST, "/", 0, dispatch },
};

const struct dialect aws_dialect = {
	.prefix = "",
	.content_type = "application/x-amz-json-1.1",
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.refusal = refusal,
	.admit = admit,
};
