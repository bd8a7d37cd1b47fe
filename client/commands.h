/* SPDX-License-Identifier: ISC */
/* The subcommands.  Each gets its own word as argv[0]; an exit status. */
#ifndef CLIENT_COMMANDS_H
#define CLIENT_COMMANDS_H

int shell_main(int argc, char **argv);
int exec_main(int argc, char **argv);
int whitelist_main(int argc, char **argv);
int cp_main(int argc, char **argv);
int host_main(int argc, char **argv);
int keygen_main(int argc, char **argv);
int pk_main(int argc, char **argv);
int ssh_main(int argc, char **argv);
int sftp_main(int argc, char **argv);
int fs_main(int argc, char **argv);
int config_main(int argc, char **argv);
int dmsg_main(int argc, char **argv);

#endif
