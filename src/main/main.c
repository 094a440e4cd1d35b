/* promqd: the command line, signals, and the way in and out. What lies between is main/wire.c. */
#include "base/clock.h"
#include "base/log.h"
#include "config.h"
#include "main/options.h"
#include "main/process_metrics.h"
#include "main/wire.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_RUNTIME = 1, EXIT_FLAGS = 2 };

static bool parse_level(const char *text, enum log_level *level)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*level = (enum log_level)i;
		return true;
	}
	return false;
}

static bool set_up_log(const struct options *o)
{
	enum log_level level;
	const char *format = options_text(o, OPT_LOG_FORMAT);
	if (!parse_level(options_text(o, OPT_LOG_LEVEL), &level)) {
		fprintf(stderr, "promqd: flag --log.level: want debug, info, warn or error, not %s\n",
		    options_text(o, OPT_LOG_LEVEL));
		return false;
	}
	if (strcmp(format, "logfmt") != 0 && strcmp(format, "json") != 0) {
		fprintf(stderr, "promqd: flag --log.format: want logfmt or json, not %s\n", format);
		return false;
	}
	log_setup(level, strcmp(format, "json") == 0 ? LOG_JSON : LOG_LOGFMT);
	return true;
}

static void warn_of_ignored(const struct options *o)
{
	for (int id = 0; id < OPTIONS; id++)
		if (options_is_ignored(o, (enum option_id)id))
			log_warn("flag is accepted without effect", KV_STR("component", "main"),
			    KV_STR("flag", option_name((enum option_id)id)));
}

/* Before any thread starts, so that all inherit it: signals are taken by wait_for_end() alone. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void wait_for_end(struct server *s, const sigset_t *set)
{
	int got;
	while (sigwait(set, &got) == 0 && got == SIGHUP) {
		struct strbuf problems = STRBUF_INIT;
		server_reload(s, &problems);
		strbuf_done(&problems);
	}
	log_info("received a signal, ending", KV_STR("component", "main"), KV_STR("signal", strsignal(got)));
}

static int run(const struct options *o)
{
	sigset_t signals;
	block_signals(&signals);
	process_metrics_register(clock_real());
	warn_of_ignored(o);
	struct server *s;
	struct strbuf problems = STRBUF_INIT;
	if (!server_start(o, &s, &problems)) {
		fprintf(stderr, "%s%s", strbuf_cstr(&problems),
		    slice_ends(strbuf_slice(&problems), SL("\n")) ? "" : "\n");
		strbuf_done(&problems);
		return EXIT_RUNTIME;
	}
	strbuf_done(&problems);
	wait_for_end(s, &signals);
	server_stop(s);
	log_info("see you next time", KV_STR("component", "main"));
	return EXIT_SUCCESS;
}

static void print_help(void)
{
	struct strbuf text = STRBUF_INIT;
	options_print_help(&text);
	fputs(strbuf_cstr(&text), stdout);
	strbuf_done(&text);
}

int main(int argc, char **argv)
{
	struct options o;
	struct err err;
	int status = EXIT_SUCCESS;
	if (options_parse(&o, argc, argv, &err)) {
		fprintf(stderr, "promqd: %s\n", err.msg);
		status = EXIT_FLAGS;
	} else if (o.wants_help) {
		print_help();
	} else if (o.wants_version) {
		printf("promqd, version %s\n", PACKAGE_VERSION);
	} else {
		status = set_up_log(&o) ? run(&o) : EXIT_FLAGS;
	}
	options_done(&o);
	return status;
}
