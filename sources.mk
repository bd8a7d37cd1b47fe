# SPDX-License-Identifier: ISC
# What each library and each program is made of, file by file: what runs as root
# is written down.  regress/linked says what of it ends up in the programs.

# common/: four libraries; base knows nobody, pty knows base, dmsg and privsep
# know both.
SRC_base = common/base/addr.c common/base/buf.c common/base/cast.c common/base/cidr.c common/base/clock.c \
	common/base/connector.c common/base/err.c common/base/file.c \
	common/base/hex.c common/base/http.c common/base/json.c \
	common/base/log.c common/base/log_format.c common/base/process.c common/base/rate.c \
	common/base/reach.c common/base/screen.c \
	common/base/tcp.c common/base/tcp_peer.c common/base/tls.c \
	common/base/unix.c common/base/usage.c common/base/visible.c

# By libsodium, and by ourselves.
SRC_mlkem_1 = common/pty/mlkem_sodium.c
SRC_mlkem_0 = common/pty/mlkem.c
SRC_pty = common/pty/aead.c common/pty/aead_bulk.c common/pty/exec_request.c \
	common/pty/exec_stream.c common/pty/frame.c common/pty/gob_dec.c \
	common/pty/gob_def.c common/pty/gob_enc.c common/pty/gob_ids.c \
	common/pty/gob_list.c common/pty/gob_skip.c common/pty/gob_value.c \
	common/pty/gob_wire.c common/pty/jobmsg.c common/pty/key_file.c common/pty/keys.c common/pty/keys_sign.c \
	common/pty/keccak.c common/pty/link.c $(SRC_mlkem_$(MLKEM)) common/pty/modes.c common/pty/mux.c \
	common/pty/mux_forward.c common/pty/mux_proxy.c common/pty/mux_session.c common/pty/mux_text.c \
	common/pty/noise.c common/pty/rpc_client.c common/pty/rpc_host.c \
	common/pty/rpc_types.c common/pty/sessmsg.c common/pty/yamux.c common/pty/yamux_in.c \
	common/pty/yamux_out.c common/pty/yamux_stream.c

SRC_dmsg = common/dmsg/dmsg_disc.c common/dmsg/dmsg_entry.c \
	common/dmsg/dmsg_object.c common/dmsg/dmsg_seal.c \
	common/dmsg/dmsg_session.c common/dmsg/dmsg_sign.c

SRC_privsep = common/privsep/accept_env.c common/privsep/account.c \
	common/privsep/agentmsg.c \
	common/privsep/config.c common/privsep/config_env.c \
	common/privsep/config_file.c \
	common/privsep/config_penalties.c common/privsep/config_print.c \
	common/privsep/config_show.c common/privsep/config_sk.c \
	common/privsep/config_values.c \
	common/privsep/config_visor.c common/privsep/config_wl.c \
	common/privsep/chroot_dir.c \
	common/privsep/control.c common/privsep/http_conf.c \
	common/privsep/metrics.c common/privsep/notify.c \
	common/privsep/permits.c common/privsep/pks_file.c \
	common/privsep/pks_from.c common/privsep/pks_line.c \
	common/privsep/pks_options.c common/privsep/pks_time.c \
	common/privsep/privmsg.c common/privsep/recording.c \
	common/privsep/rights.c \
	common/privsep/sandbox.c common/privsep/sandbox_filter.c \
	common/privsep/sockets.c common/privsep/start.c \
	common/privsep/welcome.c

# The processes.
SRC_skyptyd = daemon/ask.c daemon/authorize.c daemon/check.c daemon/check_key.c \
	daemon/confgen.c daemon/conns.c daemon/dmsg_monitor.c daemon/keys.c \
	daemon/limits.c daemon/limits_penalties.c daemon/listed.c \
	daemon/listener.c daemon/lobby.c daemon/metrics.c daemon/monitors.c \
	daemon/older.c daemon/settings.c daemon/skyptyd.c daemon/skyptyd_options.c daemon/tables.c

SRC_skyptyd-http-monitor = monitor/http/http_auth.c \
	monitor/http/http_control.c monitor/http/http_dial.c \
	monitor/http/http_gate.c monitor/http/http_listen.c \
	monitor/http/http_monitor.c monitor/http/http_options.c

# What both monitors of a confined child are.
SRC_half = monitor/half/dispatch.c monitor/half/half.c \
	monitor/half/half_child.c

# With PAM, and without.
SRC_pam_1 = monitor/pam_login.c
SRC_pam_0 = monitor/pam_none.c

SRC_skyptyd-monitor = monitor/about.c monitor/account.c monitor/cage.c monitor/cage_filter.c \
	monitor/command.c \
	monitor/ending.c monitor/env.c monitor/exec.c monitor/forced.c \
	monitor/forward.c monitor/forward_check.c monitor/forwarder.c \
	monitor/guard.c monitor/handshake.c monitor/job.c monitor/keep.c \
	monitor/kk.c monitor/login.c monitor/monitor.c monitor/origin.c \
	monitor/proxy.c \
	$(SRC_pam_$(PAM)) monitor/pty.c monitor/recorder.c monitor/records.c \
	monitor/requests.c \
	monitor/session.c monitor/sftp.c monitor/sftp_log.c monitor/spawn.c monitor/status.c \
	monitor/whitelist.c $(SRC_half)

SRC_skyptyd-dmsg-monitor = monitor/dmsg/connect.c monitor/dmsg/dials.c \
	monitor/dmsg/dmsg_requests.c monitor/dmsg/entry.c \
	monitor/dmsg/pass_on.c monitor/dmsg/servers.c \
	monitor/dmsg/skyptyd-dmsg-monitor.c $(SRC_half)

SRC_skyptyd-net = daemon/net/net.c daemon/net/net_auth.c \
	daemon/net/net_channel.c daemon/net/net_channels.c \
	daemon/net/net_conns.c daemon/net/net_dial.c daemon/net/net_exec.c \
	daemon/net/net_flow.c daemon/net/net_forward.c daemon/net/net_gather.c daemon/net/net_http.c daemon/net/net_job.c \
	daemon/net/net_link.c daemon/net/net_listen.c daemon/net/net_main.c daemon/net/net_mon.c \
	daemon/net/net_opened.c daemon/net/net_peer.c \
	daemon/net/net_pipe.c daemon/net/net_pty.c daemon/net/net_relay.c \
	daemon/net/net_request.c daemon/net/net_rpc.c \
	daemon/net/net_sftp.c daemon/net/net_status.c daemon/net/net_term.c \
	daemon/net/net_wl.c

SRC_skyptyd-dmsg = daemon/dmsg/dmsg_life.c daemon/dmsg/dmsg_ask.c \
	daemon/dmsg/dmsg_choose.c daemon/dmsg/dmsg_main.c \
	daemon/dmsg/dmsg_mon.c daemon/dmsg/dmsg_out.c \
	daemon/dmsg/dmsg_pipe.c daemon/dmsg/dmsg_probe.c \
	daemon/dmsg/dmsg_reap.c daemon/dmsg/dmsg_server.c \
	daemon/dmsg/dmsg_status.c

SRC_skyptyd-http = daemon/http/http_main.c daemon/http/http_client.c \
	daemon/http/http_confine.c daemon/http/http_host.c \
	daemon/http/http_mon.c daemon/http/http_origin.c \
	daemon/http/http_page.c daemon/http/http_rpc.c \
	daemon/http/http_term.c daemon/http/http_text.c \
	daemon/http/http_tls.c daemon/http/http_visitor.c \
	daemon/http/http_ws.c

SRC_skyptyd-connect = daemon/connect/skyptyd-connect.c

SRC_skypty-forward = daemon/forward/forward_listen.c \
	daemon/forward/forward_names.c daemon/forward/skypty-forward.c

SRC_skypty-record = daemon/record/skypty-record.c

# With libvterm, and without.
SRC_kept_screen_1 = daemon/keeper/keeper_vterm.c
SRC_kept_screen_0 = daemon/keeper/keeper_replay.c

SRC_skypty-keeper = daemon/keeper/keeper_door.c daemon/keeper/keeper_hand.c \
	daemon/keeper/keeper_guest.c \
	daemon/keeper/keeper_peer.c daemon/keeper/keeper_run.c \
	daemon/keeper/keeper_session.c daemon/keeper/keeper_start.c \
	$(SRC_kept_screen_$(VTERM)) \
	daemon/keeper/keeper_store.c daemon/keeper/skypty-keeper.c

SRC_skypty-tls = daemon/tls/skypty-tls.c

SRC_skypty-agent = client/agent/agent.c client/agent/skypty-agent.c

# The client.
SRC_skypty = client/add.c client/agent_call.c client/agent_cmd.c \
	client/agent_door.c client/background.c client/call.c client/complain.c client/conn.c client/dest.c client/detach.c \
	client/dial.c client/duration.c client/exec.c client/exec_frames.c \
	client/exec_http.c client/exec_rpc.c client/flags.c client/frames.c client/fs.c client/fs_notes.c \
	client/handshake.c client/host.c client/hosts.c client/hosts_match.c client/identity.c \
	client/identity_file.c client/job.c client/keygen.c client/obscure.c client/offer.c client/options.c client/passphrase.c client/patience.c client/place.c \
	client/progress.c client/proxy.c client/relay.c client/remote.c \
	client/runtime.c client/session.c client/sessions.c client/shell_rpc.c client/shell.c client/shell_words.c \
	client/signals.c client/sink.c client/skypty.c client/status_fd.c client/term.c \
	client/term_loop.c client/typed.c client/via.c client/whitelist.c \
	client/wishes.c client/cp/cp.c client/cp/cp_file.c \
	client/cp/cp_get.c client/cp/cp_list.c client/cp/cp_names.c \
	client/cp/cp_put.c client/cp/cp_real.c client/cp/cp_run.c \
	client/cp/cp_walk.c client/dmsg/dmsg.c client/dmsg/dmsg_cmd.c \
	client/dmsg/dmsg_dial.c client/dmsg/dmsg_find.c \
	client/dmsg/dmsg_holder.c client/dmsg/dmsg_link.c \
	client/dmsg/dmsg_share.c client/fleet/fleet.c \
	client/fleet/fleet_child.c client/fleet/fleet_flags.c \
	client/fleet/fleet_hosts.c client/fleet/fleet_journal.c \
	client/fleet/fleet_list.c client/fleet/fleet_output.c \
	client/fleet/fleet_plan.c client/fleet/fleet_report.c \
	client/fleet/fleet_run.c \
	client/fleet/fleet_tell.c client/forward/forward.c \
	client/forward/forward_call.c client/forward/forward_guest.c \
	client/forward/forward_cmd.c client/forward/forward_back.c \
	client/forward/forward_near.c client/forward/forward_flags.c \
	client/forward/forward_jump.c client/forward/forward_line.c \
	client/forward/forward_far.c \
	client/forward/forward_spec.c \
	client/forward/socks.c client/hub/hub.c client/hub/hub_arrive.c \
	client/hub/hub_caller.c client/hub/hub_cmd.c client/hub/hub_conn.c \
	client/hub/hub_peer.c client/hub/hub_place.c \
	client/sftp/sftp.c client/sftp/sftp_asker.c \
	client/sftp/sftp_cmd.c client/sftp/sftp_put.c client/ssh/ssh.c \
	client/ssh/ssh_dest.c client/ssh/ssh_flags.c client/ssh/ssh_opts.c \
	client/ssh/ssh_print.c client/ssh/ssh_table.c client/ssh/ssh_words.c
