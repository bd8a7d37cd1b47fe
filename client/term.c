/* SPDX-License-Identifier: ISC */
/* Our terminal: raw while a session runs, and as it was whatever happens. */
#include "client/term.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/process.h"
#include "common/base/screen.h"
#include "common/pty/modes.h"
#include "common/pty/rpc.h"

/* Signal handlers need it where they can find it. */
static struct {
	volatile sig_atomic_t raw;
	struct termios saved;
	bool shown; /* output goes to a terminal, too */
	struct screen screen;
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

void
term_watch(const uint8_t *p, size_t n)
{
	if (state.raw && state.shown)
		screen_watch(&state.screen, p, n);
}

/* Nobody is to wait for a terminal that takes nothing. */
void
term_lost(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	char text[SCREEN_UNDO_MAX];
	size_t n;

	if (!state.raw || !state.shown ||
	    (n = screen_undo(&state.screen, text)) == 0)
		return;
	state.screen = (struct screen){ .state = SCREEN_GROUND };
	if (poll(&p, 1, 0) == 1 && write(STDOUT_FILENO, text, n) == -1)
		return;
}

/* The default action, which was reset, then does what it does. */
static void
term_on_deadly(int sig)
{
	term_lost();
	if (state.raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &state.saved);
	raise(sig);
}

/* But for what somebody has taken into his own hands, or does not want. */
static void
term_catch_deadly(void)
{
	struct sigaction sa = { .sa_handler = term_on_deadly }, old;

	sa.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (sigaction(deadly[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			sigaction(deadly[i], &sa, NULL);
}

int
term_raw(void)
{
	struct termios raw;

	if (state.raw)
		return 0;
	if (tcgetattr(STDIN_FILENO, &state.saved) == -1)
		return SKY_ERR_SYS;
	raw = state.saved;
	cfmakeraw(&raw);
	term_catch_deadly();
	state.shown = isatty(STDOUT_FILENO) == 1;
	state.raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == -1) {
		state.raw = 0;
		return SKY_ERR_SYS;
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

bool
term_modes(uint8_t modes[MODES_LEN])
{
	struct termios t;

	if (!state.raw && tcgetattr(STDIN_FILENO, &t) == -1)
		return false;
	modes_get(state.raw ? &state.saved : &t, modes);
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
	process_suspend();
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	signal(SIGTSTP, old);
	if (was_raw)
		(void)term_raw();
}

int
term_poll(struct pollfd *p, size_t n, const struct timespec *ts,
    const sigset_t *open)
{
	sigset_t closed;

	if (ppoll(p, n, ts, open) == -1) {
		if (errno != EINTR)
			return -1;
		for (size_t i = 0; i < n; i++)
			p[i].revents = 0;
	}
	sigprocmask(SIG_SETMASK, open, &closed);
	sigprocmask(SIG_SETMASK, &closed, NULL);
	return 0;
}
