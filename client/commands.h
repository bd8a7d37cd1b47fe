/* SPDX-License-Identifier: ISC */
/* The subcommands.  Each gets its own word as argv[0]; an exit status. */
#ifndef CLIENT_COMMANDS_H
#define CLIENT_COMMANDS_H

/* A shell, or a command. */
int shell_main(int argc, char **argv);
/* A command, here or there. */
int exec_main(int argc, char **argv);
/* whitelist, whitelist-add, whitelist-remove */
int whitelist_main(int argc, char **argv);
/* Copies files. */
int cp_main(int argc, char **argv);
/* Becomes skyptyd host. */
int host_main(int argc, char **argv);
/* Makes an identity. */
int keygen_main(int argc, char **argv);
/* Keeps keys in memory; gives them to it. */
int agent_main(int argc, char **argv);
int add_main(int argc, char **argv);
/* Prints the key that would be used. */
int pk_main(int argc, char **argv);
/* As ssh; also under the name skypty-ssh, with all of its words. */
int ssh_main(int argc, char **argv);
/* Becomes sftp. */
int sftp_main(int argc, char **argv);
/* fs mount, umount and list */
int fs_main(int argc, char **argv);
/* A command, or a copy, on many hosts. */
int fleet_main(int argc, char **argv);
/* Commands that outlive their connection. */
int job_main(int argc, char **argv);
/* Orders for a connection that is shared. */
int control_main(int argc, char **argv);
/* Terminals that outlive their connection. */
int sessions_main(int argc, char **argv);
int attach_main(int argc, char **argv);
/* What the file of names says. */
int config_main(int argc, char **argv);
/* dmsg status */
int dmsg_main(int argc, char **argv);

#endif
