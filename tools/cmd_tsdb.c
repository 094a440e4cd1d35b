/* promq tsdb: what is in a data folder, and whether it is whole */
#include "tools/cmd_tsdb.h"
#include "tools/commands.h"
#include "tsdb/tsdb.h"

static const struct {
	const char *name;
	int (*run)(struct cli *cli, int argc, char **argv);
	const char *what;
} subcommands[] = {
    {"list", cmd_tsdb_list, "list the parts of a store"},
    {"analyze", cmd_tsdb_analyze, "count series by metric, label and pair; bytes by metric; churn"},
    {"verify", cmd_tsdb_verify, "check every byte of a store, changing nothing"},
    {"repair", cmd_tsdb_repair, "set aside what is damaged, save what can be read"},
    {"bench", cmd_tsdb_bench, "write generated samples, and print how fast that was"},
    {"create-blocks-from", cmd_tsdb_create_blocks, "write the samples of a file, or the history of rules, into a store"},
    {"dump", cmd_tsdb_dump, "write out samples, one a line"},
    {"dump-openmetrics", cmd_tsdb_dump_openmetrics, "write out samples as OpenMetrics text"},
};

static int print_help(struct cli *cli)
{
	strbuf_adds(cli->out,
	    "Usage: promq tsdb SUBCOMMAND [OPTION]... [DIR]\n"
	    "\n"
	    "Looks into the data folder of a server that does not run (DIR: " TSDB_DEFAULT_DIR ").\n"
	    "\n"
	    "Subcommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(subcommands); i++)
		strbuf_addf(cli->out, "  %-18s %s\n", subcommands[i].name, subcommands[i].what);
	return EXIT_OK;
}

int cmd_tsdb(struct cli *cli, int argc, char **argv)
{
	if (argc < 2)
		return cli_fail(cli, "tsdb: want a subcommand (see promq tsdb --help)");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return print_help(cli);
	for (size_t i = 0; i < ARRAY_LEN(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(cli, argc - 1, argv + 1);
	return cli_fail(cli, "tsdb: unknown subcommand \"%s\" (see promq tsdb --help)", argv[1]);
}

const char *cmd_tsdb_dir(struct cli *cli, const char *command, char **rest, int n_rest)
{
	if (n_rest <= 1)
		return n_rest ? rest[0] : TSDB_DEFAULT_DIR;
	cli_fail(cli, "%s: want one folder, got \"%s\" too", command, rest[1]);
	return NULL;
}

static void print_note(void *arg, const char *note)
{
	struct cli *cli = (struct cli *)arg;
	strbuf_addf(cli->err, "promq: note: %s\n", note);
}

bool cmd_tsdb_open(struct cli *cli, const char *dir, struct tsdb **db)
{
	struct err err;
	struct tsdb_options o = {.path = dir, .clock = cli->clock, .read_only = true};
	int rc = tsdb_open(&o, db, &err);
	if (rc != 0) {
		cli_fail(cli, "%s%s", err.msg, rc == ERR_BUSY ? ": is a server running on it?" : "");
		return false;
	}
	tsdb_start_notes(*db, print_note, cli);
	return true;
}

void cmd_tsdb_flush_some(struct cli *cli)
{
	enum { MUCH = 1 << 18 };
	if (cli->out->len > MUCH)
		cli_flush(cli);
}
