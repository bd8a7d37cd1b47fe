# SPDX-License-Identifier: ISC
"""Runs commands and moves files by skypty, a process for each of them."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
name: skypty
author: skypty
short_description: reach hosts of skyptyd by their public keys
description:
  - Commands run by C(skypty exec), files are copied by C(skypty cp), so that
    each way to a host that skypty has is there, names of
    C(~/.config/skypty/config), the agent and dmsg included.
  - Each is a connection of its own, and nothing is left behind.
  - A command is begun again in no case. Attempts are repeated, where
    I(reconnection_retries) says so, while the host has not let us in.
version_added: "1.0.0"
notes:
  - Hosts that lack the service C(skypty/1/exec), such as the original, take at
    most 1 MiB of input, give no terminal, and are asked for no password.
  - Nobody is asked for the passphrase of a key unless SKYPTY_ASKPASS or
    SSH_ASKPASS names a program that does it. Give the key to an agent first.
extends_documentation_fragment:
  - connection_pipelining
options:
  destination:
    description:
      - A destination as skypty takes it, a name of its configuration file, or
        C(pk@host:port), or a key alone, which dmsg finds.
      - Counts more than I(host), I(pk) and I(port).
    type: str
    vars:
      - name: ansible_skypty_destination
  host:
    description:
      - Where the host is, if I(pk) says who it is. Without that it is a
        destination.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_skypty_host
      - name: delegated_vars['ansible_host']
  pk:
    description:
      - The host's public key, 66 hexadecimal digits.
    type: str
    vars:
      - name: ansible_skypty_pk
  port:
    description:
      - The port where the destination names none.
    type: int
    ini:
      - section: defaults
        key: remote_port
    env:
      - name: ANSIBLE_REMOTE_PORT
    vars:
      - name: ansible_port
      - name: ansible_skypty_port
    keyword:
      - name: port
  remote_user:
    description:
      - The account there. Without it, it is the one that the host has for our
        key. Hosts that know of no users refuse it.
    type: str
    ini:
      - section: defaults
        key: remote_user
    env:
      - name: ANSIBLE_REMOTE_USER
    vars:
      - name: ansible_user
      - name: ansible_skypty_user
    cli:
      - name: user
    keyword:
      - name: remote_user
  identity:
    description:
      - A file with our secret key, or with a public key that an agent has.
        Without it skypty looks for one as ever.
    type: path
    ini:
      - section: defaults
        key: private_key_file
      - section: skypty_connection
        key: identity
    env:
      - name: ANSIBLE_PRIVATE_KEY_FILE
      - name: ANSIBLE_SKYPTY_IDENTITY
    vars:
      - name: ansible_private_key_file
      - name: ansible_skypty_identity
    cli:
      - name: private_key_file
  visor_key:
    description:
      - Whether to use the key of the visor on this machine. Without it a name's
        C(VisorKey) counts, and else it is not used.
    type: bool
    vars:
      - name: ansible_skypty_visor_key
  config:
    description:
      - The file of names, in place of C(~/.config/skypty/config).
    type: path
    ini:
      - section: skypty_connection
        key: config
    env:
      - name: ANSIBLE_SKYPTY_CONFIG
    vars:
      - name: ansible_skypty_config
  transport:
    description:
      - How the host is to be reached. With C(dmsg) I(pk) alone is the
        destination.
    type: str
    choices: [auto, tcp, dmsg]
    default: auto
    ini:
      - section: skypty_connection
        key: transport
    env:
      - name: ANSIBLE_SKYPTY_TRANSPORT
    vars:
      - name: ansible_skypty_transport
  dmsgdisc:
    description:
      - The discovery in which a key without an address is looked up.
    type: str
    vars:
      - name: ansible_skypty_dmsgdisc
  dmsg_servers:
    description:
      - Servers by which that is reached, C(pk@host:port), divided by blanks.
    type: str
    vars:
      - name: ansible_skypty_dmsg_servers
  extra_args:
    description:
      - Further flags for C(skypty exec) and C(skypty cp).
    type: str
    default: ''
    ini:
      - section: skypty_connection
        key: extra_args
    env:
      - name: ANSIBLE_SKYPTY_EXTRA_ARGS
    vars:
      - name: ansible_skypty_extra_args
  exec_args:
    description:
      - Further flags for C(skypty exec) alone, as C(-e NAME=VALUE).
    type: str
    default: ''
    ini:
      - section: skypty_connection
        key: exec_args
    env:
      - name: ANSIBLE_SKYPTY_EXEC_ARGS
    vars:
      - name: ansible_skypty_exec_args
  executable:
    description:
      - The program.
    type: str
    default: skypty
    ini:
      - section: skypty_connection
        key: executable
    env:
      - name: ANSIBLE_SKYPTY_EXECUTABLE
    vars:
      - name: ansible_skypty_executable
  timeout:
    description:
      - How many seconds connecting and the handshake may take, each, and how
        long a question for a password is waited for. All in all a host has
        three times as long to let us in, and not less than 30 seconds.
      - A command may run for as long as it likes. The keyword C(timeout) of a
        task ends it, there too.
    type: int
    default: 10
    ini:
      - section: defaults
        key: timeout
      - section: skypty_connection
        key: timeout
    env:
      - name: ANSIBLE_TIMEOUT
      - name: ANSIBLE_SKYPTY_TIMEOUT
    vars:
      - name: ansible_skypty_timeout
    cli:
      - name: timeout
  reconnection_retries:
    description:
      - How many further attempts there are at a host that has not let us in,
        after one second, then two, four and so on, a minute at most.
    type: int
    default: 0
    ini:
      - section: skypty_connection
        key: retries
    env:
      - name: ANSIBLE_SKYPTY_RETRIES
    vars:
      - name: ansible_skypty_retries
  transfer_method:
    description:
      - How files are copied, by SFTP (C(cp)) or through a command (C(piped)).
        C(smart) is the first of the two that the host has.
    type: str
    choices: [smart, cp, piped]
    default: smart
    ini:
      - section: skypty_connection
        key: transfer_method
    env:
      - name: ANSIBLE_SKYPTY_TRANSFER_METHOD
    vars:
      - name: ansible_skypty_transfer_method
  use_tty:
    description:
      - Give a command with C(become) a terminal, where it has no input, for
        hosts whose C(su) or C(sudo) asks nowhere else. Those ways to become
        another that say themselves that they need one have it anyhow.
    type: bool
    default: false
    ini:
      - section: skypty_connection
        key: use_tty
    env:
      - name: ANSIBLE_SKYPTY_USE_TTY
    vars:
      - name: ansible_skypty_use_tty
"""

import os
import re
import selectors
import shlex
import signal
import subprocess
import time

from ansible.errors import (
    AnsibleConnectionFailure,
    AnsibleError,
    AnsibleFileNotFound,
)
from ansible.module_utils.common.text.converters import (
    to_bytes,
    to_native,
    to_text,
)
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

display = Display()

CHUNK = 65536
WAIT_MIN = 30     # seconds until a host has let us in, at least
BACKOFF_MAX = 60  # seconds between attempts
EXIT_USAGE = 64   # of skypty: there is no sense in another attempt
DESTINATION = re.compile(r'[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]*\Z')


class Status:
    """What skypty tells on the descriptor of --status-fd."""

    def __init__(self):
        self._data = b''
        self.ready = False
        self.ended = None     # the words of the line that tells how
        self.complaints = []
        self.late = []        # of them, what came since the host let us in

    def feed(self, data):
        lines = (self._data + data).split(b'\n')
        self._data = lines.pop()
        for line in lines:
            text = to_text(line, errors='surrogate_or_replace')
            if text == 'ready':
                self.ready = True
            elif text.startswith('skypty: '):
                self.complaints.append(text)
                if self.ready:
                    self.late.append(text)
            else:
                self.ended = text.split()

    def code(self):
        """The status of a command as a shell has it, None if it is unknown."""
        how = self.ended or ['']
        if how[0] == 'exited':
            return int(how[1]) & 255
        if how[0] == 'signaled':
            number = getattr(signal, 'SIG' + how[1], None)
            return 128 + number if number else 255
        return 124 if how[0] == 'timedout' else None


class Run:
    """A process of skypty's, its input, its output, and what it tells."""

    def __init__(self, argv, stdout=subprocess.PIPE, stdin=subprocess.PIPE,
                 tell=False):
        self.status = Status()
        self.out = bytearray()
        self.err = bytearray()
        self._input = memoryview(b'')
        self._last = False
        self._streams = selectors.DefaultSelector()
        told, fds = None, ()
        if tell:
            told, fd = os.pipe()
            fds = (fd,)
            argv = argv[:2] + [b'--status-fd', to_bytes(str(fd))] + argv[2:]
        try:
            self._process = subprocess.Popen(
                argv, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE,
                pass_fds=fds, env=self._environment())
        except OSError as e:
            if told is not None:
                os.close(told)
            raise AnsibleError('cannot run %s: %s' % (
                to_native(argv[0]), to_native(e)))
        finally:
            for fd in fds:
                os.close(fd)
        self._files = [self._process.stderr]
        if told is not None:
            self._files.append(os.fdopen(told, 'rb', 0))
            self._watch(self._files[-1], self.status.feed)
        self._watch(self._process.stderr, self.err.extend)
        if self._process.stdout:
            self._files.append(self._process.stdout)
            self._watch(self._process.stdout, self.out.extend)
        if self._process.stdin:
            os.set_blocking(self._process.stdin.fileno(), False)

    @staticmethod
    def _environment():
        """Many processes do not ask at one terminal."""
        env = os.environ.copy()
        if not env.get('SKYPTY_ASKPASS') and not env.get('SSH_ASKPASS'):
            env['SKYPTY_ASKPASS'] = '/bin/false'
        env['SSH_ASKPASS_REQUIRE'] = 'force'
        return env

    def _watch(self, stream, take):
        os.set_blocking(stream.fileno(), False)
        self._streams.register(stream, selectors.EVENT_READ, take)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self._process.poll() is None:
            # The host then hangs the command up.
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._end_input()
        for stream in self._files:
            stream.close()
        self._streams.close()

    def write(self, data, last=False):
        """Goes out while wait() waits; last closes the input behind it."""
        self._input = memoryview(bytes(self._input) + data)
        self._last = self._last or last
        stdin = self._process.stdin
        if not stdin or stdin.closed:
            return
        if not self._input:
            if self._last:
                self._end_input()
        elif stdin not in self._streams.get_map():
            self._streams.register(stdin, selectors.EVENT_WRITE, None)

    def _end_input(self):
        stdin = self._process.stdin
        if stdin and not stdin.closed:
            try:
                stdin.close()
            except OSError:
                pass  # it does not read any more

    def _on_writable(self):
        stdin = self._process.stdin
        try:
            n = os.write(stdin.fileno(), self._input[:CHUNK])
        except BlockingIOError:
            return
        except OSError:
            n = len(self._input)  # it does not read any more
        self._input = self._input[n:]
        if not self._input:
            self._streams.unregister(stdin)
            if self._last:
                self._end_input()

    def wait(self, seconds=None):
        """Takes what comes; False when there is nothing more, None when time
        is over."""
        if not any(key.data for key in self._streams.get_map().values()):
            return False
        events = self._streams.select(seconds)
        for key, mask in events:
            if not key.data:
                self._on_writable()
                continue
            try:
                data = os.read(key.fd, CHUNK)
            except BlockingIOError:
                continue
            if data:
                key.data(data)
            else:
                self._streams.unregister(key.fileobj)
        return True if events else None

    def code(self):
        return self._process.wait()


class Connection(ConnectionBase):
    """Connections of skypty"""

    transport = 'skypty.core.skypty'
    has_pipelining = True

    def __init__(self, *args, **kwargs):
        super(Connection, self).__init__(*args, **kwargs)
        self._no_sftp = False
        self._name_has_visor_key = None

    # --- command lines ---

    def _connect(self):
        self._connected = True
        return self

    def close(self):
        self._connected = False

    def reset(self):
        """Each command has a connection of its own."""
        self.close()

    def _label(self):
        return self.get_option('host')

    def _destination(self):
        dest, pk = self.get_option('destination'), self.get_option('pk')
        host = self.get_option('host') or ''
        if not dest and pk and self.get_option('transport') == 'dmsg':
            dest = pk
        elif not dest and pk:
            if host.count(':') > 1 and not host.startswith('['):
                host = '[%s]' % host
            dest = '%s@%s' % (pk, host)
        dest = dest or host
        # What looks like a flag, or is empty, would name another host.
        if not DESTINATION.match(dest):
            raise AnsibleError('%r is no destination: write a name of '
                               '~/.config/skypty/config or pk@host[:port]'
                               % to_native(dest))
        return dest

    def _visor_key(self, dest):
        """skypty exec does not use it unasked, skypty cp does: both are told
        the same."""
        wanted = self.get_option('visor_key')
        if wanted is None and ('@' in dest or ':' in dest):
            wanted = False
        elif wanted is None:
            if self._name_has_visor_key is None:
                argv = [self.get_option('executable'), 'config']
                if self.get_option('config'):
                    argv += ['-F', self.get_option('config')]
                with Run([to_bytes(a) for a in argv + ['--', dest]]) as run:
                    run.write(b'', True)
                    while run.wait() is not False:
                        pass
                    self._name_has_visor_key = re.search(
                        br'^visorkey yes$', run.out, re.M | re.I) is not None
            wanted = self._name_has_visor_key
        return '--visor-key' if wanted else '--no-visor-key'

    def _argv(self, verb):
        """The flags that both commands know, and the destination."""
        dest = self._destination()
        argv = [self.get_option('executable'), verb, self._visor_key(dest),
                '--connect-timeout', '%ds' % max(1, self.get_option('timeout'))]
        for flag, option in (('--port', 'port'), ('--user', 'remote_user'),
                             ('--identity', 'identity'), ('--config', 'config'),
                             ('--dmsgdisc', 'dmsgdisc'),
                             ('--dmsg-servers', 'dmsg_servers')):
            value = self.get_option(option)
            if value is not None and (value != '' or option == 'dmsgdisc'):
                argv += [flag, to_text(value)]
        argv += shlex.split(self.get_option('extra_args') or '')
        if verb == 'exec':
            if self.get_option('transport') != 'auto':
                argv += ['--transport', self.get_option('transport')]
            argv += shlex.split(self.get_option('exec_args') or '')
        return argv, dest

    # --- failures ---

    def _why(self, run):
        text = '\n'.join(run.status.complaints) or \
            to_text(bytes(run.err), errors='surrogate_or_replace').strip()
        return text.replace('skypty: ', '', 1) or \
            'skypty ended with status %d' % run.code()

    def _again(self, attempt, once):
        """Runs once(), again while it raises NotReached and attempts are
        left."""
        tries = max(0, self.get_option('reconnection_retries'))
        while True:
            try:
                return once()
            except NotReached as e:
                if attempt >= tries or e.hopeless:
                    raise AnsibleConnectionFailure(to_native(e))
                pause = min(2 ** attempt, BACKOFF_MAX)
                attempt += 1
                display.vv('skypty: attempt %d of %d in %d s: %s' % (
                    attempt, tries, pause, to_text(e)), host=self._label())
                time.sleep(pause)

    # --- commands ---

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super(Connection, self).exec_command(cmd, in_data=in_data,
                                             sudoable=sudoable)
        become = self.become if sudoable else None
        # Not each command that may become another does.
        if become and not (become.success and
                           to_bytes(become.success) in to_bytes(cmd)):
            become = None
        tty = bool(become) and not in_data and \
            (getattr(become, 'require_tty', False) or
             self.get_option('use_tty'))
        argv, dest = self._argv('exec')
        argv += ['--timeout', '0'] + (['--pty'] if tty else [])
        argv += [dest, '--', '/bin/sh', '-c']
        argv = [to_bytes(a, errors='surrogate_or_strict')
                for a in argv + [cmd]]
        self._show('EXEC', argv)
        return self._again(0, lambda: self._exec(argv, in_data, become, tty))

    def _show(self, what, argv):
        display.vvv('%s %s' % (what, ' '.join(
            shlex.quote(to_text(a, errors='surrogate_or_replace'))
            for a in argv)), host=self._label())

    def _exec(self, argv, in_data, become, tty):
        asks = become is not None and become.expect_prompt()
        # Without an end of its own an input would never end.
        stdin = subprocess.PIPE if in_data or asks or tty else \
            subprocess.DEVNULL
        with Run(argv, stdin=stdin, tell=True) as run:
            self._await_ready(run)
            if asks:
                self._answer(run, become)
            run.write(in_data or b'', not tty)
            while run.wait() is not False:
                pass
            return self._ended(run, become)

    def _await_ready(self, run):
        limit = max(3 * self.get_option('timeout'), WAIT_MIN)
        end = time.monotonic() + limit
        while not run.status.ready:
            more = run.wait(max(0, end - time.monotonic()))
            if more is False:
                break
            if more is None and time.monotonic() >= end:
                raise NotReached('the host has not let us in within %d '
                                 'seconds' % limit)
        if not run.status.ready:
            raise NotReached(self._why(run), run.code() == EXIT_USAGE)
        for line in run.status.complaints:
            display.vvv(line, host=self._label())

    def _answer(self, run, become):
        """Until the command runs as who it is to become: what is asked for is
        the password, once."""
        limit = max(1, self.get_option('timeout')) + 2
        end = time.monotonic() + limit
        answered = False
        while not (become.check_success(bytes(run.out)) or
                   become.check_success(bytes(run.err))):
            for stream in (run.out, run.err):
                if answered and become.check_incorrect_password(
                        bytes(stream)):
                    raise AnsibleError('Incorrect %s password' % become.name)
                if not answered and become.check_password_prompt(
                        bytes(stream)):
                    del stream[:]
                    answered = True
                    password = become.get_option(
                        'become_pass', playcontext=self._play_context)
                    run.write(to_bytes(password or '',
                                       errors='surrogate_or_strict') + b'\n')
            more = run.wait(max(0, end - time.monotonic()))
            if more is False:
                return  # the command ends, and tells why
            if more is None and time.monotonic() >= end:
                raise AnsibleError(
                    'Timeout (%d s) waiting for privilege escalation prompt: '
                    '%s' % (limit, to_native(bytes(run.out + run.err),
                                             errors='surrogate_or_replace')))

    def _ended(self, run, become):
        code = run.status.code()
        if code is None and run.code() in (126, 127):
            code = run.code()  # an older host has not started it
        if code is None:
            # No attempt more: it may have run.
            raise AnsibleConnectionFailure(
                'the connection was lost while the command ran: %s'
                % self._why(run))
        out, err = bytes(run.out), bytes(run.err)
        if become is not None and become.check_success(out):
            out = out.split(to_bytes(become.success), 1)[1]
            out = re.sub(br'\A\s*?\n', b'', out, count=1)
        elif become is not None and code != 0:
            if become.check_missing_password(out + err):
                raise AnsibleError('Missing %s password' % become.name)
            if become.check_incorrect_password(out + err):
                raise AnsibleError('Incorrect %s password' % become.name)
        # It was killed, or was not begun.
        for line in run.status.late:
            err += to_bytes(line) + b'\n'
        return code, out, err

    # --- files ---

    def put_file(self, in_path, out_path):
        super(Connection, self).put_file(in_path, out_path)
        self._show('PUT', [in_path, out_path])
        here = to_bytes(in_path, errors='surrogate_or_strict')
        if not os.path.exists(here):
            raise AnsibleFileNotFound('file or module does not exist: %s'
                                      % to_native(in_path))

        def piped():
            with open(here, 'rb') as f:
                self._pipe('cat >%s' % self._word(out_path), stdin=f)

        self._transfer(lambda dest: [
            self._local(here), self._remote(dest, out_path)], piped,
            'transfer file to %s' % to_native(out_path))

    def fetch_file(self, in_path, out_path):
        super(Connection, self).fetch_file(in_path, out_path)
        self._show('FETCH', [in_path, out_path])
        here = to_bytes(out_path, errors='surrogate_or_strict')

        def piped():
            with open(here, 'wb') as f:
                self._pipe('cat <%s' % self._word(in_path), stdout=f)

        # A name is no pattern.
        name = re.sub(r'([\\*?\[])', r'\\\1',
                      to_text(in_path, errors='surrogate_or_strict'))
        self._transfer(lambda dest: [
            self._remote(dest, name), self._local(here)], piped,
            'fetch file from %s' % to_native(in_path))

    @staticmethod
    def _word(path):
        path = to_text(path, errors='surrogate_or_strict')
        return shlex.quote(path if path.startswith('/') else './' + path)

    @staticmethod
    def _local(path):
        return path if path.startswith(b'/') else b'./' + path

    @staticmethod
    def _remote(dest, path):
        path = to_text(path, errors='surrogate_or_strict')
        return '%s:%s' % (dest, path if path.startswith('/') else './' + path)

    def _transfer(self, words, piped, what):
        method = self.get_option('transfer_method')
        if method == 'smart':
            method = 'piped' if self._no_sftp else 'cp'
        try:
            if method == 'cp':
                if self._again(0, lambda: self._cp(words, what)):
                    return
                self._no_sftp = True
            self._again(0, piped)
        except TransferFailed as e:
            raise AnsibleError('failed to %s: %s' % (what, to_native(e)))

    def _cp(self, words, what):
        """False where the host has no SFTP, and something else may do."""
        argv, dest = self._argv('cp')
        argv = [to_bytes(a, errors='surrogate_or_strict')
                for a in argv + ['--quiet', '--'] + words(dest)]
        self._show('CP', argv)
        with Run(argv, stdin=subprocess.DEVNULL) as run:
            while run.wait() is not False:
                pass
            if run.code() == 0:
                return True
            why = self._why(run)
            if run.code() not in (EXIT_USAGE, 255):
                raise TransferFailed(why)
            if self.get_option('transfer_method') == 'smart' and \
                    run.code() == 255:
                display.vv('skypty: %s; files go through a command'
                           % why, host=self._label())
                return False
            raise NotReached('failed to %s: %s' % (what, why),
                             run.code() == EXIT_USAGE)

    def _pipe(self, script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE):
        argv, dest = self._argv('exec')
        argv = [to_bytes(a, errors='surrogate_or_strict') for a in
                argv + ['--timeout', '0', dest, '--', '/bin/sh', '-c', script]]
        self._show('EXEC', argv)
        with Run(argv, stdin=stdin, stdout=stdout, tell=True) as run:
            self._await_ready(run)
            while run.wait() is not False:
                pass
            if run.status.code() is None:
                raise NotReached('the connection was lost: %s'
                                 % self._why(run))
            if run.status.code() != 0:
                raise TransferFailed(self._why(run))


class NotReached(Exception):
    """Nothing has begun, or nothing that may not begin again."""

    def __init__(self, why, hopeless=False):
        super(NotReached, self).__init__(why)
        self.hopeless = hopeless


class TransferFailed(Exception):
    """The host has answered, and the file did not go."""
