#include "cli/training.h"

#include <stdio.h>

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "compare/rerun.h"

/* What is about to be trained, in a line each. */
static knack_status introduce(struct progress *progress, struct run *run)
{
    struct run_facts facts;
    TRY(run_facts(run, false, &facts));
    progress_note(progress, facts.data);
    progress_note(progress, facts.model);
    for (int64_t i = 0; i < facts.tricks; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s: %s", facts.trick[i].name, facts.trick[i].summary);
        progress_note(progress, text);
    }
    return KNACK_OK;
}

/* Trains, with what is shown on the way ended before the results are. */
static knack_status train(struct progress *progress, struct run *run)
{
    TRY(introduce(progress, run));
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

knack_status training_repeat(const struct console *console, struct rerun *rerun, bool changed)
{
    struct progress progress;
    progress_start(&progress, console);
    rerun->request.observer = progress_observer(&progress);
    struct run *run;
    TRY(run_open(&rerun->request, &run));
    knack_status status = changed ? KNACK_OK : rerun_check(rerun, run);
    if (status >= 0) status = train(&progress, run);
    if (status >= 0 && !changed) status = rerun_compare(rerun, run);
    run_close(run);
    return status;
}
