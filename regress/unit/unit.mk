UNIT_OBJ_test_agent = client/agent/agent.c
UNIT_OBJ_test_http_auth = monitor/http/http_auth.c
UNIT_OBJ_test_http_gate = monitor/http/http_auth.c monitor/http/http_gate.c
UNIT_OBJ_test_http_origin = daemon/http/http_origin.c
UNIT_OBJ_test_http_text = daemon/http/http_text.c
UNIT_OBJ_test_conns = daemon/limits.c daemon/limits_penalties.c
UNIT_OBJ_test_limits = daemon/limits.c daemon/limits_penalties.c
UNIT_OBJ_test_lobby = daemon/limits.c daemon/limits_penalties.c
UNIT_OBJ_test_dmsg_monitor = daemon/limits.c daemon/limits_penalties.c
UNIT_OBJ_test_dmsg_life = $(filter-out daemon/dmsg/dmsg_main.c,$(SRC_skyptyd-dmsg))
UNIT_OBJ_test_net_life = $(filter-out daemon/net/net_main.c,$(SRC_skyptyd-net))
UNIT_OBJ_test_net_channels = $(UNIT_OBJ_test_net_life)
$(OBJ)/regress/unit/test_dmsg_life $(OBJ)/regress/unit/test_net_life: \
	LDHARDEN += -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc
UNIT_OBJ_test_keeper = daemon/keeper/keeper_hand.c \
	daemon/keeper/keeper_peer.c daemon/keeper/keeper_store.c
UNIT_OBJ_test_term = client/term.c
UNIT_OBJ_test_fleet_journal = $(filter-out client/skypty.c,$(SRC_skypty))
UNIT_OBJ_test_hub = $(filter-out client/skypty.c,$(SRC_skypty))
$(OBJ)/regress/unit/test_hub: LDHARDEN += $(WRAP_CLOCK)
UNIT_OBJ_test_forward_spec = client/forward/forward_spec.c
UNIT_OBJ_test_socks = client/forward/socks.c
UNIT_OBJ_test_flags = client/flags.c
UNIT_OBJ_test_obscure = client/obscure.c
UNIT_OBJ_test_ssh_words = client/forward/forward_spec.c \
	client/obscure.c client/ssh/ssh_words.c \
	client/ssh/ssh_opts.c \
	client/ssh/ssh_table.c client/hosts_match.c
# clock.h
WRAP_CLOCK = -Wl,--wrap=clock_gettime -Wl,--wrap=__clock_gettime64
# half_world.h
HALF_WRAPS = -Wl,--wrap=half_die -Wl,--wrap=half_timer
MON_SRC = $(filter-out monitor/monitor.c,$(SRC_skyptyd-monitor))
DMSG_MON_SRC = $(filter-out monitor/dmsg/skyptyd-dmsg-monitor.c,\
	$(SRC_skyptyd-dmsg-monitor))
UNIT_OBJ_test_dispatch = $(sort $(MON_SRC) $(DMSG_MON_SRC))
$(OBJ)/regress/unit/test_dispatch: LDHARDEN += $(WRAP_CLOCK) \
	-Wl,--wrap=log_at -Wl,--wrap=log_warn
UNIT_OBJ_test_mon_handshake = $(MON_SRC)
UNIT_OBJ_test_mon_requests = $(MON_SRC)
UNIT_OBJ_test_mon_forward = $(MON_SRC)
UNIT_OBJ_test_mon_whitelist = $(MON_SRC)
UNIT_OBJ_test_mon_dial = $(filter-out monitor/dmsg/dials.c,$(DMSG_MON_SRC))
$(OBJ)/regress/unit/test_mon_dial: LDHARDEN += $(WRAP_CLOCK)
UNIT_OBJ_test_mon_cage = monitor/cage_filter.c
UNIT_OBJ_test_mon_command = monitor/command.c
UNIT_OBJ_test_mon_account = monitor/account.c
UNIT_OBJ_test_mon_env = monitor/account.c monitor/env.c
UNIT_OBJ_test_mon_origin = monitor/origin.c
UNIT_OBJ_test_mon_ending = monitor/about.c monitor/ending.c $(SRC_half)
UNIT_OBJ_test_mon_job = $(MON_SRC)
UNIT_OBJ_test_mon_cage = monitor/cage.c monitor/cage_filter.c
UNIT_OBJ_test_mon_records = monitor/records.c
UNIT_OBJ_test_mon_session = $(MON_SRC)
UNIT_OBJ_test_mon_sftp = $(MON_SRC)
UNIT_OBJ_test_mon_spawn = $(MON_SRC)
WRAP_LOG = -Wl,--wrap=log_info -Wl,--wrap=log_event -Wl,--wrap=log_debug
$(OBJ)/regress/unit/test_mon_command: LDHARDEN += $(WRAP_LOG)
$(OBJ)/regress/unit/test_mon_ending: LDHARDEN += $(WRAP_CLOCK) $(WRAP_LOG)
$(OBJ)/regress/unit/test_mon_job: LDHARDEN += $(WRAP_CLOCK) $(WRAP_LOG)
MON_TESTS = $(addprefix $(OBJ)/regress/unit/test_mon_,\
	dial forward handshake job requests session sftp spawn whitelist)
$(MON_TESTS): LDHARDEN += $(HALF_WRAPS)
UNIT_OBJ_test_sftp_asker = client/sftp/sftp_asker.c
UNIT_OBJ_test_kept_screen = $(SRC_kept_screen_$(VTERM))
UNIT_OBJ_test_forward = $(filter-out client/skypty.c,$(SRC_skypty))
