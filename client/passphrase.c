/* SPDX-License-Identifier: ISC */
/* Asking for passphrases.  readpassphrase(3) and ssh's variables. */
#include "client/passphrase.h"
#include "client/complain.h"
#include "client/exits.h"

#include <errno.h>
#include <fcntl.h>
#include <readpassphrase.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/process.h"

#define SIZE (KEY_PASS_MAX + 2) /* one that is too long is seen to be */

/* Whether the user may be asked at all: BatchMode. */
static bool passphrase_silent;

char *
passphrase_new(void)
{
	char *pass = sodium_init() != -1 ? sodium_malloc(SIZE) : NULL;

	if (pass != NULL)
		*pass = '\0';
	else
		complain("out of locked memory (ulimit -l)");
	return pass;
}

void
passphrase_free(char *pass)
{
	sodium_free(pass);
}

void
passphrase_never_ask(void)
{
	passphrase_silent = true;
}

bool
passphrase_has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

static int
passphrase_check(const char *pass, const char *from)
{
	if (strlen(pass) <= KEY_PASS_MAX)
		return 0;
	complain("%s: a passphrase is at most %d bytes long", from,
	    KEY_PASS_MAX);
	return EXIT_LOCAL;
}

/* --- the first line of a descriptor --- */

static int
passphrase_read(char *pass, int fd)
{
	size_t n = 0;
	ssize_t r = 1;
	char c;

	while (n < SIZE - 1) {
		r = read(fd, &c, 1);
		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0 || c == '\n' || c == '\0')
			break;
		pass[n++] = c;
	}
	if (n > 0 && pass[n - 1] == '\r')
		n--;
	pass[n] = '\0';
	explicit_bzero(&c, sizeof(c));
	return r == -1 ? -1 : 0;
}

int
passphrase_from_file(char *pass, const char *path)
{
	bool in = strcmp(path, "-") == 0;
	int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), r;

	if (fd == -1) {
		complain("%s: %s", path, strerror(errno));
		return EXIT_LOCAL;
	}
	if ((r = passphrase_read(pass, fd)) == -1)
		complain("%s: %s", path, strerror(errno));
	if (!in)
		close(fd);
	return r == 0 ? passphrase_check(pass, path) : EXIT_LOCAL;
}

/* --- a program that asks --- */

const char *
passphrase_program(void)
{
	const char *own = getenv("SKYPTY_ASKPASS");

	if (own == NULL || *own == '\0')
		own = getenv("SSH_ASKPASS");
	return own != NULL && *own != '\0' ? own : NULL;
}

/* In a new process. */
__attribute__((noreturn)) static void
passphrase_become(const char *program, const char *question, const char *hint,
    int out)
{
	const char *const argv[] = { program, question, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1)
		_exit(127);
	process_reset_signals();
	if (hint != NULL) {
		/* What it has started to ask goes with it. */
		(void)setpgid(0, 0);
		(void)setenv("SSH_ASKPASS_PROMPT", hint, 1);
	} else
		(void)unsetenv("SSH_ASKPASS_PROMPT");
	closefrom(STDERR_FILENO + 1);
	execvp(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

int
passphrase_start(const char *program, const char *question, const char *hint,
    pid_t *pid, int *out)
{
	int p[2], error, r;

	if (pipe2(p, O_CLOEXEC) == -1)
		return -1;
	if ((r = process_fork(pid)) == 0)
		passphrase_become(program, question, hint, p[1]);
	error = errno;
	close(p[1]);
	if (r == -1)
		close(p[0]);
	errno = error;
	if (r == -1)
		return -1;
	*out = p[0];
	return 0;
}

static int
passphrase_by_program(char *pass, const char *prompt, const char *program)
{
	int out, status = 0, r;
	pid_t pid;

	if (passphrase_start(program, prompt, NULL, &pid, &out) == -1) {
		complain("%s: %s", program, strerror(errno));
		return EXIT_LOCAL;
	}
	r = passphrase_read(pass, out);
	close(out);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (r == 0 && status == 0)
		return passphrase_check(pass, program);
	*pass = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		complain("%s, which is to ask for the passphrase, could not "
			 "be run",
		    program);
	else
		complain("%s gave no passphrase", program);
	return EXIT_LOCAL;
}

/* --- asking --- */

static bool
passphrase_require(const char *what)
{
	const char *require = getenv("SSH_ASKPASS_REQUIRE");

	return require != NULL && strcmp(require, what) == 0;
}

static int
passphrase_by_terminal(char *pass, const char *prompt)
{
	if (readpassphrase(prompt, pass, SIZE, RPP_REQUIRE_TTY) == NULL) {
		*pass = '\0';
		if (errno != EINTR)
			complain("the terminal: %s", strerror(errno));
		return EXIT_LOCAL;
	}
	return passphrase_check(pass, "the terminal");
}

int
passphrase_ask(char *pass, const char *prompt)
{
	const char *program = passphrase_program();
	bool force = passphrase_require("force");

	*pass = '\0';
	if (passphrase_silent) {
		complain("the key has a passphrase, and BatchMode lets nobody "
			 "be asked; 'skypty add' gives the key to an agent");
		return EXIT_LOCAL;
	}
	if (passphrase_require("never"))
		program = NULL;
	if (program != NULL && (force || passphrase_require("prefer")))
		return passphrase_by_program(pass, prompt, program);
	if (!force && passphrase_has_terminal())
		return passphrase_by_terminal(pass, prompt);
	if (program != NULL)
		return passphrase_by_program(pass, prompt, program);
	complain("there is no terminal to ask for the passphrase on; "
		 "SKYPTY_ASKPASS names a program that asks, and 'skypty add' "
		 "gives the key to an agent (skypty agent)");
	return EXIT_LOCAL;
}

int
passphrase_ask_new(char *pass)
{
	char *again = passphrase_new();
	int r = EXIT_LOCAL;

	while (again != NULL) {
		if ((r = passphrase_ask(pass,
			 "Passphrase (empty for none): ")) != 0 ||
		    (r = passphrase_ask(again,
			 "The same passphrase again: ")) != 0 ||
		    strcmp(pass, again) == 0)
			break;
		complain("they are not the same; try again");
	}
	passphrase_free(again);
	if (r == 0 && *pass == '\0')
		complain("no passphrase: whoever can read the file has the "
			 "key");
	return r;
}
