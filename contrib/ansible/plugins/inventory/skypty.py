# SPDX-License-Identifier: ISC
"""Hosts out of what skypty(1) and skypty-fleet(1) read."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
name: skypty
author: skypty
short_description: hosts of skypty's configuration and of fleet files
description:
  - Names of C(~/.config/skypty/config) that lead somewhere, and the hosts of
    files as C(skypty fleet) takes them. Tags of both become groups.
  - The file that says so ends in C(skypty.yml) or C(skypty.yaml).
version_added: "1.0.0"
extends_documentation_fragment:
  - constructed
options:
  plugin:
    description: That this is the plugin.
    type: str
    required: true
    choices: [skypty, skypty.core.skypty]
  config:
    description:
      - The file of names, in place of C(~/.config/skypty/config).
    type: path
    env:
      - name: ANSIBLE_SKYPTY_CONFIG
  names:
    description:
      - Patterns of names in that file that are hosts here. An empty list is
        none.
    type: list
    elements: str
    default: ['*']
  fleets:
    description:
      - Files with a destination a line and its tags behind a C(#). One that is
        not absolute is looked for beside the inventory.
    type: list
    elements: path
    default: []
  hostname:
    description:
      - What a host is called that a fleet file has by its destination.
        C(address) is its address, with C(_PORT) behind it where that is not
        2022; a host without an address is called by its key. C(key) is its key,
        and C(destination) is what stands in the file.
    type: str
    choices: [address, key, destination]
    default: address
  executable:
    description: The program.
    type: str
    default: skypty
    env:
      - name: ANSIBLE_SKYPTY_EXECUTABLE
"""

EXAMPLES = """
# skypty.yml: all names, and the hosts of the file "fleet" beside it, grouped
# by tags.
plugin: skypty.core.skypty
fleets:
  - fleet

# Names that begin with web alone, in a group of their own.
plugin: skypty.core.skypty
names: ['web-*']
groups:
  web: inventory_hostname.startswith('web-')
"""

import fnmatch
import os
import re
import subprocess

from ansible.errors import AnsibleParserError
from ansible.module_utils.common.text.converters import to_native, to_text
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable
from ansible.utils.unsafe_proxy import wrap_var

PORT = 2022
DMSG_PORT = 22
LEADS_NOWHERE = 1  # how skypty config ends then
DESTINATION = re.compile(r'(?:[a-z]+://)?([0-9a-fA-F]{66})(?:@(.+)|:(\d+))?\Z')


def take_apart(destination):
    """Key, address and port, None for what is not there; or nothing, if it is
    a name."""
    m = DESTINATION.match(destination)
    if not m:
        return None
    pk, host, port = m.group(1).lower(), m.group(2), m.group(3)
    if host and host.startswith('['):
        host, _, port = host[1:].partition(']')
        port = port[1:] or None
    elif host and host.count(':') == 1:
        host, _, port = host.partition(':')
    if port and not port.isdigit():
        return None  # a service, which skypty knows
    return pk, host, int(port) if port else None


def plain(value):
    """A list of hosts may be somebody else's: nothing in it is a template."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    return wrap_var(value) if '{' in str(value) else value


class Host:
    """One host of a fleet file: where it is, and its tags."""

    def __init__(self, where, destination, tags):
        self.where = where  # "FILE line N"
        self.destination = destination
        self.tags = list(tags)

    def name(self, style):
        parts = take_apart(self.destination)
        if not parts or style == 'destination':
            return self.destination
        pk, host, port = parts
        if style == 'key' or not host:
            return pk
        return host if port in (None, PORT) else '%s_%d' % (host, port)


class InventoryModule(BaseInventoryPlugin, Constructable):
    """Hosts of skypty"""

    NAME = 'skypty.core.skypty'

    def verify_file(self, path):
        return super(InventoryModule, self).verify_file(path) and \
            path.endswith(('skypty.yml', 'skypty.yaml'))

    def parse(self, inventory, loader, path, cache=True):
        super(InventoryModule, self).parse(inventory, loader, path, cache)
        self._read_config_data(path)
        self._folder = os.path.dirname(os.path.abspath(path))
        # All is read before the first one is there: a mistake makes no part
        # of a fleet an inventory.
        hosts = {}
        names = self._names()
        for pattern in self.get_option('names'):
            for name in fnmatch.filter(names, pattern):
                found = self._look_up(name)
                if found:
                    self._take(hosts, name, found)
        for fleet in self.get_option('fleets'):
            for host in self._read(fleet, names):
                self._take(hosts, host.name(self.get_option('hostname')), host)
        for name, host in hosts.items():
            self._add(name, host)
            self._construct(name)

    # --- what there is ---

    def _config(self, words):
        """By the program, which knows what is included, and trusts no file
        that others may write to."""
        argv = [self.get_option('executable'), 'config']
        if self.get_option('config'):
            argv += ['-F', self.get_option('config')]
        try:
            done = subprocess.run(argv + words, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, check=False)
        except OSError as e:
            raise AnsibleParserError('cannot run %s: %s' % (
                argv[0], to_native(e)))
        if done.returncode not in (0, LEADS_NOWHERE if words else 0):
            raise AnsibleParserError(to_native(done.stderr).strip())
        return done.returncode, to_text(done.stdout)

    def _names(self):
        return list(dict.fromkeys(self._config([])[1].split()))

    def _look_up(self, name):
        """A name that leads nowhere is none of ours, but ssh's perhaps."""
        code, text = self._config(['--', name])
        if code == LEADS_NOWHERE:
            return None
        tags = re.search(r'^tags (.*)$', text, re.M)
        return Host('', name, tags.group(1).split() if tags else [])

    def _read(self, fleet, names):
        """As skypty-fleet(1) reads it."""
        path = os.path.join(self._folder, os.path.expanduser(fleet))
        try:
            with open(path, encoding='utf-8') as f:
                lines = f.read().split('\n')
        except (OSError, ValueError) as e:
            raise AnsibleParserError('%s: %s' % (path, to_native(e)))
        for number, line in enumerate(lines, 1):
            where = '%s line %d' % (path, number)
            line = line.strip(' \t\r')
            if not line or line.startswith('#'):
                continue
            words, rest = re.match(r'([^ \t]+)[ \t]*(.*)', line).groups()
            if rest and not rest.startswith('#'):
                raise AnsibleParserError(
                    '%s: one destination a line, and tags behind a #: %s'
                    % (where, rest))
            if words.startswith('@') or words == '-':
                raise AnsibleParserError(
                    '%s: a file of hosts names no other: %s' % (where, words))
            tags = [t for t in re.split('[ \t#,]', rest) if t]
            for word in words.split(','):
                for destination in self._hosts_of(word, names, where):
                    yield Host(where, destination, tags)

    @staticmethod
    def _hosts_of(word, names, where):
        if not word:
            return []
        if '@' in word or '://' in word:
            return [word]
        if not re.search(r'[*?[]', word):
            return [word]
        found = fnmatch.filter(names, word)
        if not found:
            raise AnsibleParserError(
                '%s: %s: no name in the configuration is like that'
                % (where, word))
        return found

    # --- what becomes of it ---

    def _take(self, hosts, name, host):
        """One that is there twice has the tags of both."""
        known = hosts.setdefault(name, host)
        if self._same(known.destination) != self._same(host.destination):
            raise AnsibleParserError(
                '%s: %s and %s are both called %s; "hostname: key" tells them '
                'apart' % (host.where, known.destination, host.destination,
                           name))
        known.tags += [t for t in host.tags if t not in known.tags]

    def _add(self, name, host):
        destination, tags = host.destination, host.tags
        self.inventory.add_host(name)
        pk, address, port = take_apart(destination) or (None, None, None)
        if address:
            variables = {'ansible_host': address, 'ansible_skypty_pk': pk}
            if port:
                variables['ansible_port'] = port
        else:
            variables = {'ansible_skypty_destination': destination}
        variables['ansible_connection'] = 'skypty.core.skypty'
        if tags:
            variables['skypty_tags'] = tags
        for key, value in variables.items():
            self.inventory.set_variable(name, key, plain(value))
        for tag in tags:
            group = self.inventory.add_group(self._sanitize_group_name(tag))
            self.inventory.add_child(group, name)

    @staticmethod
    def _same(destination):
        """The same for each way to write it."""
        parts = take_apart(destination)
        if not parts:
            return destination
        pk, host, port = parts
        return pk, host, port or (PORT if host else DMSG_PORT)

    def _construct(self, name):
        variables = self.inventory.get_host(name).get_vars()
        strict = self.get_option('strict')
        self._set_composite_vars(self.get_option('compose'), variables, name,
                                 strict=strict)
        variables = self.inventory.get_host(name).get_vars()
        self._add_host_to_composed_groups(self.get_option('groups'), variables,
                                          name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option('keyed_groups'),
                                       variables, name, strict=strict)
