/* SPDX-License-Identifier: ISC */
/* Our terminal: raw while a session runs, and as it was whatever happens. */
#include "client/skypty.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/err.h"

/* Signal handlers need it where they can find it. */
static struct {
	volatile sig_atomic_t raw;
	struct termios saved;
} state;

static const int deadly[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGBUS,
	SIGILL, SIGFPE, SIGABRT };

bool
term_is_raw(void)
{
	return state.raw != 0;
}

void
term_restore(void)
{
	if (!state.raw)
		return;
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &state.saved);
	state.raw = 0;
}

/* The default action, which was reset, then does what it does. */
static void
on_deadly(int sig)
{
	if (state.raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &state.saved);
	raise(sig);
}

static void
catch_deadly(void)
{
	struct sigaction sa = { .sa_handler = on_deadly };

	sa.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaction(deadly[i], &sa, NULL);
}

int
term_raw(void)
{
	struct termios raw;

	if (state.raw)
		return 0;
	if (tcgetattr(STDIN_FILENO, &state.saved) == -1)
		return ERR_SYS;
	raw = state.saved;
	cfmakeraw(&raw);
	catch_deadly();
	state.raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == -1) {
		state.raw = 0;
		return ERR_SYS;
	}
	return 0;
}

bool
term_size(struct rpc_winsize *size)
{
	struct winsize ws;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == -1 &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1)
		return false;
	*size = (struct rpc_winsize){ .x = ws.ws_xpixel,
		.y = ws.ws_ypixel,
		.rows = ws.ws_row,
		.cols = ws.ws_col };
	return true;
}

void
term_suspend(void)
{
	bool was_raw = term_is_raw();
	sigset_t tstp, old_mask;
	void (*old)(int);

	term_restore();
	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	old = signal(SIGTSTP, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &tstp, &old_mask);
	kill(0, SIGTSTP);
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	signal(SIGTSTP, old);
	if (was_raw)
		(void)term_raw();
}
