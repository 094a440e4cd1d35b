/* The subcommands of `promq tsdb`. They work on a data folder, not on a server; argv[0] is the subcommand. */
#pragma once

#include "tools/cli.h"

struct tsdb;
struct backfill_result;

int cmd_tsdb_list(struct cli *cli, int argc, char **argv);
int cmd_tsdb_analyze(struct cli *cli, int argc, char **argv);
int cmd_tsdb_verify(struct cli *cli, int argc, char **argv);
int cmd_tsdb_bench(struct cli *cli, int argc, char **argv);
int cmd_tsdb_repair(struct cli *cli, int argc, char **argv);
int cmd_tsdb_create_blocks(struct cli *cli, int argc, char **argv);
/* Its `rules`; argv[0] is that word. */
int cmd_tsdb_create_blocks_of_rules(struct cli *cli, int argc, char **argv);
int cmd_tsdb_dump(struct cli *cli, int argc, char **argv);
int cmd_tsdb_dump_openmetrics(struct cli *cli, int argc, char **argv);

/* What the server calls its folder when it is not told. */
#define TSDB_DEFAULT_DIR "data"

/* The folder that the arguments name (none: the default), NULL when there are several: that was said then. */
const char *cmd_tsdb_dir(struct cli *cli, const char *command, char **rest, int n_rest);
/* Opens the store for reading; what is wrong with it goes to standard error. False: and it cannot be read at all. */
bool cmd_tsdb_open(struct cli *cli, const char *dir, struct tsdb **db);
/* The parts that a backfill made, unless `quiet`, and how many samples it left out. */
void cmd_tsdb_print_backfill(struct cli *cli, const struct backfill_result *r, bool quiet);
/* Writes out what waits when that has become much. */
void cmd_tsdb_flush_some(struct cli *cli);
