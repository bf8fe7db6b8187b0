/* What stands on bench's command line, read strictly: what is not understood is refused before anything runs. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "bench.h"

/* What a command takes besides options. */
enum operands {
    NOTHING,
    TRAINED, /* workloads that are trained */
    TIMED,   /* and the product too */
    OWN      /* it looks itself */
};

/* argv[0] is the command. letters: of the options that it takes, as in the list of options.c. KNACK_E_USAGE says what was wrong. */
knack_status bench_options(int argc, char **argv, const char *letters, enum operands, struct options *);

#endif
