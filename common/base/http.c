/* SPDX-License-Identifier: ISC */
/* Heads of HTTP/1.1 messages.  RFC 9112, 2 to 6; RFC 9110, 5. */
#include "common/base/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/err.h"

#define DIGITS_MAX 18

/* Letters and the rest of RFC 9110's tchar. */
static bool
is_token_char(uint8_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool
is_token(const struct buf *b)
{
	for (size_t i = 0; i < buf_len(b); i++)
		if (!is_token_char(buf_ptr(b)[i]))
			return false;
	return buf_len(b) != 0;
}

/* Anything but control characters; a tab may stand in a value. */
static bool
is_text(const struct buf *b, bool tabs)
{
	uint8_t c;

	for (size_t i = 0; i < buf_len(b); i++) {
		c = buf_ptr(b)[i];
		if ((c < ' ' && !(tabs && c == '\t')) || c == 0x7f)
			return false;
	}
	return true;
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool
http_is(const struct buf *b, const char *text)
{
	return buf_len(b) == strlen(text) &&
	    memcmp(buf_ptr(b), text, strlen(text)) == 0;
}

bool
http_is_nocase(const struct buf *b, const char *text)
{
	return buf_len(b) == strlen(text) &&
	    strncasecmp((const char *)buf_ptr(b), text, strlen(text)) == 0;
}

int
http_number(const struct buf *b, int64_t *n)
{
	uint8_t c;

	*n = 0;
	if (buf_len(b) == 0 || buf_len(b) > DIGITS_MAX)
		return SKY_ERR_FORMAT;
	for (size_t i = 0; i < buf_len(b); i++) {
		if ((c = buf_ptr(b)[i]) < '0' || c > '9')
			return SKY_ERR_FORMAT;
		*n = *n * 10 + (c - '0');
	}
	return 0;
}

/* Years are counted from March, so that a leap day is a year's last. */
void
http_date(time_t t, char text[HTTP_DATE_LEN])
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	uint64_t sec = (uint64_t)t % 86400, day = (uint64_t)t / 86400;
	uint64_t z = day + 719468, era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 2 : mp - 10;
	unsigned mday = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	unsigned year = (unsigned)(yoe + era * 400 + (month < 2));

	snprintf(text, HTTP_DATE_LEN, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
	    days + 3 * (day % 7), mday % 100, months + 3 * month, year % 10000,
	    (unsigned)(sec / 3600) % 100, (unsigned)(sec / 60) % 60,
	    (unsigned)sec % 60);
}

/* --- lines --- */

/* Bytes up to the first c, which is dropped: 1, or 0 if there is none. */
static int
http_split(struct buf *b, uint8_t c, struct buf *before)
{
	const uint8_t *p = memchr(buf_ptr(b), c, buf_len(b));

	if (buf_len(b) == 0 || p == NULL)
		return 0;
	(void)buf_get_view(b, (size_t)(p - buf_ptr(b)), before);
	(void)buf_skip(b, 1);
	return 1;
}

/* A line without its CRLF: 1, 0 if it is not complete, SKY_ERR_FORMAT. */
static int
get_line(struct buf *b, struct buf *line)
{
	size_t n;

	if (http_split(b, '\n', line) == 0)
		return 0;
	n = buf_len(line);
	if (n == 0 || buf_ptr(line)[n - 1] != '\r')
		return SKY_ERR_FORMAT;
	buf_view(line, buf_ptr(line), n - 1);
	return memchr(buf_ptr(line), '\r', n - 1) == NULL ? 1 : SKY_ERR_FORMAT;
}

static void
http_trim(struct buf *b)
{
	const uint8_t *p = buf_ptr(b);
	size_t n = buf_len(b);

	for (; n > 0 && is_space(*p); p++)
		n--;
	while (n > 0 && is_space(p[n - 1]))
		n--;
	buf_view(b, p, n);
}

int
http_next_field(struct buf *fields, struct buf *name, struct buf *value)
{
	int r;

	if (buf_len(fields) == 0)
		return 0;
	if ((r = get_line(fields, value)) != 1)
		return SKY_ERR_FORMAT;
	if (http_split(value, ':', name) == 0 || !is_token(name))
		return SKY_ERR_FORMAT;
	http_trim(value);
	return is_text(value, true) ? 1 : SKY_ERR_FORMAT;
}

int
http_field(const struct buf *fields, const char *name, struct buf *value)
{
	struct buf rest = *fields, n;

	while (http_next_field(&rest, &n, value) == 1)
		if (http_is_nocase(&n, name))
			return 1;
	return 0;
}

/* --- heads --- */

/* What can never become a line would otherwise be waited for in vain. */
static bool
bare_lf(const struct buf *b)
{
	const uint8_t *p = buf_ptr(b), *end = p + buf_len(b);

	for (const uint8_t *q = p; q < end; q++)
		if (*q == '\n' && (q == p || q[-1] != '\r'))
			return true;
	return false;
}

/*
 * The section up to and with its empty line, which is dropped: 1 with the
 * lines, 0 when it is not complete.
 */
static int
get_section(struct buf *in, struct buf *section)
{
	const uint8_t *p, *end;

	if (buf_len(in) >= 2 && memcmp(buf_ptr(in), "\r\n", 2) == 0) {
		(void)buf_get_view(in, 0, section);
		return buf_skip(in, 2) == 0 ? 1 : SKY_ERR_FORMAT;
	}
	p = buf_ptr(in);
	end = buf_len(in) < 4 ? NULL : memmem(p, buf_len(in), "\r\n\r\n", 4);
	if (end == NULL && bare_lf(in))
		return SKY_ERR_FORMAT;
	if (end == NULL)
		return buf_len(in) >= HTTP_HEAD_MAX ? SKY_ERR_LIMIT : 0;
	if (end - p > HTTP_HEAD_MAX - 4)
		return SKY_ERR_LIMIT;
	(void)buf_get_view(in, (size_t)(end - p) + 2, section);
	return buf_skip(in, 2) == 0 ? 1 : SKY_ERR_FORMAT;
}

/* Fields that say how long the body is. */
static int
take_framing(struct http_head *h, const struct buf *name,
    const struct buf *value)
{
	if (http_is_nocase(name, "content-length")) {
		if (h->length != HTTP_NO_LENGTH)
			return SKY_ERR_FORMAT;
		return http_number(value, &h->length);
	}
	if (http_is_nocase(name, "transfer-encoding")) {
		if (h->chunked || !http_is_nocase(value, "chunked"))
			return SKY_ERR_FORMAT;
		h->chunked = true;
	}
	return 0;
}

/* Every field is looked at, so that what is kept can be walked safely. */
static int
check_fields(struct http_head *h)
{
	struct buf rest = h->fields, name, value;
	int r;

	while ((r = http_next_field(&rest, &name, &value)) == 1)
		if ((r = take_framing(h, &name, &value)) != 0)
			return r;
	if (r == 0 && h->chunked &&
	    (h->length != HTTP_NO_LENGTH || h->minor == 0))
		return SKY_ERR_FORMAT;
	return r;
}

static int
get_version(const struct buf *text, int *minor)
{
	if (!http_is(text, "HTTP/1.1") && !http_is(text, "HTTP/1.0"))
		return SKY_ERR_FORMAT;
	*minor = buf_ptr(text)[7] - '0';
	return 0;
}

static int
request_line(struct http_head *h, struct buf *line)
{
	if (http_split(line, ' ', &h->method) == 0 ||
	    http_split(line, ' ', &h->target) == 0 || !is_token(&h->method) ||
	    buf_len(&h->target) == 0 || !is_text(&h->target, false))
		return SKY_ERR_FORMAT;
	return get_version(line, &h->minor);
}

/* The reason may be empty, and its space missing (as Go tolerates). */
static int
status_line(struct http_head *h, struct buf *line)
{
	struct buf version, code;
	int64_t n;

	if (http_split(line, ' ', &version) == 0 ||
	    get_version(&version, &h->minor) != 0)
		return SKY_ERR_FORMAT;
	if (buf_get_view(line, 3, &code) != 0 || http_number(&code, &n) != 0 ||
	    n < 100)
		return SKY_ERR_FORMAT;
	if (buf_len(line) != 0 && *buf_ptr(line) != ' ')
		return SKY_ERR_FORMAT;
	h->status = (int)n;
	h->reason = *line;
	http_trim(&h->reason);
	return is_text(&h->reason, true) ? 0 : SKY_ERR_FORMAT;
}

static int
http_get_head(struct buf *in, struct http_head *h,
    int (*first)(struct http_head *, struct buf *))
{
	struct buf line;
	int r;

	memset(h, 0, sizeof(*h));
	h->length = HTTP_NO_LENGTH;
	if ((r = get_section(in, &h->fields)) != 1)
		return r;
	if (get_line(&h->fields, &line) != 1 || first(h, &line) != 0)
		return SKY_ERR_FORMAT;
	r = check_fields(h);
	return r == 0 ? 1 : r;
}

int
http_get_request(struct buf *in, struct http_head *h)
{
	return http_get_head(in, h, request_line);
}

int
http_get_response(struct buf *in, struct http_head *h)
{
	return http_get_head(in, h, status_line);
}

/* --- bodies --- */

void
http_body_init(struct http_body *b, const struct http_head *h, bool response)
{
	memset(b, 0, sizeof(*b));
	b->state = HTTP_LENGTH;
	if (h->chunked)
		b->state = HTTP_SIZE;
	else if (h->length != HTTP_NO_LENGTH)
		b->left = (uint64_t)h->length;
	else if (response)
		b->state = HTTP_UNTIL_EOF;
	if (response &&
	    (h->status < 200 || h->status == 204 || h->status == 304)) {
		b->state = HTTP_LENGTH;
		b->left = 0;
	}
	if (b->state == HTTP_LENGTH && b->left == 0)
		b->state = HTTP_DONE;
}

static int
http_hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Digits, then perhaps extensions, which mean nothing to us. */
static int
parse_size(const struct buf *line, uint64_t *size)
{
	size_t i, n = buf_len(line);
	int d;

	*size = 0;
	for (i = 0; i < n && (d = http_hex_digit(buf_ptr(line)[i])) != -1;
	     i++) {
		if (i == 15)
			return SKY_ERR_LIMIT;
		*size = *size << 4 | (unsigned)d;
	}
	if (i == 0 || !is_text(line, true))
		return SKY_ERR_FORMAT;
	while (i < n && is_space(buf_ptr(line)[i]))
		i++;
	return i == n || buf_ptr(line)[i] == ';' ? 0 : SKY_ERR_FORMAT;
}

static int
http_get_size(struct http_body *b, struct buf *in)
{
	struct buf line;
	int r;

	if ((r = get_line(in, &line)) == 0)
		return buf_len(in) > HTTP_LINE_MAX + 1 ? SKY_ERR_LIMIT : 0;
	if (r < 0)
		return r;
	if (buf_len(&line) > HTTP_LINE_MAX)
		return SKY_ERR_LIMIT;
	if ((r = parse_size(&line, &b->left)) != 0)
		return r;
	b->state = b->left == 0 ? HTTP_TRAILERS : HTTP_CHUNK;
	return 1;
}

static int
get_crlf(struct http_body *b, struct buf *in)
{
	uint8_t end[2];

	if (buf_len(in) < sizeof(end))
		return 0;
	(void)buf_get(in, end, sizeof(end));
	b->state = HTTP_SIZE;
	return memcmp(end, "\r\n", sizeof(end)) == 0 ? 1 : SKY_ERR_FORMAT;
}

static int
get_trailers(struct http_body *b, struct buf *in)
{
	struct buf rest, name, value;
	int r;

	if ((r = get_section(in, &b->trailers)) != 1)
		return r;
	rest = b->trailers;
	while ((r = http_next_field(&rest, &name, &value)) == 1)
		;
	if (r == 0)
		b->state = HTTP_DONE;
	return r;
}

static int
get_piece(struct http_body *b, struct buf *in, struct buf *piece)
{
	size_t n = buf_len(in);

	if (b->state != HTTP_UNTIL_EOF && n > b->left)
		n = (size_t)b->left;
	if (n == 0)
		return 0;
	(void)buf_get_view(in, n, piece);
	if (b->state == HTTP_UNTIL_EOF)
		return 1;
	if ((b->left -= n) == 0)
		b->state = b->state == HTTP_CHUNK ? HTTP_CRLF : HTTP_DONE;
	return 1;
}

int
http_get_body(struct http_body *b, struct buf *in, struct buf *piece)
{
	int r = 1;

	while (r == 1) {
		switch (b->state) {
		case HTTP_LENGTH:
		case HTTP_CHUNK:
		case HTTP_UNTIL_EOF:
			return get_piece(b, in, piece);
		case HTTP_SIZE:
			r = http_get_size(b, in);
			break;
		case HTTP_CRLF:
			r = get_crlf(b, in);
			break;
		case HTTP_TRAILERS:
			r = get_trailers(b, in);
			break;
		case HTTP_DONE:
			return 0;
		}
	}
	return r;
}
