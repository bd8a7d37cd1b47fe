/* SPDX-License-Identifier: ISC */
/* Texts for error codes. */
#include "common/base/err.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const texts[] = {
	[-SKY_ERR_NOMEM] = "out of memory",
	[-SKY_ERR_SHORT] = "unexpected end of data",
	[-SKY_ERR_TRAILING] = "left-over data",
	[-SKY_ERR_FORMAT] = "malformed data",
	[-SKY_ERR_LIMIT] = "too large",
	[-SKY_ERR_RANGE] = "value out of range",
	[-SKY_ERR_TYPE] = "value of the wrong type",
	[-SKY_ERR_KEY] = "invalid key",
	[-SKY_ERR_AUTH] = "authentication tag does not match",
	[-SKY_ERR_NONCE] = "frame counter does not rise",
	[-SKY_ERR_STATE] = "not allowed in this state",
	[-SKY_ERR_EOF] = "connection closed by peer",
	[-SKY_ERR_AGAIN] = "temporarily unavailable",
	[-SKY_ERR_EXISTS] = "already exists",
	[-SKY_ERR_NOTFOUND] = "not found",
	[-SKY_ERR_DENIED] = "not permitted",
	[-SKY_ERR_RDONLY] = "buffer is read-only",
};

const char *
err_text(int code)
{
	size_t n = sizeof(texts) / sizeof(texts[0]);

	if (code == 0)
		return "success";
	if (code == SKY_ERR_SYS)
		return strerror(errno);
	if (code > 0 || code <= -(int)n || texts[-code] == NULL)
		return "unknown error";
	return texts[-code];
}
