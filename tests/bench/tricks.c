/* bench tricks: what every trick costs, in steps of the same training without it. */
#include "arms.h"
#include "table.h"

#include <string.h>

#include "base/text.h"

enum { ROUNDS = 7 };
static const double SECONDS = 0.5;

/* In the order of docs/tricks/README.md. Of what a trick does at the ends of epochs and in evaluations nothing is seen here: tta and
 * early-stop do nothing else. */
static const struct trick {
    const char *name, *entry; /* entry of the config's list, but where it says otherwise for an encoder */
    const char *encoder;
    bool images;
    double most;         /* target, in steps; 0: none */
    const char *most_of; /* the only workload that it is for; NULL: all */
} tricks[] = {
    {"mixup", "\"mixup\"", "{\"name\": \"mixup\", \"layer\": \"embedding\"}"},
    {"cutmix", "\"cutmix\"", .images = true},
    {"label-smoothing", "\"label-smoothing\""},
    {"focal", "\"focal\""},
    {"rdrop", "\"rdrop\"", .most = 2.05},
    {"arcface", "\"arcface\""},
    {"cosface", "\"cosface\""},
    {"sphereface", "\"sphereface\""},
    {"fgm", "{\"name\": \"fgm\", \"parameters\": \"*1.weight\"}", "{\"name\": \"fgm\", \"parameters\": \"embedding.weight\"}",
     .most = 2.05},
    {"fgm, in a layer", "{\"name\": \"fgm\", \"layer\": \"input\"}", "{\"name\": \"fgm\", \"layer\": \"embedding\"}"},
    {"pgd", "{\"name\": \"pgd\", \"parameters\": \"*1.weight\"}", "{\"name\": \"pgd\", \"parameters\": \"embedding.weight\"}"},
    {"freelb", "{\"name\": \"freelb\", \"layer\": \"input\"}", "{\"name\": \"freelb\", \"layer\": \"embedding\"}"},
    {"awp", "\"awp\""},
    {"sam", "\"sam\"", .most = 2.05},
    {"ema", "\"ema\"", .most = 1.06, .most_of = "mlp"},
    {"swa", "\"swa\""},
    {"checkpoint-average", "\"checkpoint-average\""},
    {"snapshot-ensemble", "\"snapshot-ensemble\""},
    {"grad-clip", "\"grad-clip\""},
};
enum { TRICKS = sizeof tricks / sizeof *tricks, WORKLOADS_MOST = 6 };

/* In steps without it: median over rounds, the least, the greatest. 0: the trick is not for this workload. */
struct cost {
    double steps, low, high;
};

/* The trained workload and the same with the trick take turns. */
static knack_status cost_of(const struct trick *trick, const char *workload, const struct options *options, struct cost *cost)
{
    struct workload w;
    *cost = (struct cost){0};
    TRY(workload_find(workload, &w));
    if (trick->images && w.side < 2) return KNACK_OK;
    const char *entry = w.kind == ENCODER && trick->encoder ? trick->encoder : trick->entry;
    struct arm arm[2] = {{.workload = workload, .threads = options->threads},
                         {.workload = workload, .threads = options->threads, .plugins = entry}};
    TRY(arms_measure(arm, 2, options->rounds ? options->rounds : ROUNDS, options->seconds ? options->seconds : SECONDS));
    cost->steps = arm_ratio(&arm[1], &arm[0]);
    arm_ratio_range(&arm[1], &arm[0], &cost->low, &cost->high);
    return KNACK_OK;
}

static knack_status put_trick(struct table *table, const struct trick *trick, const char *const *workload, int64_t count,
                              const struct options *options)
{
    char text[64], number[48];
    double worst = 0;
    fprintf(stderr, "tricks: %s\n", trick->name);
    table_text(table, trick->name);
    for (int64_t i = 0; i < count; i++) {
        struct cost cost;
        TRY(cost_of(trick, workload[i], options, &cost));
        if (cost.steps > worst && (!trick->most_of || strcmp(trick->most_of, workload[i]) == 0)) worst = cost.steps;
        if (cost.steps > 0)
            table_range(table, cost.steps, cost.low, cost.high);
        else
            table_none(table);
    }
    snprintf(text, sizeof text, "at most %s%s%s", text_fixed(number, trick->most, 2), trick->most_of ? " on " : "",
             trick->most_of ? trick->most_of : "");
    if (trick->most > 0 && worst > 0)
        table_target(table, worst <= trick->most, text);
    else
        table_none(table);
    return KNACK_OK;
}

/* The time that EMA takes for itself at 1e7 parameters, beside a plain pass over the same arrays in the same place. */
static knack_status compare_ema(void)
{
    enum { WIDTH = 2794, BATCH = 8, TURNS = 9 }; /* 784 WIDTH + WIDTH^2 + ... = 1e7 */
    struct arm arm[2] = {{.workload = "mlp", .width = WIDTH, .batch = BATCH, .plugins = "\"ema\""},
                         {.workload = "mlp", .width = WIDTH, .batch = BATCH, .plugins = "\"pass\""}};
    TRY(arms_measure(arm, 2, TURNS, SECONDS));
    double ratio = arm[0].tricks / arm[1].tricks;
    printf("\nema, %.3g parameters: %.2f ms a step of its own, %.3f x a plain pass that reads two such arrays and writes one of them (%.2f "
           "ms); "
           "target 1.15: %s\n",
           arm[0].parameters, arm[0].tricks * 1e-6, ratio, arm[1].tricks * 1e-6, ratio <= 1.15 ? "reached" : "**missed**");
    return KNACK_OK;
}

knack_status bench_tricks(const struct options *options)
{
    static const char *const usual[] = {"mlp", "cnn", "encoder"};
    const char *const *workload = options->names ? options->name : usual;
    int64_t count = options->names ? options->names : 3;
    const char *columns[WORKLOADS_MOST + 3] = {"trick"};
    struct table table;
    if (count > WORKLOADS_MOST) return status_set(KNACK_E_USAGE, "tricks: at most %d workloads", WORKLOADS_MOST);
    for (int64_t i = 0; i < count; i++) columns[i + 1] = workload[i];
    columns[count + 1] = "target";
    TRY(table_begin(&table, columns));
    for (int i = 0; i < TRICKS; i++) TRY(put_trick(&table, &tricks[i], workload, count, options));
    TRY(table_end(&table, options->json));
    return compare_ema();
}
