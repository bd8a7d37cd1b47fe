/* SPDX-License-Identifier: ISC */
/* The line of ~C: forwards are added and taken away while a session runs. */
#include "client/complain.h"
#include "client/exits.h"
#include "client/forward/forward_cmd.h"
#include "client/term.h"

#include <ctype.h>
#include <readpassphrase.h>
#include <stdio.h>
#include <string.h>

#define LINE_LEN 1024

static int
line_help(void)
{
	fputs("Commands:\n"
	      "      -L[address:]port:host:port    forward a port of ours\n"
	      "      -R[address:]port:host:port    forward a port of the host\n"
	      "      -D[address:]port              forward by SOCKS\n"
	      "      -KL[address:]port             cancel the first\n"
	      "      -KR[address:]port             cancel the second\n"
	      "      -KD[address:]port             cancel the third\n",
	    stderr);
	return 0;
}

int
forward_line_do(struct forward_held *h, const char *line)
{
	struct forward_wish wish;
	char text[LINE_LEN];
	bool cancel;
	int way;

	line += strspn(line, " \t");
	if (*line == '\0')
		return 0;
	if (strcmp(line, "?") == 0 || strcmp(line, "-h") == 0 ||
	    strcmp(line, "help") == 0)
		return line_help();
	line += *line == '-';
	cancel = *line == 'K' || *line == 'k';
	line += cancel;
	way = toupper((unsigned char)*line);
	if (way == '\0' || strchr("LRD", way) == NULL) {
		complain("Invalid command; ? lists them");
		return EXIT_FAILED;
	}
	line++;
	strlcpy(text, line + strspn(line, " \t"), sizeof(text));
	text[strcspn(text, " \t\r\n")] = '\0';
	wish = (struct forward_wish){ (enum forward_way)way, text };
	return cancel ? forward_cancel(h, &wish) : forward_add(h, &wish);
}

/* As it is typed with the terminal's own editing. */
void
forward_line(struct forward_held *h)
{
	char line[LINE_LEN];

	term_restore();
	if (readpassphrase("\r\nskypty> ", line, sizeof(line), RPP_ECHO_ON) !=
		NULL &&
	    forward_line_do(h, line) == 0 && *line != '\0' && *line != '?')
		fputs("Done.\n", stderr);
	(void)term_raw();
}
