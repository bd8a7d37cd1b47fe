/* SPDX-License-Identifier: ISC */
/* Types and methods of the protocol as tables.  PROTOCOL.pty 5.3, 5.4. */
#include "common/pty/rpc_types.h"

#define FIELD(type, member, text, what)                 \
	{                                               \
		.name = text, .kind = what,             \
		.offset = offsetof(struct type, member) \
	}
#define UINT16(type, member, text)                                 \
	{                                                          \
		.name = text, .kind = GOB_UINT, .max = UINT16_MAX, \
		.offset = offsetof(struct type, member)            \
	}
#define STRUCT(type, table, text)                                 \
	{                                                         \
		.name = text, .is_struct = true, .fields = table, \
		.nfields = sizeof(table) / sizeof((table)[0]),    \
		.size = sizeof(struct type)                       \
	}
#define SINGLE(ctype, what)                                       \
	{                                                         \
		.name = "", .single = what, .size = sizeof(ctype) \
	}

static const struct gob_field request_fields[] = {
	FIELD(rpc_header, name, "ServiceMethod", GOB_STRING),
	FIELD(rpc_header, seq, "Seq", GOB_UINT),
};

static const struct gob_field response_fields[] = {
	FIELD(rpc_header, name, "ServiceMethod", GOB_STRING),
	FIELD(rpc_header, seq, "Seq", GOB_UINT),
	FIELD(rpc_header, error, "Error", GOB_STRING),
};

static const struct gob_field winsize_fields[] = {
	UINT16(rpc_winsize, x, "X"),
	UINT16(rpc_winsize, y, "Y"),
	UINT16(rpc_winsize, rows, "Rows"),
	UINT16(rpc_winsize, cols, "Cols"),
};

static const struct gob_type winsize =
    STRUCT(rpc_winsize, winsize_fields, "WinSize");

static const struct gob_field command_fields[] = {
	FIELD(rpc_command, name, "Name", GOB_STRING),
	FIELD(rpc_command, arg, "Arg", GOB_STRINGS),
	{ .name = "Size",
	    .kind = GOB_STRUCT,
	    .type = &winsize,
	    .offset = offsetof(struct rpc_command, size),
	    .present = offsetof(struct rpc_command, has_size) },
	FIELD(rpc_command, env, "Env", GOB_STRINGS),
};

static const struct gob_field exec_fields[] = {
	FIELD(rpc_exec, name, "Name", GOB_STRING),
	FIELD(rpc_exec, arg, "Arg", GOB_STRINGS),
	FIELD(rpc_exec, env, "Env", GOB_STRINGS),
	FIELD(rpc_exec, in, "Stdin", GOB_BYTES),
	FIELD(rpc_exec, timeout_ms, "TimeoutMS", GOB_INT),
};

static const struct gob_field result_fields[] = {
	FIELD(rpc_exec_result, out, "Stdout", GOB_BYTES),
	FIELD(rpc_exec_result, err, "Stderr", GOB_BYTES),
	FIELD(rpc_exec_result, out_cut, "StdoutTruncated", GOB_BOOL),
	FIELD(rpc_exec_result, err_cut, "StderrTruncated", GOB_BOOL),
	FIELD(rpc_exec_result, exit_code, "ExitCode", GOB_INT),
	FIELD(rpc_exec_result, timed_out, "TimedOut", GOB_BOOL),
	FIELD(rpc_exec_result, duration_ms, "DurationMS", GOB_INT),
};

static const struct gob_type request =
    STRUCT(rpc_header, request_fields, "Request");
static const struct gob_type response =
    STRUCT(rpc_header, response_fields, "Response");
static const struct gob_type command =
    STRUCT(rpc_command, command_fields, "CommandReq");
static const struct gob_type exec =
    STRUCT(rpc_exec, exec_fields, "CommandExecReq");
static const struct gob_type result =
    STRUCT(rpc_exec_result, result_fields, "CommandExecResult");
static const struct gob_type empty = { .name = "", .is_struct = true };
static const struct gob_type number = SINGLE(int64_t, GOB_INT);
static const struct gob_type bytes = SINGLE(struct buf, GOB_BYTES);
static const struct gob_type text = SINGLE(struct buf, GOB_STRING);
static const struct gob_type keys = SINGLE(struct gob_list, GOB_OPAQUES);

static const struct rpc_method_def methods[RPC_METHODS] = {
	[RPC_PTY_START] = { "pty.Start", &command, &empty },
	[RPC_PTY_STOP] = { "pty.Stop", &empty, &empty },
	[RPC_PTY_READ] = { "pty.Read", &number, &bytes },
	[RPC_PTY_WRITE] = { "pty.Write", &bytes, &number },
	[RPC_PTY_SETSIZE] = { "pty.SetPtySize", &winsize, &empty },
	[RPC_PTY_EXEC] = { "pty.Exec", &exec, &result },
	[RPC_PTY_PING] = { "pty.Ping", &empty, &empty },
	[RPC_PTY_STARTSESSION] = { "pty.StartSession", &command, &text },
	[RPC_PTY_ATTACH] = { "pty.Attach", &text, &empty },
	[RPC_WL_LIST] = { "whitelist.Whitelist", &empty, &keys },
	[RPC_WL_ADD] = { "whitelist.WhitelistAdd", &keys, &empty },
	[RPC_WL_REMOVE] = { "whitelist.WhitelistRemove", &keys, &empty },
};

const struct gob_type *
rpc_type_request(void)
{
	return &request;
}

const struct gob_type *
rpc_type_response(void)
{
	return &response;
}

const struct gob_type *
rpc_type_empty(void)
{
	return &empty;
}

const struct rpc_method_def *
rpc_method_def(enum rpc_method method)
{
	return &methods[method];
}

int
rpc_put(struct gob_enc *enc, struct buf *out, const struct gob_type *htype,
    const struct rpc_header *header, const struct gob_type *type,
    const void *value)
{
	const struct gob_item items[] = { { htype, header }, { type, value } };

	return gob_enc_values(enc, out, items, 2);
}
