#include "cli/training.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/show.h"

/* Trains, with what is shown on the way ended before the results are. */
static knack_status train(struct progress *progress, struct run *run)
{
    interrupt_watch();
    knack_status status = run_train(run);
    interrupt_unwatch();
    progress_stop(progress);
    return status < 0 ? status : show_result(progress->console, run);
}

knack_status training_start(const struct console *console, struct run_request *request, bool dry_run)
{
    struct progress progress;
    progress_start(&progress, console);
    request->observer = progress_observer(&progress);
    struct run *run;
    TRY(run_open(request, &run));
    knack_status status = dry_run ? show_facts(console, run) : train(&progress, run);
    run_close(run);
    return status;
}

knack_status training_resume(const struct console *console, const char *folder, struct run_request *request)
{
    struct progress progress;
    progress_start(&progress, console);
    request->observer = progress_observer(&progress);
    struct run *run;
    TRY(run_resume(folder, request, &run));
    knack_status status = train(&progress, run);
    run_close(run);
    return status;
}
