/* rwload: makes and replays Prometheus remote-write 1.0 traffic, to measure any server that takes it. */
#include "bench/rwload.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage:\n"
    "  rwload gen FILE SERIES STEPS STEP_MS START_MS [BATCH [CHURN [CHURN_STEPS [EXTRA]]]]\n"
    "      Writes request bodies to FILE: STEPS samples of SERIES series, BATCH "
    "(2000) samples a request. Series look like\n"
    "      those of real exporters: 1000 a target, 5 to 8 labels, a mix of counters, "
    "gauges, histogram buckets and\n"
    "      constants. CHURN percent of the targets get a new pod name each "
    "CHURN_STEPS (40) steps, not all at\n"
    "      once. EXTRA (0 to 6): so many more labels on each series.\n"
    "  rwload send FILE HOST PORT PATH CONNECTIONS [PID [RATE]]\n"
    "      Replays FILE and prints one line of JSON: samples a second, CPU of "
    "process PID per sample, latencies, memory.\n"
    "      RATE: samples a second to offer (default: as fast as answers come); latencies "
    "then count from the moment a\n"
    "      request was due.\n";

int main(int argc, char **argv)
{
	if (argc >= 7 && strcmp(argv[1], "gen") == 0)
		return rwload_gen(argc - 2, argv + 2);
	if (argc >= 7 && strcmp(argv[1], "send") == 0)
		return rwload_send(argc - 2, argv + 2);
	int wants_help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
	fputs(usage, wants_help ? stdout : stderr);
	return wants_help ? 0 : 2;
}
