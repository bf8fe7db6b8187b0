#include "opened.h"

#include "base/memory.h"
#include "base/tree.h"
#include "train/state.h"

knack_status opened_run(const struct workload *w, const struct options *options, struct run_request request, struct run **run)
{
    enum { EPOCHS = 10000000 }; /* without end */
    char *folder = bench_folder(), *config = workload_config(w, options->threads, options->bf16, EPOCHS, options->plugins);
    request.config = w->name;
    request.text = config;
    request.folder = folder;
    knack_status status = folder && config ? workload_write(w, folder) : KNACK_E_MEMORY;
    if (status >= 0) status = run_open(&request, run);
    if (folder) remove_tree(folder); /* files that are open stay */
    memory_free(folder);
    memory_free(config);
    return status;
}

int64_t opened_parameters(const struct run *run)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < run->params->count; i++) sum += run->params->list[i]->public.count;
    return sum;
}
