/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommands of the `vouchsafe` tool, one file each. argv[0] is the subcommand's name; the
 * result is the exit code: 0 success, 1 failure, 2 wrong command line.
 */
#ifndef VS_CMD_COMMANDS_H
#define VS_CMD_COMMANDS_H

int cmd_serve(int argc, char **argv);
int cmd_kbs(int argc, char **argv);     /* the program name `kbs`, with Trustee's flags */
int cmd_grpc_as(int argc, char **argv); /* likewise grpc-as, restful-as, rvps, rvps-tool */
int cmd_restful_as(int argc, char **argv);
int cmd_rvps(int argc, char **argv);
int cmd_rvps_tool(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_rego(int argc, char **argv);
int cmd_rim(int argc, char **argv);
int cmd_corim(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_dry_run(int argc, char **argv);
int cmd_audit(int argc, char **argv);
/* In the executable vouchsafe-realm only: a test device has no place in a server program. */
int cmd_realm(int argc, char **argv);

#endif
