# SPDX-License-Identifier: ISC
# Completion for fish: commands, flags, the names in ~/.config/skypty/config,
# and what is on this machine.  Nothing is asked of a host.

for program in skypty skypty-ssh skyptyd
    complete -c $program -e
    complete -c $program -f
end

# Flags with a value, whose value is no word of its own.
set -g __skypty_valued -l --user -s --sk -i --identity -F --config --rpc --dmsgdisc \
    --dmsg-servers -p --port --via --addr --transport --scheme -r --cliaddr -n \
    --clinet --confpath -e --env -t --timeout --escape --obscure -c --cmd -a --args \
    -L --local-forward -R --remote-forward -D --dynamic-forward -W --stdio-forward \
    -J --jump --remote-root --attr-ttl --entry-ttl -S --control-path --control-persist -O \
    --control
set -g __skypty_cp_valued -l --user -s --sk -i --identity -F --config --rpc --dmsgdisc \
    --dmsg-servers --port -J --jump --cliaddr -S --control-path --control-persist
set -g __skypty_ssh_valued -b -c -e -i -l -m -o -p -B -D -E -F -I -J -L -O -P \
    -Q -R -S -W -w

# The command is one of these; of fs it is mount.
function __skypty_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv; or return 1
    test $words[2] != fs; or test "$words[3]" = mount
end

function __skypty_nth
    test (count (commandline -opc)) -eq $argv[1]
end

# __skypty_after WORD...: these are the first words.
function __skypty_after
    set -l words (commandline -opc)
    test "$words[2..-1]" = "$argv"
end

# __skypty_given FROM VALUED...: how many words are no flags, from that one on.
function __skypty_given
    set -l words (commandline -opc)
    set -l given 0
    set -l value no
    for word in $words[$argv[1]..-1]
        if test $value = yes
            set value no
        else if contains -- $word $argv[2..-1]
            set value yes
        else if not string match -q -- '-*' $word
            set given (math $given + 1)
        end
    end
    echo $given
end

# __skypty_has N COMMAND...: one of these, with so many words behind it.
function __skypty_has
    __skypty_is $argv[2..-1]; or return 1
    set -l words (commandline -opc)
    set -l from 3
    test $words[2] != fs; or set from 4
    test (__skypty_given $from $__skypty_valued) -eq $argv[1]
end

# The names of hosts, of the file that -F or --config names.
function __skypty_names
    set -l words (commandline -opc)
    set -l file
    for i in (seq 2 (count $words))
        if contains -- $words[$i] -F --config
            set file -F (string replace -r '^~' $HOME -- $words[(math $i + 1)])
        end
    end
    eval (string replace -r -- '-ssh$' '' $words[1]) config (string escape -- $file) 2>/dev/null
end

# --- skypty ---

set -l commands \
    'shell\ta shell, or a command by itself' \
    'start\ta shell, with the defaults of the original' \
    'exec\trun a command; exit with its status' \
    'cp\tcopy files to a host or from one' \
    'fleet\ton many hosts' \
    'job\ta command that outlives its connection' \
    'control\tlook after a shared connection' \
    'sessions\tterminals there that outlive their connection' \
    'attach\tgo on with one of them' \
    'ssh\tas ssh' \
    'sftp\tfiles, by the sftp program' \
    'fs\ta host\'s files in a folder here' \
    'config\twhat the file of names says' \
    'dmsg\thow the local host is reachable over dmsg' \
    'whitelist\tthe keys that the local host lets in' \
    'whitelist-add\tlet more keys in' \
    'whitelist-remove\tlet keys in no longer' \
    'host\trun skyptyd host' \
    'keygen\tmake an identity' \
    'agent\tkeep keys in memory' \
    'add\tgive keys to the agent, or list them' \
    'pk\tthe public key that would be used' \
    'version\tprint the version' \
    'help\ttell of a command'
for command in $commands
    complete -c skypty -n '__skypty_nth 1' -a (printf $command | string split \t)[1] \
        -d (printf $command | string split \t)[2]
    complete -c skypty -n '__skypty_after help' -a (printf $command | string split \t)[1]
end

set -l run shell start exec
set -l way $run sftp fs job control sessions attach
set -l shared $run fs job cp sessions attach
set -l who $way cp pk
set -l here $run whitelist whitelist-add whitelist-remove dmsg

complete -c skypty -n "__skypty_is $who" -s s -l sk -x -d 'secret key of 64 hex digits'
complete -c skypty -n "__skypty_is $who fleet" -s i -l identity -rF -d 'file with a secret key'
complete -c skypty -n "__skypty_is $who fleet" -l visor-key -d 'use the local visor\'s key'
complete -c skypty -n "__skypty_is $who fleet" -l via-visor -d 'use the local visor\'s key'
complete -c skypty -n "__skypty_is $who fleet" -l no-visor-key -d 'do not'
complete -c skypty -n "__skypty_is $who fleet" -s q -l quiet -d 'say less'
complete -c skypty -n "__skypty_is $who fleet" -s v -l verbose -d 'say more'

complete -c skypty -n "__skypty_is $way cp fleet config" -s F -l config -rF -d 'names of hosts'
complete -c skypty -n "__skypty_is $way cp fleet" -s l -l user -x -d 'the account there'
complete -c skypty -n "__skypty_is $way cp fleet" -l rpc -x -d 'of a visor here'
complete -c skypty -n "__skypty_is $way cp fleet" -l standalone -d 'dial keys by neither it nor skyptyd here'
complete -c skypty -n "__skypty_is $way cp fleet" -l require-pq -d 'no host without a post-quantum handshake'
complete -c skypty -n "__skypty_is $way cp fleet" -l dmsgdisc -x -d 'where keys without an address are looked up'
complete -c skypty -n "__skypty_is $way cp fleet" -l dmsg-servers -x -d 'servers to reach it by'

complete -c skypty -n "__skypty_is $way cp fleet" -s J -l jump -x -d 'go by these hosts'
complete -c skypty -n "__skypty_is $run control" -s L -l local-forward -x -d 'listen here, connect there'
complete -c skypty -n "__skypty_is $run control" -s R -l remote-forward -x -d 'listen there, connect here'
complete -c skypty -n "__skypty_is $run control" -s D -l dynamic-forward -x -d 'listen here for SOCKS'
complete -c skypty -n "__skypty_is $run control" -s g -l gateway-ports -d 'on all addresses'
complete -c skypty -n "__skypty_is $run control" -l unlink-sockets -d 'take away sockets in the way'
complete -c skypty -n "__skypty_is $run" -s W -l stdio-forward -x -d 'connect there by standard input and output'
complete -c skypty -n "__skypty_is $run" -s N -l no-command -d 'run nothing: forward only'
complete -c skypty -n "__skypty_is $run" -s f -l background -d 'go to the background'
complete -c skypty -n "__skypty_is $run" -l exit-on-forward-failure -d 'do nothing if one fails'
complete -c skypty -n "__skypty_is $run" -l clear-forwards -d 'forward nothing'
complete -c skypty -n "__skypty_is $way fleet" -s p -l port -x -d 'where the destination has none'
complete -c skypty -n "__skypty_is cp" -l port -x -d 'where the destination has none'
complete -c skypty -n "__skypty_is $way" -l via -x -d 'the destination, tcp://PK@HOST:PORT'
complete -c skypty -n "__skypty_is $way" -l addr -x -d 'the destination over dmsg, PK[:PORT]'
# skynet is known, and refused
complete -c skypty -n "__skypty_is $way fleet" -l transport -x -a 'auto tcp dmsg' -d 'how to get there'
complete -c skypty -n "__skypty_is $way fleet" -l scheme -x -a 'auto tcp dmsg' -d 'how to get there'

complete -c skypty -n "__skypty_is $here sftp fs job control sessions attach" -s r -l cliaddr -rF -d 'control socket of the host here'
complete -c skypty -n "__skypty_is cp fleet" -l cliaddr -rF -d 'control socket of the host here'
complete -c skypty -n "__skypty_is $here" -s n -l clinet -x -a unix -d 'its network'
complete -c skypty -n "__skypty_is $here" -l confpath -rF -d 'take these two from a host\'s configuration'

complete -c skypty -n "__skypty_is $shared" -s M -l control-master -d 'others may use the connection'
complete -c skypty -n "__skypty_is $shared" -l control-persist -x -a 'yes no 10m' -d 'how long it waits for them'
complete -c skypty -n "__skypty_is $shared control" -s S -l control-path -rF -d 'socket of the shared connection'
complete -c skypty -n "__skypty_is $run" -s O -l control -x -a 'check stop exit forward cancel forwards' -d 'order for the shared connection'
complete -c skypty -n '__skypty_is control' -a '(__skypty_names)'
complete -c skypty -n '__skypty_has 1 control' -x -a 'check stop exit forward cancel forwards'

complete -c skypty -n "__skypty_is $run" -s e -l env -x -d 'set in the remote environment'
complete -c skypty -n "__skypty_is $run" -s t -l timeout -x -d 'of a command: 30s, 5m'
complete -c skypty -n "__skypty_is $run cp sessions attach" -l connect-timeout -x -d 'until the host has proven its key'
complete -c skypty -n "__skypty_is $run" -l pty -d 'give the command a terminal'
complete -c skypty -n "__skypty_is $run" -l status-fd -x -d 'tell there how far the command is'
complete -c skypty -n "__skypty_is $run" -l no-pty -d 'only with a command'
complete -c skypty -n "__skypty_is $run" -l no-stdin -d 'give the command no input'
complete -c skypty -n "__skypty_is $run attach" -l escape -x -a none -d 'escape character'
complete -c skypty -n "__skypty_is $run" -l obscure -x -a 'yes no interval:20' -d 'hide when keys are typed'
complete -c skypty -n "__skypty_is $run" -s c -l cmd -rF -d 'shell to start'
complete -c skypty -n "__skypty_is $run" -s a -l args -x -d 'its arguments'

complete -c skypty -n "__skypty_is cp" -s r -l recursive -d 'directories, with all that is in them'
complete -c skypty -n "__skypty_is cp" -s p -l preserve -d 'keep modes and times'
complete -c skypty -n "__skypty_is cp" -l resume -d 'go on with what is there of a file'

complete -c skypty -n "__skypty_is fs" -l background -d 'leave once the mount is there'
complete -c skypty -n "__skypty_is fs" -l ro -d read-only
complete -c skypty -n "__skypty_is fs" -l remote-root -x -d 'which directory of the host'
complete -c skypty -n "__skypty_is fs" -l attr-ttl -x -d 'attributes may be that old'
complete -c skypty -n "__skypty_is fs" -l entry-ttl -x -d 'so may names'
complete -c skypty -n "__skypty_is fs" -l debug -d 'let sshfs say what it does'

complete -c skypty -n '__skypty_is dmsg' -l json -d 'as JSON'
complete -c skypty -n '__skypty_is keygen' -s f -l force -d 'replace a file that is there'
complete -c skypty -n '__skypty_is agent' -s a -l socket -rF -d 'where it is called'
complete -c skypty -n '__skypty_is agent' -s s -l sh -d 'lines for the Bourne shell'
complete -c skypty -n '__skypty_is agent' -s c -l csh -d 'lines for csh'
complete -c skypty -n '__skypty_is agent' -s D -l foreground -d 'do not fork'
complete -c skypty -n '__skypty_is agent' -s d -l debug -d 'the same, and say what happens'
complete -c skypty -n '__skypty_is agent' -s k -l kill -d 'end the running one'
complete -c skypty -n '__skypty_is agent add' -s t -l life -x -d 'how long keys are kept'
complete -c skypty -n '__skypty_is add' -s c -l confirm -d 'each use is to be confirmed'
complete -c skypty -n '__skypty_is add' -s d -l delete -d 'remove these keys'
complete -c skypty -n '__skypty_is add' -s D -l delete-all -d 'remove all keys'
complete -c skypty -n '__skypty_is add' -s l -l list -d 'list its keys'
complete -c skypty -n '__skypty_is add' -s L -l list-keys -d 'public keys and comments alone'
complete -c skypty -n '__skypty_is add' -s x -l lock -d 'lock it with a passphrase'
complete -c skypty -n '__skypty_is add' -s X -l unlock -d 'unlock it'
complete -c skypty -n '__skypty_is add' -s q -l quiet -d 'say less'
complete -c skypty -n '__skypty_is add' -l passphrase-file -rF -d 'passphrase, in its first line'
complete -c skypty -n '__skypty_is keygen' -s p -l passphrase -d 'change the passphrase'
complete -c skypty -n '__skypty_is keygen' -s y -l public-key -d 'print the public key'
complete -c skypty -n '__skypty_is keygen' -l passphrase-file -rF -d 'passphrase, in its first line'
complete -c skypty -n '__skypty_is keygen' -l new-passphrase-file -rF -d 'the new one, with -p'

complete -c skypty -n '__skypty_after fs' -a 'mount umount list'
complete -c skypty -n '__skypty_after dmsg' -a status
complete -c skypty -n "__skypty_has 0 $way" -a '(__skypty_names)'
complete -c skypty -n "__skypty_has 1 $run" -a '(__fish_complete_command)'
complete -c skypty -n "not __skypty_has 0 $run; and not __skypty_has 1 $run; and __skypty_is $run" -F
complete -c skypty -n '__skypty_has 1 fs' -a '(__fish_complete_directories)'
complete -c skypty -n '__skypty_after fs umount' -a '(__fish_complete_directories)'
complete -c skypty -n '__skypty_is config; and test (__skypty_given 3 -F --config) -eq 0' -a '(__skypty_names)'
complete -c skypty -n '__skypty_is cp keygen add' -F
complete -c skypty -n '__skypty_is cp' -a '(string replace -r \'$\' : (__skypty_names))'

# --- skypty-ssh, and skypty ssh ---

for ssh in skypty-ssh:true:2 'skypty:__skypty_is ssh:3'
    set -l program (string split : $ssh)[1]
    set -l when (string split : $ssh)[2]
    set -l from (string split : $ssh)[3]
    complete -c $program -n $when -s 4 -d 'over IPv4 only'
    complete -c $program -n $when -s 6 -d 'over IPv6 only'
    complete -c $program -n $when -s B -x -a '(__fish_print_interfaces)' -d 'connect from that interface'
    complete -c $program -n $when -s b -x -d 'connect from that address'
    complete -c $program -n $when -s D -x -d 'listen here for SOCKS'
    complete -c $program -n $when -s E -rF -d 'write messages there'
    complete -c $program -n $when -s e -x -a none -d 'escape character'
    complete -c $program -n $when -s F -rF -d 'names of destinations'
    complete -c $program -n $when -s f -d 'go to the background'
    complete -c $program -n $when -s g -d 'forwards without an address: on all'
    complete -c $program -n $when -s G -d 'print what counts, and leave'
    complete -c $program -n $when -s i -rF -d 'file with a secret key'
    complete -c $program -n $when -s J -x -d 'go by these hosts'
    complete -c $program -n $when -s L -x -d 'listen here, connect there'
    complete -c $program -n $when -s l -x -d 'login name'
    complete -c $program -n $when -s M -d 'share the connection'
    complete -c $program -n $when -s N -d 'run nothing: forward only'
    complete -c $program -n $when -s n -d 'give the command no input'
    complete -c $program -n $when -s O -x -a 'check stop exit forward cancel forwards' -d 'order for the shared connection'
    complete -c $program -n $when -s o -x -a 'IdentityFile= Port= RequestTTY= SendEnv= SetEnv= User=' -d 'keyword and value'
    complete -c $program -n $when -s P -x -d 'a tag'
    complete -c $program -n $when -s p -x -d port
    complete -c $program -n $when -s q -d 'say nothing'
    complete -c $program -n $when -s R -x -d 'listen there, connect here'
    complete -c $program -n $when -s S -rF -d 'socket of the shared connection'
    complete -c $program -n $when -s s -d 'the command is a subsystem'
    complete -c $program -n $when -s T -d 'no terminal'
    complete -c $program -n $when -s t -d 'a terminal'
    complete -c $program -n $when -o tt -d 'a terminal in any case'
    complete -c $program -n $when -s W -x -d 'connect there by standard input and output'
    complete -c $program -n $when -s V -d 'print the version'
    complete -c $program -n $when -s v -d 'say more'
    complete -c $program -n $when -s y -d 'messages to syslog'
    complete -c $program -n "$when; and test (__skypty_given $from \$__skypty_ssh_valued) -eq 0" -a '(__skypty_names)'
    complete -c $program -n "$when; and test (__skypty_given $from \$__skypty_ssh_valued) -eq 1" -a '(__fish_complete_command)'
    complete -c $program -n "$when; and test (__skypty_given $from \$__skypty_ssh_valued) -gt 1" -F
end

# sessions
complete -c skypty -n '__skypty_is shell start' -l detach-ok -d 'it outlives the connection'
complete -c skypty -n '__skypty_is shell start' -l name -x -d 'the same, by a name'
complete -c skypty -n '__skypty_is sessions' -l kill -x -d 'end that one'
complete -c skypty -n '__skypty_is sessions' -l json -d 'a line of JSON for each'
complete -c skypty -n '__skypty_is attach' -l share -d 'let who types there already go on'
complete -c skypty -n '__skypty_is attach' -l view -d 'look on, and type nothing'

# job
complete -c skypty -n '__skypty_after job' -a 'run list log wait kill forget'
complete -c skypty -n '__skypty_is job' -a '(__skypty_names)'
complete -c skypty -n '__skypty_is job' -s f -l follow -d 'what it writes, until it has ended'
complete -c skypty -n '__skypty_is job' -l signal -x -a 'TERM HUP INT QUIT KILL USR1 USR2 CONT' -d 'which one kill sends'
complete -c skypty -n '__skypty_is job' -l json -d 'a line of JSON for each'
complete -c skypty -n '__skypty_is job' -s t -l timeout -x -d 'of the command'
complete -c skypty -n '__skypty_is job' -l connect-timeout -x -d 'until the host has proven its key'
complete -c skypty -n '__skypty_is job' -s e -l env -x -d 'set in its environment'
complete -c skypty -n '__skypty_is job' -l no-stdin -d 'give it no input'

# fleet
complete -c skypty -n '__skypty_is fleet' -a '(__skypty_names)'
complete -c skypty -n '__skypty_after fleet' -a 'list show'
complete -c skypty -n '__skypty_is fleet' -s j -l jobs -x -d 'how many hosts at once'
complete -c skypty -n '__skypty_is fleet' -l tag -x -d 'only hosts with one of these tags'
complete -c skypty -n '__skypty_is fleet' -l exclude -x -d 'leave hosts out'
complete -c skypty -n '__skypty_is fleet' -l order -x -a 'listed sorted reverse random' -d 'whose turn comes first'
complete -c skypty -n '__skypty_is fleet' -l seed -x -d 'the same random order each time'
complete -c skypty -n '__skypty_is fleet' -l batch -x -d 'how far each batch goes'
complete -c skypty -n '__skypty_is fleet' -l canary -x -d 'a first batch of so many'
complete -c skypty -n '__skypty_is fleet' -l pause -x -d 'between batches'
complete -c skypty -n '__skypty_is fleet' -l max-fail -x -d 'stop when more hosts fail'
complete -c skypty -n '__skypty_is fleet' -s t -l timeout -x -d 'of the command on each host'
complete -c skypty -n '__skypty_is fleet' -l connect-timeout -x -d 'until a host has let us in'
complete -c skypty -n '__skypty_is fleet' -l retry -x -d 'further attempts at hosts not reached'
complete -c skypty -n '__skypty_is fleet' -l idempotent -d 'the command may run more than once'
complete -c skypty -n '__skypty_is fleet' -l detach -d 'begin it there as a job'
complete -c skypty -n '__skypty_is fleet' -l check -x -d 'has to succeed there afterwards'
complete -c skypty -n '__skypty_is fleet' -l check-within -x -d 'tried until then'
complete -c skypty -n '__skypty_is fleet' -l script -rF -d 'run it there'
complete -c skypty -n '__skypty_is fleet' -l put -rF -d 'copy a file to each host'
complete -c skypty -n '__skypty_is fleet' -l get -x -d 'copy one from each'
complete -c skypty -n '__skypty_is fleet' -l recursive -d 'copy directories, too'
complete -c skypty -n '__skypty_is fleet' -l preserve -d 'keep modes and times'
complete -c skypty -n '__skypty_is fleet' -s e -l env -x -d 'set in the remote environment'
complete -c skypty -n '__skypty_is fleet' -l live -d 'output as it comes'
complete -c skypty -n '__skypty_is fleet' -s o -l output -rF -d 'keep the output of each host there'
complete -c skypty -n '__skypty_is fleet' -l json -d 'a line of JSON for each host'
complete -c skypty -n '__skypty_is fleet' -l junit -rF -d 'write a JUnit report there'
complete -c skypty -n '__skypty_is fleet' -l dry-run -d 'print the plan, and leave'
complete -c skypty -n '__skypty_is fleet' -l resume -d 'go on with a run that was cut off'

# --- skyptyd, and skypty host ---

set -l modes \
    'tcp\tlisten on TCP' \
    'host\tthe same for the command line alone' \
    'dmsg\tbe reachable over dmsg' \
    'http\ta terminal for browsers' \
    'check\twhat would be served, for whom' \
    'authorize\tlet a key in, and say what it may do' \
    'revoke\tkeep a key out' \
    'keys\twho may come in' \
    'confgen\ta configuration with a fresh key' \
    'kill\tend connections' \
    'status\tlist connections' \
    'version\tprint the version'
for mode in $modes
    complete -c skyptyd -n '__skypty_nth 1' -a (printf $mode | string split \t)[1] \
        -d (printf $mode | string split \t)[2]
end
complete -c skyptyd -n '__skypty_after check' -a 'tcp host dmsg'

for host in 'skyptyd:__skypty_is tcp host dmsg check' 'skypty:__skypty_is host'
    set -l program (string split : $host)[1]
    set -l when (string split : $host)[2]
    complete -c $program -n $when -s c -l conf -rF -d configuration
    complete -c $program -n $when -l confpath -rF -d configuration
    complete -c $program -n $when -l confstdin -d 'read a configuration from standard input'
    complete -c $program -n $when -s l -l listen -x -d 'TCP address, e.g. :2022'
    complete -c $program -n $when -l addr -x -d 'TCP address, e.g. :2022'
    complete -c $program -n $when -l tcplisten -x -d 'TCP address, e.g. :2022'
    complete -c $program -n $when -l tcp-listen -x -d 'TCP address, e.g. :2022'
    complete -c $program -n $when -l allow -x -d 'let these keys in, too'
    complete -c $program -n $when -l wl -x -d 'let these keys in, too'
    complete -c $program -n $when -l sk-from-visor -rF -d 'use the secret key of a visor\'s configuration'
    complete -c $program -n $when -l listen-fd -x -d 'serve the connection inherited as that descriptor'
    complete -c $program -n $when -l cliaddr -rF -d 'control socket; empty for none'
    complete -c $program -n $when -l clinet -x -a unix -d 'its network'
    complete -c $program -n $when -l dmsgdisc -x -d 'discovery of dmsg'
    complete -c $program -n $when -l dmsgsessions -x -d 'servers to hold a session with'
    complete -c $program -n $when -l dmsgport -x -d 'port to serve on dmsg'
    complete -c $program -n $when -l no-dmsg -d 'stay off the overlay'
    complete -c $program -n $when -l sftp-readonly -d 'files may be read, not changed'
    complete -c $program -n $when -l envprefix -x -d 'prefix of environment variables'
    complete -c $program -n $when -l log-level -x -a 'error warn info debug' -d 'what is logged'
    complete -c $program -n $when -l daemon -d 'go to the background'
    complete -c $program -n $when -l syslog -d 'log to syslog'
end
complete -c skyptyd -n '__skypty_is check' -l peer -x -d 'would this key be let in?'
complete -c skyptyd -n '__skypty_is check' -l key -x -d 'by which rule, and with which rights?'
complete -c skyptyd -n '__skypty_is check' -l from -x -a 'dmsg local' -d 'of --key, from where'
complete -c skyptyd -n '__skypty_is check' -l user -x -a '(__fish_complete_users)' -d 'of --key, as whom'
complete -c skyptyd -n '__skypty_is check' -s T -d 'print the configuration in force'

complete -c skyptyd -n '__skypty_is status' -l json -d 'as JSON'
complete -c skyptyd -n '__skypty_is status' -l metrics -d 'counters for Prometheus'
complete -c skyptyd -n '__skypty_is status' -l cliaddr -rF -d 'control socket'
complete -c skyptyd -n '__skypty_is kill' -l key -x -d 'all of this key'
complete -c skyptyd -n '__skypty_is kill' -l cliaddr -rF -d 'control socket'

complete -c skyptyd -n '__skypty_is authorize revoke keys' -s c -l conf -l confpath -rF -d 'configuration'
complete -c skyptyd -n '__skypty_is authorize' -l also -d 'though the key has lines already'
complete -c skyptyd -n '__skypty_is revoke' -l now -d 'end its connections, too'
complete -c skyptyd -n '__skypty_is keys' -l json -d 'for programs'

complete -c skyptyd -n '__skypty_is confgen' -l unsafe -d 'overwrite the file'
complete -c skyptyd -n '__skypty_is confgen' -l sk-file -rF -d 'where the secret key is kept'
complete -c skyptyd -n '__skypty_is confgen' -l seeds -d 'with the servers of the public deployment'
complete -c skyptyd -n '__skypty_is confgen' -F

complete -c skyptyd -n '__skypty_is http' -l addr -x -d 'where to listen'
complete -c skyptyd -n '__skypty_is http' -l unix -rF -d 'a socket of mode 0600, for a proxy'
complete -c skyptyd -n '__skypty_is http' -l unix-group -x -a '(__fish_complete_groups)' -d 'of mode 0660, for this group'
complete -c skyptyd -n '__skypty_is http' -l hnet -x -a 'unix tcp' -d 'network of the host'
complete -c skyptyd -n '__skypty_is http' -l haddr -rF -d 'the host'
complete -c skyptyd -n '__skypty_is http' -l cmd -x -d 'what to start'
complete -c skyptyd -n '__skypty_is http' -l arg -x -d 'its argument'
complete -c skyptyd -n '__skypty_is http' -l commands -x -d 'what ?commands=NAME types'
complete -c skyptyd -n '__skypty_is http' -l tls-cert -rF -d 'certificate'
complete -c skyptyd -n '__skypty_is http' -l tls-key -rF -d 'and its key'
complete -c skyptyd -n '__skypty_is http' -l origin -x -d 'another name that it goes by'
complete -c skyptyd -n '__skypty_is http' -l auth-header -x -d 'who it is says the proxy'
complete -c skyptyd -n '__skypty_is http' -l no-auth -d 'nobody is asked for anything'
complete -c skyptyd -n '__skypty_is http' -l i-know -d 'not refused where others can reach it'
complete -c skyptyd -n '__skypty_is http' -l readonly -d 'look, type nothing'
complete -c skyptyd -n '__skypty_is http' -l max-clients -x -d 'at once'
complete -c skyptyd -n '__skypty_is http' -l once -d 'serve one terminal and end'
complete -c skyptyd -n '__skypty_is http' -l idle-timeout -x -d 'end terminals that nobody types in'
complete -c skyptyd -n '__skypty_is http' -l session-ttl -x -d 'how long a browser stays let in'
complete -c skyptyd -n '__skypty_is http' -l base-path -x -d 'in front of all addresses'
complete -c skyptyd -n '__skypty_is http' -l title -x -d 'of the page'
complete -c skyptyd -n '__skypty_is http' -l token-file -rF -d 'write the link there'
complete -c skyptyd -n '__skypty_is http' -l user -x -a '(__fish_complete_users)' -d 'what the confined process runs as'
complete -c skyptyd -n '__skypty_is http' -l sandbox-best-effort -d 'go on when it cannot be confined in full'
complete -c skyptyd -n '__skypty_is http' -s v -l verbose -d 'say more'
complete -c skyptyd -n '__skypty_is http' -s q -l quiet -d 'say less'
