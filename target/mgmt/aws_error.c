/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of the Storage Gateway API. */
#include "mgmt/aws_error.h"

#include "mgmt/native_json.h"

static const struct {
	const char *name, *text;
} codes[] = {
#define AS_ROW(id, code, message) [id] = { code, message },
	AWS_CODES(AS_ROW)
#undef AS_ROW
};

int aws_code_status(enum aws_code code)
{
	switch (code) {
	case AWS_GATEWAY_ERROR:
	case AWS_INTERNAL_ERROR: return 500;
	case AWS_SERVICE_UNAVAILABLE: return 503;
	default: return 400;
	}
}

const char *aws_code_exception(enum aws_code code)
{
	switch (code) {
	case AWS_GATEWAY_ERROR:
	case AWS_INTERNAL_ERROR: return "InternalServerError";
	case AWS_SERVICE_UNAVAILABLE: return "ServiceUnavailableError";
	default: return "InvalidGatewayRequestException";
	}
}

const char *aws_code_text(enum aws_code code)
{
	return codes[code].text;
}

json_t *aws_error(const char *exception, const char *message, enum aws_code code)
{
	struct object o = object_begin();

	object_put(&o, "__type", json_string(exception));
	object_put(&o, "message", json_of_text(message));
	if (code)
		object_put(&o, "error", json_pack("{s:s}", "errorCode", codes[code].name));
	return object_end(&o);
}
