/* SPDX-License-Identifier: ISC */
/* Texts for error codes. */
#include "common/base/err.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const texts[] = {
	[-ERR_NOMEM] = "out of memory",
	[-ERR_SHORT] = "unexpected end of data",
	[-ERR_TRAILING] = "left-over data",
	[-ERR_FORMAT] = "malformed data",
	[-ERR_LIMIT] = "limit exceeded",
	[-ERR_RANGE] = "value out of range",
	[-ERR_TYPE] = "value of the wrong type",
	[-ERR_KEY] = "invalid key",
	[-ERR_AUTH] = "authentication tag does not match",
	[-ERR_NONCE] = "frame counter does not rise",
	[-ERR_STATE] = "not allowed in this state",
	[-ERR_EOF] = "connection closed by peer",
	[-ERR_AGAIN] = "temporarily unavailable",
	[-ERR_EXISTS] = "already exists",
	[-ERR_NOTFOUND] = "not found",
	[-ERR_DENIED] = "not permitted",
	[-ERR_RDONLY] = "buffer is read-only",
};

const char *
err_text(int code)
{
	size_t n = sizeof(texts) / sizeof(texts[0]);

	if (code == 0)
		return "success";
	if (code == ERR_SYS)
		return strerror(errno);
	if (code > 0 || code <= -(int)n || texts[-code] == NULL)
		return "unknown error";
	return texts[-code];
}
