/* The commands: each takes its own arguments (argv[0] is its name) and returns the exit code. */
#pragma once

#include "tools/cli.h"

int cmd_query(struct cli *cli, int argc, char **argv);
int cmd_query_explain(struct cli *cli, int argc, char **argv);
int cmd_format(struct cli *cli, int argc, char **argv);
int cmd_labels(struct cli *cli, int argc, char **argv);
int cmd_series(struct cli *cli, int argc, char **argv);
int cmd_targets(struct cli *cli, int argc, char **argv);
int cmd_alerts(struct cli *cli, int argc, char **argv);
int cmd_check(struct cli *cli, int argc, char **argv);
int cmd_tsdb(struct cli *cli, int argc, char **argv);
